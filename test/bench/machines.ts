import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { RunPhase, RunView } from '../../electron/contract/state.ts';
import { openBench } from '../../electron/core/bench.ts';
import { directoriesBelow, systemDirectories } from '../../electron/core/platform/directories.ts';
import { createLog } from '../../electron/core/platform/log.ts';
import { FakeGitLab } from '../fakes/gitlab/fake-gitlab.ts';
import type { Row } from './row.ts';

/** The phases between which time is measured, in milliseconds. */
export interface MachineTimes {
  image: string;
  /** 201 to QEMU started: ledger, run directory, overlay, doors, QEMU's own start. */
  acceptedToStartedMs: number[];
  /** QEMU started to the runner's first request for a job. */
  startedToRequestMs: number[];
  /** The runner's request to its final state taken: a job that does nothing. */
  requestToEndMs: number[];
}

/** Runs `runCount` jobs that do nothing, one after the other, each in a machine of its own. */
export async function measureMachines(image: string, runCount: number): Promise<MachineTimes> {
  await using scope = new AsyncDisposableStack();
  const root = await mkdtemp(join(tmpdir(), 'fb-bench-'));
  scope.defer(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));
  await mkdir(join(root, 'gitlab'));
  const gitlab = scope.use(await FakeGitLab.start({ directory: join(root, 'gitlab'), longPollMs: 20_000 }));
  const runner = gitlab.addRunner();
  await writeFile(join(root, 'token'), runner.token, { mode: 0o600 });
  const configPath = join(root, 'config.yaml');
  await writeFile(
    configPath,
    `capacity: { here: { cpus: 1, memory: 1G, disk: 10G, runs: 1 }, keep-free: { memory: 1M, disk: 1M } }
machines: { bench: { image: ${image}, executor: shell, cpus: 1, memory: 512M, disk: 6G } }
connections: [{ name: bench, url: "${gitlab.url}", runners: [{ name: bench, token-file: token, machine: bench }] }]
`,
  );
  const bench = scope.use(
    await openBench({
      configPath,
      directories: { ...directoriesBelow(root), cache: systemDirectories(process.env).cache },
      version: 'bench',
      recipesDirectory: resolve('vm-images'),
      log: createLog({ level: 'silent' }),
    }),
  );
  for (let index = 0; index < runCount; index += 1) {
    const ended = Promise.withResolvers<void>();
    using _history = bench.onChange((state) => {
      if (state.history.length > index) ended.resolve();
    });
    gitlab.enqueue({ variables: { GIT_STRATEGY: 'none' }, script: ['true'] });
    await ended.promise;
  }
  const runs = bench.state.history;
  const failed = runs.find((run) => run.phase !== 'finished' || run.outcome.state !== 'success');
  if (failed !== undefined) throw new Error(`a job of the benchmark failed: ${JSON.stringify(failed)}`);
  const between = (from: RunPhase, to: RunPhase) => runs.map((run) => at(run, to) - at(run, from));
  return {
    image,
    acceptedToStartedMs: between('accepted', 'booting'),
    startedToRequestMs: between('booting', 'ready'),
    requestToEndMs: between('ready', 'finishing'),
  };
}

/** Both images in one run, and their ratio. */
export async function benchMachines(runCount: number): Promise<Row[]> {
  const smoke = await measureMachines('smoke', runCount);
  const debian = await measureMachines('debian-12', runCount);
  const rows = [smoke, debian].flatMap(({ image, ...times }): Row[] => [
    { what: `${image}: accepted job to QEMU started`, ...medianOf(times.acceptedToStartedMs) },
    { what: `${image}: QEMU started to first request`, ...medianOf(times.startedToRequestMs) },
    { what: `${image}: first request to the end of an empty job`, ...medianOf(times.requestToEndMs) },
  ]);
  const ratio = median(debian.startedToRequestMs) / median(smoke.startedToRequestMs);
  return [
    ...rows,
    { what: 'debian-12 to smoke, QEMU started to first request', value: ratio, unit: 'times', note: 'budget 1.6' },
  ];
}

function at(run: RunView, phase: RunPhase): number {
  const mark = run.timeline.find((candidate) => candidate.phase === phase);
  if (mark === undefined) throw new Error(`run ${run.id} has no phase ${phase}`);
  return mark.at;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function medianOf(values: readonly number[]): Omit<Row, 'what'> {
  const note = `median of ${values.length}, ${Math.min(...values)} to ${Math.max(...values)}`;
  return { value: median(values), unit: 'ms', note };
}
