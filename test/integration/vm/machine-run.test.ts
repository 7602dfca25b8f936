import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Processes } from '../../../electron/core/platform/processes.ts';
import { MachineRun } from '../../../electron/core/vm/machine-run.ts';
import { readProcessRecord } from '../../../electron/core/vm/process-record.ts';
import { vmErrorOf } from '../../../electron/core/vm/vm-outcome.ts';
import { guestScript } from '../../fakes/qemu/install-fake-qemu.ts';
import { aMachineBench, eventually, type MachineBench } from './machine-bench.ts';

const never = new AbortController().signal;

it('starts QEMU, writes down which process it is, and lets the guest run', async () => {
  await using bench = await aMachineBench();
  const { run, runDirectory } = await bench.start();
  const startTime = await bench.deps.processes.startTime(run.pid);
  expect(JSON.parse(await readFile(runDirectory.paths.processRecord, 'utf8'))).toEqual({
    pid: run.pid,
    startTime,
    qemuPath: bench.qemu.path,
    startedAt: bench.clock.now(),
  });
  expect(bench.states).toEqual([
    { phase: 'preparing' },
    { phase: 'booting', pid: run.pid, readyBy: bench.clock.now() + 60_000 },
  ]);
  await eventually(async () => {
    expect(await readFile(runDirectory.paths.consoleLog, 'utf8')).toBe('[    0.000000] Linux version 0.0.0-fake\r\n');
  });
});

