import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { endLeftovers } from '../../../electron/core/vm/leftovers.ts';
import {
  type ProcessRecord,
  processRecordSchema,
  writeProcessRecord,
} from '../../../electron/core/vm/process-record.ts';
import { startQemu } from '../../../electron/core/vm/qemu-process.ts';
import type { RunDirectory } from '../../../electron/core/vm/run-directory.ts';
import { aMachineBench, eventually, type MachineBench } from './machine-bench.ts';

/** A machine that its app has left, with its record. */
async function leave(bench: MachineBench): Promise<{ record: ProcessRecord; runDirectory: RunDirectory }> {
  const { run, runDirectory } = await bench.start();
  await run.detach();
  const record = processRecordSchema.parse(JSON.parse(await readFile(runDirectory.paths.processRecord, 'utf8')));
  return { record, runDirectory };
}

const isRunning = async (bench: MachineBench, { pid, startTime }: ProcessRecord) =>
  (await bench.deps.processes.startTime(pid)) === startTime;

it('ends what still runs, keeps what is adopted, and names every other run', async () => {
  await using bench = await aMachineBench();
  const [left, kept] = [await leave(bench), await leave(bench)];
  const empty = await bench.newRunDirectory();
  await mkdir(join(bench.directories.runs, 'not-a-run'));
  const leftovers = await endLeftovers(bench.deps, bench.directories, { kept: new Set([kept.runDirectory.runId]) });
  expect(leftovers).toEqual(
    [
      { runId: left.runDirectory.runId, end: 'quit' },
      { runId: empty.runId, end: 'gone' },
    ].sort((a, b) => a.runId.localeCompare(b.runId)),
  );
  expect([await isRunning(bench, left.record), await isRunning(bench, kept.record)]).toEqual([false, true]);
});

it('kills a leftover that does not quit', async () => {
  await using bench = await aMachineBench({ ignoresQuit: true });
  const { record, runDirectory } = await leave(bench);
  const leftovers = endLeftovers(bench.deps, bench.directories);
  // Two deadlines: one for quitting, one for all of it.
  await eventually(() => expect(bench.clock.pendingCount).toBe(2));
  await bench.clock.advance(3_000);
  expect(await leftovers).toEqual([{ runId: runDirectory.runId, end: 'killed' }]);
  expect(await isRunning(bench, record)).toBe(false);
});

it('kills a leftover that does not answer', async () => {
  await using bench = await aMachineBench();
  const { record, runDirectory } = await leave(bench);
  await bench.deps.files.remove(runDirectory.paths.qmpSocket);
  const leftovers = endLeftovers(bench.deps, bench.directories);
  await eventually(() => expect(bench.clock.pendingCount).toBe(1));
  await bench.clock.advance(2_000);
  expect(await leftovers).toEqual([{ runId: runDirectory.runId, end: 'killed' }]);
  expect(await isRunning(bench, record)).toBe(false);
});

it('touches no process that has the pid but not the start time', async () => {
  await using bench = await aMachineBench();
  const { record, runDirectory } = await leave(bench);
  await writeProcessRecord(bench.deps, runDirectory.paths, { ...record, startTime: '1' });
  expect(await endLeftovers(bench.deps, bench.directories)).toEqual([{ runId: runDirectory.runId, end: 'gone' }]);
  expect(await isRunning(bench, record)).toBe(true);
  await writeProcessRecord(bench.deps, runDirectory.paths, record);
});

it('touches no process that has pid and start time but is not the machine of that run', async () => {
  await using bench = await aMachineBench();
  const stranger = spawn('sleep', ['600'], { stdio: 'ignore' });
  await once(stranger, 'spawn');
  const pid = stranger.pid ?? 0;
  const runDirectory = await bench.newRunDirectory();
  const startTime = (await bench.deps.processes.startTime(pid)) ?? '';
  const record = { pid, startTime, qemuPath: bench.qemu.path, startedAt: bench.clock.now() };
  await writeProcessRecord(bench.deps, runDirectory.paths, record);
  expect(await endLeftovers(bench.deps, bench.directories)).toEqual([{ runId: runDirectory.runId, end: 'gone' }]);
  expect(await isRunning(bench, record)).toBe(true);
  await bench.deps.files.remove(runDirectory.paths.processRecord);
  stranger.kill('SIGKILL');
  await once(stranger, 'close');
});

it('asks a machine to end that was started and not yet written down', async () => {
  await using bench = await aMachineBench();
  const runDirectory = await bench.newRunDirectory();
  const { runId, paths } = runDirectory;
  const options = bench.optionsFor(runDirectory);
  const process = await startQemu(bench.deps, { ...options.start, runId, paths });
  while (!(await bench.deps.files.exists(paths.qmpSocket))) await bench.clock.sleep(5);
  expect(await endLeftovers(bench.deps, bench.directories)).toEqual([{ runId, end: 'quit' }]);
  expect(await process.exited).toEqual({ exitCode: 0, signal: null });
});
