import { readFile, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { expect, it, type TestContext } from 'vitest';
import { lastLinesOfFile } from '../../../electron/core/vm/console.ts';
import { MachineRun } from '../../../electron/core/vm/machine-run.ts';
import { locateQemu } from '../../../electron/core/vm/qemu-binary.ts';
import { startQemu } from '../../../electron/core/vm/qemu-process.ts';
import { tinyKernel } from '../../fakes/tiny-kernel.ts';
import { aMachineBench, eventually, type MachineBench } from './machine-bench.ts';

// The fake is held to what a real QEMU does with the same arguments and the same lines.
const kinds = ['fake', 'real'] as const;

async function pathOf(kind: (typeof kinds)[number], ctx: TestContext, bench: MachineBench): Promise<string> {
  if (kind === 'fake') return bench.qemu.path;
  try {
    return (await locateQemu(bench.deps, { env: process.env })).path;
  } catch {
    return ctx.skip('no QEMU');
  }
}

/** A machine that waits to be let run, without a supervisor. */
async function startBare(bench: MachineBench, qemuPath: string, kernelPath: string) {
  const runDirectory = await bench.newRunDirectory();
  const { runId, paths } = runDirectory;
  const image = { kernelPath, initrdPath: kernelPath, kernelArguments: [], rootDisk: null, runnerDisk: null };
  const options = bench.optionsFor(runDirectory, { qemu: { path: qemuPath, hasSandbox: false }, image });
  return { paths, process: await startQemu(bench.deps, { ...options.start, runId, paths }) };
}

/** What came back, line by line, without what differs from time to time and version to version. */
async function converse(path: string, lines: readonly string[]): Promise<unknown[]> {
  const socket = createConnection(path);
  const heard: Record<string, unknown>[] = [];
  let rest = '';
  let onMessage = () => {};
  socket.on('data', (bytes) => {
    const received = (rest + String(bytes)).split('\n');
    rest = received.pop() ?? '';
    for (const line of received) {
      const { timestamp: _timestamp, ...message } = JSON.parse(line);
      delete message.return?.singlestep;
      heard.push('QMP' in message ? { greeting: true } : message);
    }
    onMessage();
  });
  // QEMU may leave the last line break unread, which ends the connection with a reset.
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const answerCount = () => heard.filter((message) => !('event' in message)).length;
  const answers = (count: number) =>
    new Promise<void>((resolve) => {
      onMessage = () => {
        if (answerCount() >= count) resolve();
      };
      onMessage();
    });
  for (const [index, line] of lines.entries()) {
    await answers(index + 1);
    socket.write(`${line}\n`);
  }
  await closed;
  return heard;
}

it.for(kinds)('speaks QMP as QEMU does: %s', async (kind, ctx) => {
  await using bench = await aMachineBench();
  const kernelPath = join(bench.path, 'tiny-kernel');
  await writeFile(kernelPath, tinyKernel('up', 'waits'));
  const { paths, process } = await startBare(bench, await pathOf(kind, ctx, bench), kernelPath);
  await eventually(async () => expect(await bench.deps.files.exists(paths.qmpSocket)).toBe(true));
  const status = (value: string, running: boolean) => ({ status: value, running });
  expect(
    await converse(paths.qmpSocket, [
      '{"execute": "query-status", "id": 1}',
      '{"execute": "qmp_capabilities", "id": 2}',
      '{"execute": "query-status", "id": 3}',
      '{"execute": "no-such", "id": 4}',
      'nonsense',
      '{"id": 5}',
      '{"execute": "cont", "id": 6}',
      '{"execute": "query-status", "id": 7}',
      '{"execute": "stop", "id": 8}',
      '{"execute": "query-status", "id": 9}',
      '{"execute": "system_powerdown", "id": 10}',
      '{"execute": "quit", "id": 11}',
    ]),
  ).toEqual([
    { greeting: true },
    { id: 1, error: { class: 'CommandNotFound', desc: "Expecting capabilities negotiation with 'qmp_capabilities'" } },
    { id: 2, return: {} },
    { id: 3, return: status('prelaunch', false) },
    { id: 4, error: { class: 'CommandNotFound', desc: 'The command no-such has not been found' } },
    { error: { class: 'GenericError', desc: "JSON parse error, invalid keyword 'nonsense'" } },
    { id: 5, error: { class: 'GenericError', desc: "QMP input lacks member 'execute'" } },
    { event: 'RESUME' },
    { id: 6, return: {} },
    { id: 7, return: status('running', true) },
    { event: 'STOP' },
    { id: 8, return: {} },
    { id: 9, return: status('paused', false) },
    { event: 'POWERDOWN' },
    { id: 10, return: {} },
    { event: 'SHUTDOWN', data: { guest: false, reason: 'host-qmp-quit' } },
    { id: 11, return: {} },
  ]);
  expect(await process.exited).toEqual({ exitCode: 0, signal: null });
  expect([await bench.deps.files.exists(paths.qmpSocket), await bench.deps.files.exists(paths.consoleSocket)]).toEqual([
    false,
    false,
  ]);
});

it.for(kinds)('complains of a missing kernel as QEMU does: %s', async (kind, ctx) => {
  await using bench = await aMachineBench();
  const { paths, process } = await startBare(bench, await pathOf(kind, ctx, bench), '/nowhere/vmlinuz');
  expect(await process.exited).toEqual({ exitCode: 1, signal: null });
  expect(await lastLinesOfFile(bench.deps, paths.qemuLog, 1)).toEqual([
    "qemu: could not open kernel file '/nowhere/vmlinuz': No such file or directory",
  ]);
});

it.for(kinds)('complains of an option that it does not have as QEMU does: %s', async (kind, ctx) => {
  await using bench = await aMachineBench();
  const result = await bench.deps.processes.run(await pathOf(kind, ctx, bench), ['-no-such-option']);
  expect(result).toEqual({
    exitCode: 1,
    signal: null,
    stdout: '',
    stderr: 'qemu-system-x86_64: -no-such-option: invalid option\n',
  });
});

it('gives its guest what the arguments say', async () => {
  await using bench = await aMachineBench();
  const script = join(bench.path, 'guest.mjs');
  await writeFile(
    script,
    `export function guest({ print, powerOff, signal, onPowerdown, panic, reset, fillDisk, crash, ...facts }) {
       print(JSON.stringify(facts) + '\\r\\n');
     }`,
  );
  await bench.qemu.behave({ guest: script });
  const runDirectory = await bench.newRunDirectory();
  const { paths, runId } = runDirectory;
  const disk = { path: join(bench.path, 'kernel'), format: 'raw', sizeBytes: 0 } as const;
  await writeFile(paths.overlay, '');
  const odd = `${paths.socketDirectory}/it's, "odd": [so]`;
  const options = bench.optionsFor(runDirectory, {
    machine: { cpus: 3, memoryBytes: 512 * 1024 * 1024 },
    image: {
      kernelPath: disk.path,
      initrdPath: disk.path,
      kernelArguments: ['fb.mode=warm'],
      rootDisk: disk,
      runnerDisk: disk,
    },
    services: [
      { address: '10.0.2.100', port: 80, socketPath: paths.proxySocket },
      { address: '10.0.2.101', port: 443, socketPath: odd },
    ],
  });
  await using _run = await MachineRun.start(bench.deps, options, new AbortController().signal);
  const facts = await eventually(async () => {
    const line = (await readFile(paths.consoleLog, 'utf8')).split('\r\n')[1];
    return JSON.parse(line ?? '');
  });
  expect(facts).toEqual({
    runId,
    proxySocketPath: paths.proxySocket,
    services: [
      { address: '10.0.2.100', port: 80, socketPath: paths.proxySocket },
      { address: '10.0.2.101', port: 443, socketPath: odd },
    ],
    kernelArguments: ['console=ttyS0', 'quiet', 'panic=-1', 'oops=panic', 'no_timer_check', 'fb.mode=warm'],
    memoryBytes: 512 * 1024 * 1024,
    cpus: 3,
    disks: { root: paths.overlay, runner: disk.path },
  });
});

it('ends as a machine whose kernel panicked when its guest script throws', async () => {
  await using bench = await aMachineBench();
  const script = join(bench.path, 'guest.mjs');
  await writeFile(script, `export async function guest() { throw new Error('the runner is broken'); }`);
  await bench.qemu.behave({ guest: script });
  const { run, runDirectory } = await bench.start();
  expect((await run.finished).kind).toBe('guest-panicked');
  expect(await readFile(runDirectory.paths.consoleLog, 'utf8')).toContain('Error: the runner is broken');
});
