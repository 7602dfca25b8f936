import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Delta } from '../contract/deltas.ts';
import { toWireError, type WireError } from '../contract/errors.ts';
import type { BenchState } from '../contract/state.ts';
import type { BenchHandlers } from '../contract/transport.ts';
import { openConnections } from './bench-connections.ts';
import { benchHandlers } from './bench-handlers.ts';
import { HostTools, type ImageSource } from './bench-host.ts';
import { BenchPolls } from './bench-polls.ts';
import { BenchRuns } from './bench-runs.ts';
import { ConfigFile } from './config/config-file.ts';
import { JobApi } from './gitlab/job-api.ts';
import { loadSystemId } from './gitlab/system-id.ts';
import { ImageCatalogue } from './images/image-catalogue.ts';
import { endAbandonedJobs } from './jobs/end-abandoned-jobs.ts';
import { Ledger } from './jobs/ledger.ts';
import { decideLending } from './lending/decide-lending.ts';
import { systemClock } from './platform/clock.ts';
import type { PlatformDeps } from './platform/deps.ts';
import type { Directories } from './platform/directories.ts';
import { systemFiles } from './platform/files.ts';
import { readHostFacts } from './platform/host-facts.ts';
import type { Log } from './platform/log.ts';
import { systemProcesses } from './platform/processes.ts';
import { systemRandom } from './platform/random.ts';
import { nothing } from './scheduler/capacity.ts';
import { Reservations } from './scheduler/reservations.ts';
import { BenchStore } from './store/bench-store.ts';
import { History } from './store/history.ts';
import { TraceStore } from './trace/trace-store.ts';
import { endLeftovers } from './vm/leftovers.ts';

/** The whole core, running. Disposal stops it: running jobs are ended and GitLab is told. */
export interface Bench extends AsyncDisposable {
  readonly handlers: BenchHandlers;
  /** What every screen shows, as it is now. */
  readonly state: BenchState;
  onChange(listener: (state: BenchState) => void): Disposable;
  onDelta(listener: (delta: Delta) => void): Disposable;
  setLending(isEnabled: boolean): Promise<void>;
  /**
   * Takes no new jobs and resolves when running ones have ended.
   * @throws `signal.reason` when aborted before that; jobs are then taken again.
   */
  drain(signal?: AbortSignal): Promise<void>;
}

export interface BenchOptions {
  configPath: string;
  directories: Directories;
  version: string;
  /** The folder `vm-images`. */
  recipesDirectory: string;
  log: Log;
  /** Overrides the config's `qemu`. */
  qemuPath?: string;
  /** Overrides the config's `runner-binary` of every machine. */
  runnerBinaryPath?: string;
  /** Where images come from, instead of recipes that are built. */
  images?: ImageSource;
}

const lendingReviewMs = 15_000;
const ledgerObstacle = 'ledger';
/** Kept for looking at; older ones are removed at a start. */
const keptRunDirectories = 50;

/**
 * Opens everything that a bench is made of, from the lowest room up, and starts to poll. What can be mended while it
 * runs (no QEMU, no image, GitLab away) is shown as a problem; what cannot is thrown.
 * @throws ConfigError for a config that is missing or wrong; then nothing has been started.
 */
