import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, type TestContext } from 'vitest';
import { probeAccelerator } from '../../../electron/core/vm/accelerator.ts';
import { endLeftovers } from '../../../electron/core/vm/leftovers.ts';
import { MachineRun } from '../../../electron/core/vm/machine-run.ts';
import { locateQemu, type QemuBinary } from '../../../electron/core/vm/qemu-binary.ts';
import { Qmp } from '../../../electron/core/vm/qmp.ts';
import { type TinyKernelEnd, tinyKernel } from '../../fakes/tiny-kernel.ts';
import { aMachineBench, eventually, type MachineBench } from './machine-bench.ts';

const never = new AbortController().signal;

async function realQemu(ctx: TestContext, bench: MachineBench): Promise<QemuBinary> {
  try {
    return await locateQemu(bench.deps, { env: process.env });
  } catch (error) {
    return ctx.skip(`no QEMU: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Starts a real QEMU under TCG, with every argument of a run, on a kernel of three instructions. */
async function startTiny(ctx: TestContext, bench: MachineBench, text: string, end: TinyKernelEnd) {
  const qemu = await realQemu(ctx, bench);
  const kernelPath = join(bench.path, 'tiny-kernel');
  const runnerPath = join(bench.path, 'runner, read-only.raw');
  await writeFile(kernelPath, tinyKernel(text, end));
  await writeFile(runnerPath, new Uint8Array(64 * 1024));
  const runnerDisk = { path: runnerPath, format: 'raw', sizeBytes: 64 * 1024 } as const;
  const image = { kernelPath, initrdPath: kernelPath, kernelArguments: [], rootDisk: null, runnerDisk };
  return await bench.start({ qemu, image });
}

it('finds QEMU and reads its version', async (ctx) => {
  await using bench = await aMachineBench();
  const qemu = await realQemu(ctx, bench);
  expect(qemu.version).toMatch(/^\d+\.\d+\.\d+$/);
  expect(qemu.major).toBeGreaterThanOrEqual(6);
});

it('finds an accelerator that runs a kernel, and remembers it until the next boot', async (ctx) => {
  await using bench = await aMachineBench();
  const qemu = await realQemu(ctx, bench);
  const options = {
    qemu,
    scratchDirectory: join(bench.path, 'scratch'),
    cachePath: join(bench.path, 'accelerator.json'),
  };
  const first = await probeAccelerator(bench.deps, options);
  expect(first.why).toMatch(/\w/);
  // Whatever the host has, the verdict must agree with a machine that is really started; TCG always runs one.
  const noMoreProbes = {
    ...bench.deps,
    processes: { ...bench.deps.processes, run: () => Promise.reject(new Error()) },
  };
  expect(await probeAccelerator(noMoreProbes, options)).toEqual(first);
});

it('does not believe a KVM that opens and hangs', async (ctx) => {
  await using bench = await aMachineBench();
  const qemu = await realQemu(ctx, bench);
  if ((await bench.deps.files.whyNotOpened('/dev/kvm')) !== undefined) ctx.skip('/dev/kvm does not open here');
  const options = {
    qemu,
    scratchDirectory: join(bench.path, 'scratch'),
    cachePath: join(bench.path, 'accelerator.json'),
  };
  const accelerator = await probeAccelerator(bench.deps, options);
  if (accelerator.kind === 'kvm') return ctx.skip('KVM works here');
  expect(accelerator.why).toMatch(
    /^KVM does not run a real kernel here: .+, so machines run under TCG, which is slower$/,
  );
  expect(accelerator.problem.code).toBe('vm/kvm-unusable');
});

it('runs a machine, records its console, answers on QMP, and has it quit when it ignores its power button', async (ctx) => {
  await using bench = await aMachineBench();
  const { run, runDirectory } = await startTiny(ctx, bench, 'tiny kernel is up\r\n', 'waits');
  await eventually(async () =>
    expect(await readFile(runDirectory.paths.consoleLog, 'utf8')).toBe('tiny kernel is up\r\n'),
  );
  run.markReady();
  const stopped = run.stop('job-finished');
  await bench.clock.advance(5_000);
  expect(await stopped).toEqual({ kind: 'stopped-by-us', why: 'job-finished', how: 'quit' });
  expect(bench.states.map(({ phase }) => phase)).toEqual(['preparing', 'booting', 'running', 'stopping', 'finished']);
  expect(await bench.deps.files.list(runDirectory.paths.directory)).toEqual([
    'console.log',
    'process.json',
    'qemu.log',
  ]);
});

it.for([
  {
    end: 'powers-off',
    text: 'bye\r\n',
    outcome: { kind: 'guest-powered-off', how: 'shutdown', wasReady: false, consoleLines: ['bye'] },
  },
  {
    end: 'resets',
    text: 'again\r\n',
    outcome: { kind: 'guest-powered-off', how: 'reset', wasReady: false, consoleLines: ['again'] },
  },
  {
    end: 'resets',
    text: 'Kernel panic - not syncing: no init\r\n',
    outcome: { kind: 'guest-panicked', wasReady: false, consoleLines: ['Kernel panic - not syncing: no init'] },
  },
] as const)('sees that a machine that printed "$text" $end', async ({ end, text, outcome }, ctx) => {
  await using bench = await aMachineBench();
  const { run } = await startTiny(ctx, bench, text, end);
  expect(await run.finished).toEqual(outcome);
});

it('tells what QEMU says of a memory that is too large', async (ctx) => {
  await using bench = await aMachineBench();
  const qemu = await realQemu(ctx, bench);
  await expect(bench.start({ qemu, machine: { cpus: 1, memoryBytes: 2 ** 62 } })).rejects.toMatchObject({
    code: 'vm/start-failed',
    message: expect.stringMatching(/^QEMU did not get going \(it ended with code 1\): .*memory/),
  });
});

it('adopts a machine and ends one that is left', async (ctx) => {
  await using bench = await aMachineBench();
  const { run, runDirectory } = await startTiny(ctx, bench, 'up\r\n', 'waits');
  await run.detach();
  const adopted = await MachineRun.adopt(bench.deps, { ...bench.optionsFor(runDirectory), wasReady: true }, never);
  expect(adopted?.pid).toBe(run.pid);
  expect(adopted?.state.phase).toBe('running');
  await adopted?.detach();
  expect(await endLeftovers(bench.deps, bench.directories)).toEqual([{ runId: runDirectory.runId, end: 'quit' }]);
});

it('gives its version and status to one client after the other', async (ctx) => {
  await using bench = await aMachineBench();
  const { run, runDirectory } = await startTiny(ctx, bench, 'up\r\n', 'waits');
  await run.detach();
  for (let client = 0; client < 2; client += 1) {
    await using qmp = await Qmp.connect(bench.deps, runDirectory.paths.qmpSocket, never);
    expect(qmp.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(await qmp.execute('query-status')).toMatchObject({ status: 'running', running: true });
    await expect(qmp.execute('no-such-command')).rejects.toMatchObject({
      code: 'vm/qmp-refused',
      message: 'QEMU refused no-such-command (CommandNotFound: The command no-such-command has not been found)',
    });
  }
});
