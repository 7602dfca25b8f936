import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RunId } from '../../../electron/contract/ids.ts';
import { systemFiles } from '../../../electron/core/platform/files.ts';
import { silentLog } from '../../../electron/core/platform/log.ts';
import { TraceStore } from '../../../electron/core/trace/trace-store.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const runId = '0a1b2c3d' as RunId;

async function aStore() {
  const folder = await temporaryDirectory();
  const directory = join(folder.path, 'traces');
  const store = new TraceStore({ files: systemFiles, log: silentLog }, directory);
  return { store, directory, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

it('keeps a trace in a file of its own that only its owner reads', async () => {
  await using at = await aStore();
  await using writer = await at.store.create(runId);
  await writer.acknowledge(0, Buffer.from('hello'));
  const path = join(at.directory, `${runId}.log`);
  expect([(await stat(path)).mode & 0o777, await systemFiles.readText(path)]).toEqual([0o600, 'hello']);
  expect((await stat(at.directory)).mode & 0o777).toBe(0o700);
});

it('reads ranges while it is written, and after', async () => {
  await using at = await aStore();
  {
    await using writer = await at.store.create(runId);
    await writer.acknowledge(0, Buffer.from('hello world'));
    const { bytes, ...rest } = await at.store.read(runId, 6, 3);
    expect([text(bytes), rest]).toEqual(['wor', { fromByte: 6, sizeBytes: 11, gaps: [] }]);
  }
  const { bytes, ...rest } = await at.store.read(runId, 6, 100);
  expect([text(bytes), rest]).toEqual(['world', { fromByte: 6, sizeBytes: 11, gaps: [] }]);
});

it('reads nothing past the end, and nothing of a trace that is not there', async () => {
  await using at = await aStore();
  await using writer = await at.store.create(runId);
  await writer.acknowledge(0, Buffer.from('hello'));
  const empty = { bytes: new Uint8Array(), gaps: [] };
  expect(await at.store.read(runId, 9, 10)).toEqual({ ...empty, fromByte: 9, sizeBytes: 5 });
  expect(await at.store.read('ffffffff' as RunId, 0, 10)).toEqual({ ...empty, fromByte: 0, sizeBytes: 0 });
});

it('goes on at its size after a restart, and remembers what is missing', async () => {
  await using at = await aStore();
  {
    await using writer = await at.store.create(runId);
    await writer.acknowledge(0, Buffer.from('ab'));
    await writer.acknowledge(4, Buffer.from('ef'));
  }
  const later = new TraceStore({ files: systemFiles, log: silentLog }, at.directory);
  await using writer = await later.open(runId);
  expect([writer.sizeBytes, writer.gaps]).toEqual([6, [{ fromByte: 2, toByte: 4 }]]);
  await writer.acknowledge(4, Buffer.from('efgh'));
  const { bytes, gaps } = await later.read(runId, 3, 10);
  expect([text(bytes), gaps]).toEqual(['\0efgh', [{ fromByte: 3, toByte: 4 }]]);
});

it('shows a trace whose list of gaps is damaged', async () => {
  await using at = await aStore();
  {
    await using writer = await at.store.create(runId);
    await writer.acknowledge(0, Buffer.from('ab'));
  }
  await writeFile(join(at.directory, `${runId}.gaps`), 'no json');
  const { bytes, gaps } = await at.store.read(runId, 0, 10);
  expect([text(bytes), gaps]).toEqual(['ab', []]);
});

it('starts anew where it is asked to create', async () => {
  await using at = await aStore();
  {
    await using writer = await at.store.create(runId);
    await writer.acknowledge(3, Buffer.from('old'));
  }
  await using writer = await at.store.create(runId);
  expect([writer.sizeBytes, writer.gaps]).toEqual([0, []]);
});

it('lists and removes traces, and leaves other files alone', async () => {
  await using at = await aStore();
  expect(await at.store.list()).toEqual([]);
  for (const id of ['0a1b2c3d', '11111111']) {
    await using writer = await at.store.create(id as RunId);
    await writer.acknowledge(2, Buffer.from('x'));
  }
  await writeFile(join(at.directory, 'notes.log'), '');
  expect((await at.store.list()).toSorted((a, b) => a.runId.localeCompare(b.runId))).toEqual([
    { runId: '0a1b2c3d', sizeBytes: 3, modifiedMs: expect.any(Number) },
    { runId: '11111111', sizeBytes: 3, modifiedMs: expect.any(Number) },
  ]);
  await at.store.remove(runId);
  await at.store.remove(runId);
  expect((await readdir(at.directory)).toSorted()).toEqual(['11111111.gaps', '11111111.log', 'notes.log']);
});

it('makes no path of anything but a run id', async () => {
  await using at = await aStore();
  for (const id of ['../secret', '', 'A0000000', '0a1b2c3d/..']) {
    await expect(at.store.read(id as RunId, 0, 1)).rejects.toMatchObject({ code: 'trace/bad-run-id' });
  }
});