export async function openBench(options: BenchOptions): Promise<Bench> {
  await using opening = new AsyncDisposableStack();
  const { directories, log } = options;
  const deps: PlatformDeps = {
    clock: systemClock,
    files: systemFiles,
    processes: systemProcesses,
    random: systemRandom,
    log,
  };
  for (const path of new Set([directories.data, directories.state, directories.runs, directories.sockets])) {
    await deps.files.makeDirectory(path);
  }
  const host = await readHostFacts(directories.runs);
  const configFile = opening.use(
    await ConfigFile.open({ ...deps, host, homeDirectory: homedir() }, options.configPath),
  );
  const config = configFile.current;
  const systemId = await loadSystemId(deps, directories.state);
  const userAgent = `forrest-bench/${options.version} (${process.platform}/${process.arch})`;
  const connections = await openConnections(deps, config, { systemId, userAgent });
  opening.use(connections);

  const history = opening.use(new History({ log }, join(directories.data, 'history.db')));
  const ledgerPath = join(directories.state, 'ledger.db');
  {
    // SQLite would make it as the umask says; its journal takes the mode of the file. Closed again before SQLite locks
    // it, because closing any descriptor of a file drops the process's locks.
    await using _made = await deps.files.openForWriting(ledgerPath, 0o600);
  }
  const ledger = opening.use(new Ledger(ledgerPath));
  const traces = new TraceStore(deps, join(directories.data, 'traces'));
  const store = opening.use(
    new BenchStore(deps, {
      version: options.version,
      startedAt: deps.clock.now(),
      host: { accelerator: null, egress: null, qemuVersion: null },
      lending: { isEnabled: config.lending.isEnabled, isLending: false, reasons: ['The bench is starting.'] },
      capacity: {
        lent: config.capacity,
        reserved: nothing,
        host: { ...host, slotCount: Math.max(host.cpus, config.capacity.slotCount) },
      },
      runnersById: Object.fromEntries(connections.runners.map((runner) => [runner.view.id, runner.view])),
      runsById: {},
      history: history.latest(),
      problems: [],
    }),
  );
  const report = (id: string, error: WireError | undefined) =>
    store.apply(
      error === undefined
        ? { kind: 'problem-solved', id }
        : { kind: 'problem', problem: { ...error, id, since: deps.clock.now() } },
    );

  const obstacles = new Map<string, string>();
  let isDraining = false;
  let freeDiskBytes = await deps.files.freeBytes(directories.runs);
  const reservations = new Reservations({
    lent: config.capacity,
    refusals: () => store.state.lending.reasons,
    onChange: () =>
      store.apply({
        kind: 'capacity',
        capacity: { ...store.state.capacity, lent: reservations.lent, reserved: reservations.held },
      }),
  });
  const reviewLending = () => {
    const { lending, keepFree } = configFile.current;
    const lendingNow = decideLending({
      isEnabled: lending.isEnabled,
      isDraining,
      freeDiskBytes,
      keepFreeDiskBytes: keepFree.diskBytes,
      obstacles: [...obstacles.values()],
    });
    store.apply({ kind: 'lending', lending: lendingNow });
    reservations.review();
  };
  const setDraining = (value: boolean) => {
    isDraining = value;
    reviewLending();
  };
  const setObstacle = (id: string, error: WireError | undefined) => {
    if (error === undefined) obstacles.delete(id);
    else obstacles.set(id, error.message);
    report(id, error);
    reviewLending();
  };

  const { recipesDirectory } = options;
  const images = options.images ?? new ImageCatalogue(deps, { recipesDirectory, cacheDirectory: directories.cache });
  const tools = new HostTools(deps, {
    directories,
    images,
    qemuPath: options.qemuPath ?? config.qemuPath,
    runnerBinaryPath: options.runnerBinaryPath,
    onHost: (view) => store.apply({ kind: 'host', host: view }),
    onObstacle: setObstacle,
  });
  const runs = new BenchRuns(deps, {
    directories,
    images,
    traces,
    ledger,
    history,
    store,
    userAgent,
    onLedgerUnwritable: (error) => setObstacle(ledgerObstacle, error),
  });

  const background = new AbortController();
  const tasks: Promise<void>[] = [];
  const inBackground = (name: string, work: (signal: AbortSignal) => Promise<void>) =>
    tasks.push(
      work(background.signal).catch((error: unknown) => {
        if (background.signal.aborted) return;
        log.error({ error, task: name }, 'a task of the bench ended unexpectedly');
        report(`task:${name}`, toWireError(error));
      }),
    );

  opening.use(
    configFile.onChange((event) => {
      report('config', event.kind === 'broken' ? toWireError(event.error) : undefined);
      if (event.kind === 'broken') return;
      reservations.lent = event.config.capacity;
      report('config-restart', connections.changeNeedsRestart(event.config));
      reviewLending();
    }),
  );
  reviewLending();

  inBackground('recovery', async (signal) => {
    await endLeftovers(deps, directories);
    const { records, unreadableCount } = ledger.all();
    if (unreadableCount > 0) log.error({ unreadableCount }, 'ledger records cannot be read');
    await runs.removeOldDirectories(keptRunDirectories);
    await endAbandonedJobs(
      deps,
      records,
      {
        ledger,
        apiFor: (record) =>
          new JobApi(deps, {
            upstream: connections.upstreamFor(record.gitlabUrl),
            id: record.jobId,
            token: record.jobToken,
            userAgent,
          }),
        traceBytes: async (record) =>
          (await traces.list()).find((trace) => trace.runId === record.runId)?.sizeBytes ?? 0,
        onEnded: (run) => runs.addToHistory(run),
      },
      signal,
    );
  });
  inBackground('host', (signal) => tools.prepare(signal));
  inBackground('lending', async (signal) => {
    while (!signal.aborted) {
      await deps.clock.sleep(lendingReviewMs, signal);
      freeDiskBytes = await deps.files.freeBytes(directories.runs);
      if (obstacles.has(ledgerObstacle) && canWrite(ledger)) setObstacle(ledgerObstacle, undefined);
      else reviewLending();
    }
  });

  const polls = new BenchPolls(deps, {
    connections,
    tools,
    runs,
    reservations,
    store,
    onBroken: (runner, error) => {
      log.error({ error, runner: runner.view.id }, 'a poll loop ended unexpectedly');
      report(`poll:${runner.view.id}`, toWireError(error));
    },
  });
  polls.start();

  const opened = opening.move();
  return {
    handlers: benchHandlers({ deps, configFile, store, runs, traces, directories }),
    get state() {
      return store.state;
    },
    onChange: (listener) => store.onChange(listener),
    onDelta: (listener) =>
      store.subscribe((event) => {
        if (event.type === 'delta') listener(event.delta);
      }),
    setLending: (isEnabled) => configFile.setLending(isEnabled),
    async drain(signal) {
      setDraining(true);
      try {
        await polls.stop();
        await runs.allEnded(signal);
      } catch (error) {
        // The owner has thought better of it: jobs are taken again.
        setDraining(false);
        polls.start();
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      setDraining(true);
      await polls.stop();
      await runs.stopAll();
      background.abort();
      await Promise.allSettled(tasks);
      await opened.disposeAsync();
    },
  };
}

function canWrite(ledger: Ledger): boolean {
  try {
    ledger.check();
    return true;
  } catch {
    return false;
  }
}
