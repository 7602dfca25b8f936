import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { vi } from 'vitest';
import type { RunId } from '../../../electron/contract/ids.ts';
import { type Clock, systemClock } from '../../../electron/core/platform/clock.ts';
import type { PlatformDeps } from '../../../electron/core/platform/deps.ts';
import { type Directories, directoriesBelow } from '../../../electron/core/platform/directories.ts';
import { systemFiles } from '../../../electron/core/platform/files.ts';
import { silentLog } from '../../../electron/core/platform/log.ts';
import { systemProcesses } from '../../../electron/core/platform/processes.ts';
import { systemRandom } from '../../../electron/core/platform/random.ts';
import { MachineRun, type StartOptions } from '../../../electron/core/vm/machine-run.ts';
import { readProcessRecord } from '../../../electron/core/vm/process-record.ts';
import { RunDirectory } from '../../../electron/core/vm/run-directory.ts';
import type { VmState } from '../../../electron/core/vm/run-state.ts';
import { FakeClock } from '../../fakes/clock.ts';
import type { Behaviour } from '../../fakes/qemu/behaviour.ts';
import { type FakeQemu, installFakeQemu } from '../../fakes/qemu/install-fake-qemu.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

/** Waits for what another process is about to do; generous, because all CPUs may be taken. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 15_000, interval: 10 });
}

/** Deadlines pass when the test says so; waiting for another process is real. */
export class DeadlineClock extends FakeClock implements Clock {
  override sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(durationMs, signal);
  }
}

/** A folder of a test's own with all that a machine needs, and a fake QEMU. Disposal kills what was started in it. */
export interface MachineBench extends AsyncDisposable {
  path: string;
  clock: DeadlineClock;
  deps: PlatformDeps;
  directories: Directories;
  qemu: FakeQemu;
  /** Every state of every run that was started with `optionsFor`, oldest first. */
  states: VmState[];
  newRunDirectory(): Promise<RunDirectory>;
  optionsFor(runDirectory: RunDirectory, changes?: Partial<StartOptions['start']>): StartOptions;
  start(changes?: Partial<StartOptions['start']>): Promise<{ run: MachineRun; runDirectory: RunDirectory }>;
}

export async function aMachineBench(behaviour: Partial<Behaviour> = {}): Promise<MachineBench> {
  const folder = await temporaryDirectory();
  const clock = new DeadlineClock();
  const deps = { clock, files: systemFiles, log: silentLog, processes: systemProcesses, random: systemRandom };
  const directories = directoriesBelow(folder.path);
  const kernelPath = join(folder.path, 'kernel');
  await writeFile(kernelPath, '');
  await mkdir(directories.runs);
  const qemu = await installFakeQemu(folder.path, behaviour);
  const states: VmState[] = [];

  const bench: MachineBench = {
    path: folder.path,
    clock,
    deps,
    directories,
    qemu,
    states,
    newRunDirectory: () => RunDirectory.create(deps, directories, deps.random.runId()),
    optionsFor: (runDirectory, changes = {}) => ({
      runDirectory,
      bootTimeoutMs: 60_000,
      onState: (state) => states.push(state),
      start: {
        qemu: { path: qemu.path, hasSandbox: true },
        accelerator: { kind: 'tcg' },
        machine: { cpus: 1, memoryBytes: 64 * 1024 * 1024 },
        image: { kernelPath, initrdPath: kernelPath, kernelArguments: [], rootDisk: null, runnerDisk: null },
        services: [{ address: '10.0.2.100', port: 80, socketPath: runDirectory.paths.proxySocket }],
        socatPath: '/usr/bin/socat',
        ...changes,
      },
    }),
    async start(changes) {
      const runDirectory = await bench.newRunDirectory();
      const options = bench.optionsFor(runDirectory, changes);
      return { run: await MachineRun.start(deps, options, new AbortController().signal), runDirectory };
    },
    async [Symbol.asyncDispose]() {
      for (const runId of await RunDirectory.list(deps, directories)) await killRun(deps, directories, runId);
      await folder[Symbol.asyncDispose]();
    },
  };
  return bench;
}

/** By what the run's own record says, so that nothing else is hit. */
async function killRun(deps: PlatformDeps, directories: Directories, runId: RunId): Promise<void> {
  const record = await readProcessRecord(deps, RunDirectory.open(deps, directories, runId).paths);
  if (record === undefined || (await deps.processes.startTime(record.pid)) !== record.startTime) return;
  deps.processes.kill(record.pid, 'SIGKILL');
  while ((await deps.processes.startTime(record.pid)) === record.startTime) await systemClock.sleep(5);
}
