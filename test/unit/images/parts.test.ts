import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Parts } from '../../../electron/core/images/parts.ts';
import { systemFiles } from '../../../electron/core/platform/files.ts';
import { systemRandom } from '../../../electron/core/platform/random.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const at = { kind: 'kernel', key: 'k1', versions: { linux: '6.1' } };

async function parts(): Promise<AsyncDisposable & { directory: string; all: Parts }> {
  const folder = await temporaryDirectory();
  const all = new Parts({ files: systemFiles, clock: new FakeClock(), random: systemRandom }, folder.path);
  return { directory: folder.path, all, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}
const fill = (directory: string) => writeFile(join(directory, 'vmlinuz'), 'kernel');

it('makes a part once and finds it again', async () => {
  await using scene = await parts();
  const made = await scene.all.provide(at, fill);
  const again = await scene.all.provide(at, () => Promise.reject(new Error('made twice')));
  expect(again).toEqual(made);
  expect(await scene.all.newest('kernel', 'k1')).toEqual(made);
});

it('passes over the lock, a part that is being made, and a folder that is none', async () => {
  await using scene = await parts();
  const made = await scene.all.provide(at, fill);
  await writeFile(join(scene.directory, '.lock'), '42');
  await mkdir(join(scene.directory, '.building-x'));
  await mkdir(join(scene.directory, 'other'));
  expect(await scene.all.list()).toEqual([made]);
});

it('leaves nothing of a part that could not be made', async () => {
  await using scene = await parts();
  await expect(scene.all.provide(at, () => Promise.reject(new Error('no space')))).rejects.toThrow('no space');
  expect(await systemFiles.list(scene.directory)).toEqual([]);
});