it('runs once the guest has called, and the boot deadline then means nothing', async () => {
  await using bench = await aMachineBench({ guest: guestScript('calls-once') });
  const runDirectory = await bench.newRunDirectory();
  const { promise: called, resolve: onCall } = Promise.withResolvers<string | undefined>();
  const server = createServer((request, response) => {
    onCall(request.url);
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(runDirectory.paths.proxySocket, resolve));
  const run = await MachineRun.start(bench.deps, bench.optionsFor(runDirectory), never);
  expect(await called).toBe('/bench/v1/run');
  run.markReady();
  expect(bench.clock.pendingCount).toBe(0);
  await bench.clock.advance(60_000);
  expect(run.state).toEqual({ phase: 'running', pid: run.pid, startedAt: bench.clock.now() - 60_000 });
  await run.stop('job-finished');
  expect(bench.clock.pendingCount).toBe(0);
  server.close();
});

it.each([
  {
    boot: 'powers-off',
    outcome: { kind: 'guest-powered-off', how: 'shutdown', wasReady: false },
    code: 'vm/powered-off',
  },
  { boot: 'resets', outcome: { kind: 'guest-powered-off', how: 'reset', wasReady: false }, code: 'vm/powered-off' },
  { boot: 'panics', outcome: { kind: 'guest-panicked', wasReady: false }, code: 'vm/panicked' },
  { boot: 'reports-panic', outcome: { kind: 'guest-panicked', wasReady: false }, code: 'vm/panicked' },
  { boot: 'fills-disk', outcome: { kind: 'host-disk-full' }, code: 'vm/disk-full' },
  {
    boot: 'breaks',
    outcome: {
      kind: 'qemu-died',
      exitCode: null,
      signal: null,
      isBroken: true,
      lastLines: ['KVM internal error. Suberror: 1'],
    },
    code: 'vm/died',
  },
  {
    boot: 'crashes',
    outcome: {
      kind: 'qemu-died',
      exitCode: 139,
      signal: null,
      isBroken: false,
      lastLines: ['Segmentation fault'],
    },
    code: 'vm/died',
  },
] as const)('ends as $code when its guest $boot', async ({ boot, outcome, code }) => {
  await using bench = await aMachineBench({ boot });
  const { run } = await bench.start();
  const finished = await run.finished;
  expect(finished).toMatchObject(outcome);
  expect(vmErrorOf(finished)?.code).toBe(code);
  expect(bench.states.at(-1)).toEqual({ phase: 'finished', outcome: finished });
  expect(bench.clock.pendingCount).toBe(0);
});

it('quotes the panic from the console', async () => {
  await using bench = await aMachineBench({ boot: 'panics' });
  const { run } = await bench.start();
  expect(await run.finished).toEqual({
    kind: 'guest-panicked',
    wasReady: false,
    consoleLines: ['[    1.000000] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100'],
  });
});

it('ends a machine that misses its boot deadline, and does not ask its guest', async () => {
  await using bench = await aMachineBench({ boot: 'never' });
  const { run } = await bench.start();
  await bench.clock.advance(59_999);
  expect(run.state.phase).toBe('booting');
  await bench.clock.advance(1);
  expect(await run.finished).toEqual({ kind: 'boot-timeout', consoleLines: [] });
  expect(bench.states.slice(2)).toEqual([
    {
      phase: 'stopping',
      pid: run.pid,
      why: 'boot-timeout',
      killAt: bench.clock.now() + 3_000,
      wasReady: false,
    },
    { phase: 'finished', outcome: { kind: 'boot-timeout', consoleLines: [] } },
  ]);
});

/** A guest that powers off when the test says so. */
async function aGuestThatWaits(bench: MachineBench): Promise<{ powerOff(): Promise<void> }> {
  const script = join(bench.path, 'guest.mjs');
  await writeFile(
    script,
    `import { watch } from 'node:fs';
     export function guest(machine) {
       const watcher = watch(${JSON.stringify(bench.path)}, (_event, name) => {
         if (name !== 'power-off') return;
         watcher.close();
         machine.powerOff();
       });
       machine.print('waiting\\r\\n');
     }`,
  );
  await bench.qemu.behave({ guest: script });
  return { powerOff: () => writeFile(join(bench.path, 'power-off'), '') };
}

it('waits in its grace for a guest that powers off by itself', async () => {
  await using bench = await aMachineBench();
  const guest = await aGuestThatWaits(bench);
  const { run, runDirectory } = await bench.start();
  await eventually(async () => expect(await readFile(runDirectory.paths.consoleLog, 'utf8')).toContain('waiting'));
  const stopped = run.stop('job-finished', { powerOffGraceMs: 10_000 });
  await guest.powerOff();
  expect(await stopped).toEqual({ kind: 'stopped-by-us', why: 'job-finished', how: 'guest' });
});

it('hears the last words of a QEMU whose end is known before them', async () => {
  await using bench = await aMachineBench();
  const guest = await aGuestThatWaits(bench);
  const runDirectory = await bench.newRunDirectory();
  const { promise: exited, resolve: exit } = Promise.withResolvers<{ exitCode: number; signal: null }>();
  const processes: Processes = {
    ...bench.deps.processes,
    startDetached: async (...args) => ({ ...(await bench.deps.processes.startDetached(...args)), exited }),
  };
  const run = await MachineRun.start({ ...bench.deps, processes }, bench.optionsFor(runDirectory), never);
  await eventually(async () => expect(await readFile(runDirectory.paths.consoleLog, 'utf8')).toContain('waiting'));
  exit({ exitCode: 0, signal: null });
  await eventually(() => expect(bench.clock.pendingCount).toBe(1));
  await guest.powerOff();
  expect(await run.finished).toMatchObject({ kind: 'guest-powered-off', how: 'shutdown' });
});

it('presses the power button of a guest that heeds it', async () => {
  await using bench = await aMachineBench();
  const { run } = await bench.start();
  run.markReady();
  expect(await run.stop('owner')).toEqual({ kind: 'stopped-by-us', why: 'owner', how: 'powerdown' });
  expect(bench.states.slice(3)).toEqual([
    { phase: 'stopping', pid: run.pid, why: 'owner', killAt: bench.clock.now() + 8_000, wasReady: true },
    { phase: 'finished', outcome: { kind: 'stopped-by-us', why: 'owner', how: 'powerdown' } },
  ]);
});

it('has QEMU quit where the guest ignores its power button', async () => {
  await using bench = await aMachineBench({ ignoresPowerdown: true });
  const { run } = await bench.start();
  const stopped = run.stop('job-canceled');
  await bench.clock.advance(4_999);
  expect(run.state.phase).toBe('stopping');
  await bench.clock.advance(1);
  expect(await stopped).toEqual({ kind: 'stopped-by-us', why: 'job-canceled', how: 'quit' });
});

it('kills a QEMU that does not quit', async () => {
  await using bench = await aMachineBench({ ignoresPowerdown: true, ignoresQuit: true });
  const { run } = await bench.start();
  const stopped = run.stop('job-timeout', { powerdownMs: 100 });
  await bench.clock.advance(100);
  await bench.clock.advance(2_999);
  expect(run.state.phase).toBe('stopping');
  await bench.clock.advance(1);
  expect(await stopped).toEqual({ kind: 'stopped-by-us', why: 'job-timeout', how: 'kill' });
  expect(await bench.deps.processes.startTime(run.pid)).toBe(undefined);
});

it('stops once, for the first reason, however often it is asked', async () => {
  await using bench = await aMachineBench();
  const { run } = await bench.start();
  const [first, second] = await Promise.all([run.stop('owner'), run.stop('closing')]);
  expect(second).toBe(first);
  expect(await run.stop('closing')).toBe(first);
  expect(first).toEqual({ kind: 'stopped-by-us', why: 'owner', how: 'powerdown' });
});

it('is stopped by its scope', async () => {
  await using bench = await aMachineBench();
  let pid = 0;
  {
    const { run } = await bench.start();
    await using scoped = run;
    pid = scoped.pid;
  }
  expect(await bench.deps.processes.startTime(pid)).toBe(undefined);
  expect(bench.states.at(-1)).toEqual({
    phase: 'finished',
    outcome: { kind: 'stopped-by-us', why: 'closing', how: 'powerdown' },
  });
});

it.each([
  {
    name: 'ends at once',
    behaviour: { diesAtOnce: { exitCode: 1, stderr: "qemu: cannot set up guest memory 'pc.ram'" } },
    message: "QEMU did not get going (it ended with code 1): qemu: cannot set up guest memory 'pc.ram'",
  },
  {
    name: 'is no QEMU',
    behaviour: { qmp: 'garbage' as const },
    message: 'QEMU did not get going (What answers on the control socket is not QEMU: it did not greet)',
  },
])('tells what a QEMU said that $name', async ({ behaviour, message }) => {
  await using bench = await aMachineBench(behaviour);
  await expect(bench.start()).rejects.toMatchObject({ code: 'vm/start-failed', message });
  expect(bench.clock.pendingCount).toBe(0);
});

it('tells which file QEMU did not find', async () => {
  await using bench = await aMachineBench();
  const image = { kernelPath: '/nowhere/vmlinuz', initrdPath: '/nowhere/initrd', kernelArguments: [] };
  await expect(bench.start({ image: { ...image, rootDisk: null, runnerDisk: null } })).rejects.toMatchObject({
    code: 'vm/start-failed',
    message: expect.stringContaining("could not open kernel file '/nowhere/vmlinuz': No such file or directory"),
  });
});

it('tells of a QEMU that has gone away', async () => {
  await using bench = await aMachineBench();
  await expect(bench.start({ qemu: { path: join(bench.path, 'nothing'), hasSandbox: true } })).rejects.toMatchObject({
    code: 'vm/qemu-missing',
  });
});

it('gives up a QEMU that never answers, and leaves no process', async () => {
  await using bench = await aMachineBench({ qmp: 'silent' });
  const runDirectory = await bench.newRunDirectory();
  const started = MachineRun.start(bench.deps, bench.optionsFor(runDirectory), never);
  await eventually(() => expect(bench.clock.pendingCount).toBe(1));
  const record = await readProcessRecord(bench.deps, runDirectory.paths);
  const failed = expect(started).rejects.toMatchObject({
    code: 'vm/start-failed',
    message: 'QEMU did not get going (its control socket did not answer)',
  });
  await bench.clock.advance(20_000);
  await failed;
  expect(await bench.deps.processes.startTime(record?.pid ?? 1)).toBe(undefined);
});

it('rejects with the reason of an abort while it starts, and leaves no process', async () => {
  await using bench = await aMachineBench({ qmp: 'silent' });
  const runDirectory = await bench.newRunDirectory();
  const controller = new AbortController();
  const started = MachineRun.start(bench.deps, bench.optionsFor(runDirectory), controller.signal);
  await eventually(() => expect(bench.clock.pendingCount).toBe(1));
  const record = await readProcessRecord(bench.deps, runDirectory.paths);
  const reason = new Error('the job was canceled');
  controller.abort(reason);
  await expect(started).rejects.toBe(reason);
  expect(await bench.deps.processes.startTime(record?.pid ?? 1)).toBe(undefined);
  expect(bench.clock.pendingCount).toBe(0);
});
