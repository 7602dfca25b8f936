import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { runIdSchema } from '../../../electron/contract/ids.ts';
import { MachineRun } from '../../../electron/core/vm/machine-run.ts';
import { writeProcessRecord } from '../../../electron/core/vm/process-record.ts';
import { startQemu } from '../../../electron/core/vm/qemu-process.ts';
import { Qmp } from '../../../electron/core/vm/qmp.ts';
import { RunDirectory } from '../../../electron/core/vm/run-directory.ts';
import { aMachineBench, eventually, type MachineBench } from './machine-bench.ts';

const never = new AbortController().signal;

function adopt(bench: MachineBench, runDirectory: RunDirectory, wasReady: boolean) {
  return MachineRun.adopt(bench.deps, { ...bench.optionsFor(runDirectory), wasReady }, never);
}

it('takes over a machine whose app was killed, and ends it', async () => {
  await using bench = await aMachineBench();
  const script = fileURLToPath(new URL('starts-and-waits.ts', import.meta.url));
  const app = spawn(process.execPath, [script, bench.path, bench.qemu.path, join(bench.path, 'kernel')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: app.stdout }), 'line');
  const { runId, pid } = z.object({ runId: runIdSchema, pid: z.int() }).parse(JSON.parse(String(line)));
  app.kill('SIGKILL');
  await once(app, 'close');

  const runDirectory = RunDirectory.open(bench.deps, bench.directories, runId);
  const run = await adopt(bench, runDirectory, false);
  expect(run?.pid).toBe(pid);
  expect(run?.state.phase).toBe('booting');
  expect(await run?.stop('owner')).toEqual({ kind: 'stopped-by-us', why: 'owner', how: 'powerdown' });
  expect(await bench.deps.processes.startTime(pid)).toBe(undefined);
});

it('goes on with a detached machine where it was, and notes the gap in its console', async () => {
  await using bench = await aMachineBench();
  const { run: first, runDirectory } = await bench.start();
  await eventually(async () => {
    expect(await readFile(runDirectory.paths.consoleLog, 'utf8')).toContain('Linux version');
  });
  first.markReady();
  await first.detach();
  await using second = await adopt(bench, runDirectory, true);
  expect(second?.state).toEqual({ phase: 'running', pid: first.pid, startedAt: bench.clock.now() });
  await eventually(async () => {
    expect(await readFile(runDirectory.paths.consoleLog, 'utf8')).toBe(
      '[    0.000000] Linux version 0.0.0-fake\r\n\r\n[Forrest Bench was started again; what was printed meanwhile is missing]\r\n',
    );
  });
});

it('holds an adopted machine to the boot deadline it had', async () => {
  await using bench = await aMachineBench({ boot: 'never' });
  const { run: first, runDirectory } = await bench.start();
  await first.detach();
  await bench.clock.advance(59_000);
  const second = await adopt(bench, runDirectory, false);
  await bench.clock.advance(1_000);
  expect(await second?.finished).toEqual({ kind: 'boot-timeout', consoleLines: [] });
});

it('lets a guest run that nobody has let run yet', async () => {
  await using bench = await aMachineBench();
  const runDirectory = await bench.newRunDirectory();
  const { runId, paths } = runDirectory;
  const options = bench.optionsFor(runDirectory);
  const { pid, startTime } = await startQemu(bench.deps, { ...options.start, runId, paths });
  await writeProcessRecord(bench.deps, paths, {
    pid,
    startTime,
    qemuPath: bench.qemu.path,
    startedAt: bench.clock.now(),
  });
  // The launcher of the fake becomes the fake in two steps, and has no command line for a moment in each.
  await eventually(async () => expect(await bench.deps.files.exists(paths.qmpSocket)).toBe(true));
  await using _run = await adopt(bench, runDirectory, false);
  await eventually(async () => expect(await readFile(paths.consoleLog, 'utf8')).toContain('Linux version'));
});

it('sees that an adopted machine ends by itself', async () => {
  await using bench = await aMachineBench();
  const { run: first, runDirectory } = await bench.start();
  await first.detach();
  const second = await adopt(bench, runDirectory, true);
  bench.deps.processes.kill(first.pid, 'SIGKILL');
  expect(await second?.finished).toEqual({
    kind: 'qemu-died',
    exitCode: null,
    signal: null,
    isBroken: false,
    lastLines: [],
  });
});

it('adopts nothing where the machine has ended, or was never written down', async () => {
  await using bench = await aMachineBench();
  const { run, runDirectory } = await bench.start();
  await run.stop('owner');
  expect(await adopt(bench, runDirectory, true)).toBe(undefined);
  expect(await adopt(bench, await bench.newRunDirectory(), true)).toBe(undefined);
});

it('adopts nothing by a record that is no record', async () => {
  await using bench = await aMachineBench();
  const runDirectory = await bench.newRunDirectory();
  for (const text of ['', '{}', '{"pid":-1}', 'x'.repeat(20_000)]) {
    await writeFile(runDirectory.paths.processRecord, text);
    expect(await adopt(bench, runDirectory, true)).toBe(undefined);
  }
});

it('leaves the control socket to the next process when it detaches', async () => {
  await using bench = await aMachineBench();
  const { run, runDirectory } = await bench.start();
  const waiting = createConnection(runDirectory.paths.qmpSocket);
  await once(waiting, 'connect');
  const greeting = once(waiting, 'data');
  await run.detach();
  expect(String(await greeting)).toContain('"QMP"');
  waiting.destroy();
  await using qmp = await Qmp.connect(bench.deps, runDirectory.paths.qmpSocket, never);
  expect(await qmp.execute('query-status')).toMatchObject({ status: 'running' });
});
