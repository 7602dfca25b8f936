import type { BenchHandlers } from '../contract/transport.ts';
import type { BenchRuns } from './bench-runs.ts';
import type { ConfigFile } from './config/config-file.ts';
import type { PlatformDeps } from './platform/deps.ts';
import type { Directories } from './platform/directories.ts';
import type { BenchStore } from './store/bench-store.ts';
import type { TraceStore } from './trace/trace-store.ts';
import { readConsole } from './vm/console.ts';
import { runPaths } from './vm/run-directory.ts';

interface Rooms {
  deps: PlatformDeps;
  configFile: ConfigFile;
  store: BenchStore;
  runs: BenchRuns;
  traces: TraceStore;
  directories: Directories;
}

/** What the contract's calls do, in terms of the rooms. */
export function benchHandlers({ deps, configFile, store, runs, traces, directories }: Rooms): BenchHandlers {
  return {
    calls: {
      'lending.set': async ({ isEnabled }) => {
        await configFile.setLending(isEnabled);
        return null;
      },
      'capacity.set': async (resources) => {
        await configFile.setCapacity(resources);
        return null;
      },
      'run.stop': async ({ runId }) => {
        runs.stop(runId);
        return null;
      },
      'trace.read': async ({ runId, fromByte, maxBytes }) => {
        const { bytes, ...rest } = await traces.read(runId, fromByte, maxBytes);
        return { ...rest, base64: Buffer.from(bytes).toString('base64') };
      },
      'trace.watch': async ({ runId }) => {
        runs.watch(runId);
        return null;
      },
      'console.read': async ({ runId, fromByte, maxBytes }) => {
        const path = runPaths(directories, runId).consoleLog;
        const { bytes, ...rest } = await readConsole(deps, path, fromByte, maxBytes);
        return { ...rest, base64: Buffer.from(bytes).toString('base64') };
      },
    },
    streams: { 'bench.events': (onEvent) => store.subscribe(onEvent) },
  };
}
