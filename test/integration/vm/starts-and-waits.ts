import { systemClock } from '../../../electron/core/platform/clock.ts';
import { directoriesBelow } from '../../../electron/core/platform/directories.ts';
import { systemFiles } from '../../../electron/core/platform/files.ts';
import { silentLog } from '../../../electron/core/platform/log.ts';
import { systemProcesses } from '../../../electron/core/platform/processes.ts';
import { systemRandom } from '../../../electron/core/platform/random.ts';
import { MachineRun } from '../../../electron/core/vm/machine-run.ts';
import { RunDirectory } from '../../../electron/core/vm/run-directory.ts';

// The app as another process, to be killed: starts a machine and prints its run id and pid. Arguments: folder, QEMU, kernel.
const [root = '', qemuPath = '', kernelPath = ''] = process.argv.slice(2);
const deps = { clock: systemClock, files: systemFiles, log: silentLog, processes: systemProcesses };
const runDirectory = await RunDirectory.create(deps, directoriesBelow(root), systemRandom.runId());
const run = await MachineRun.start(
  deps,
  {
    runDirectory,
    bootTimeoutMs: 60_000,
    onState: () => {},
    start: {
      qemu: { path: qemuPath, hasSandbox: true },
      accelerator: { kind: 'tcg' },
      machine: { cpus: 1, memoryBytes: 64 * 1024 * 1024 },
      image: { kernelPath, initrdPath: kernelPath, kernelArguments: [], rootDisk: null, runnerDisk: null },
      services: [],
      socatPath: '/usr/bin/socat',
    },
  },
  new AbortController().signal,
);
process.stdout.write(`${JSON.stringify({ runId: run.runId, pid: run.pid })}\n`);
