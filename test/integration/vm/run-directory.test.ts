import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runIdSchema } from '../../../electron/contract/ids.ts';
import { directoriesBelow } from '../../../electron/core/platform/directories.ts';
import { systemFiles } from '../../../electron/core/platform/files.ts';
import { RunDirectory } from '../../../electron/core/vm/run-directory.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const deps = { files: systemFiles };
const runId = runIdSchema.parse('0badcafe');

/** Files and sockets in folders of their own, as where `XDG_RUNTIME_DIR` is set. */
async function someDirectories() {
  const folder = await temporaryDirectory();
  const directories = { ...directoriesBelow(folder.path), sockets: join(folder.path, 's') };
  return { directories, path: folder.path, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

async function fill({ paths }: RunDirectory) {
  for (const path of [paths.overlay, paths.consoleLog, paths.qemuLog, paths.processRecord, paths.qmpSocket]) {
    await writeFile(path, '');
  }
}

it('makes both folders, for their owner alone', async () => {
  await using place = await someDirectories();
  const { paths } = await RunDirectory.create(deps, place.directories, runId);
  for (const path of [paths.directory, paths.socketDirectory]) expect((await stat(path)).mode & 0o777).toBe(0o700);
  expect(await RunDirectory.list(deps, place.directories)).toEqual([runId]);
});

it('removes all of a run', async () => {
  await using place = await someDirectories();
  const run = await RunDirectory.create(deps, place.directories, runId);
  await fill(run);
  await run.remove({ keepLogs: false });
  expect(await RunDirectory.list(deps, place.directories)).toEqual([]);
  await run.remove({ keepLogs: false });
});

it.each(['apart', 'together'])('keeps the logs and nothing else when asked, sockets %s', async (kind) => {
  await using place = await someDirectories();
  const directories = kind === 'apart' ? place.directories : directoriesBelow(place.path);
  await fill(await RunDirectory.create(deps, directories, runId));
  const run = RunDirectory.open(deps, directories, runId);
  await run.remove({ keepLogs: true });
  expect((await systemFiles.list(run.paths.directory)).sort()).toEqual(['console.log', 'qemu.log']);
  expect(await systemFiles.exists(run.paths.socketDirectory)).toBe(kind === 'together');
});

it('refuses a folder that is there already', async () => {
  await using place = await someDirectories();
  await RunDirectory.create(deps, place.directories, runId);
  await expect(RunDirectory.create(deps, place.directories, runId)).rejects.toMatchObject({ code: 'vm/run-directory' });
});

it('says when the folder cannot be made', async () => {
  await using place = await someDirectories();
  await writeFile(place.directories.runs, 'a file');
  await expect(RunDirectory.create(deps, place.directories, runId)).rejects.toMatchObject({ code: 'vm/run-directory' });
});

it('makes nothing where sockets could not be bound', async () => {
  await using place = await someDirectories();
  const directories = { ...place.directories, sockets: join(place.path, 'x'.repeat(100)) };
  await expect(RunDirectory.create(deps, directories, runId)).rejects.toMatchObject({ code: 'vm/path-too-long' });
  expect(await systemFiles.list(place.path)).toEqual([]);
});

it('lists runs by their ids and passes over everything else', async () => {
  await using place = await someDirectories();
  for (const name of ['ffffffff', '00000000', 'FFFFFFFF', '0000000', 'lost+found']) {
    await mkdir(join(place.directories.runs, name), { recursive: true });
  }
  await mkdir(join(place.directories.sockets, '0badcafe'), { recursive: true });
  expect(await RunDirectory.list(deps, place.directories)).toEqual(['00000000', '0badcafe', 'ffffffff']);
});
