import { isDeepStrictEqual } from 'node:util';
import type { WireError } from '../contract/errors.ts';
import type { RunnerStatus, RunnerView } from '../contract/state.ts';
import type { BenchConfig, ConnectionConfig, MachineConfig, RunnerConfig } from './config/bench-config.ts';
import { ConfigError } from './config/config-error.ts';
import { readToken } from './config/token-file.ts';
import { connectUpstream } from './gitlab/connect-upstream.ts';
import { RunnerApi } from './gitlab/runner-api.ts';
import { shortToken } from './gitlab/short-token.ts';
import type { Upstream } from './gitlab/upstream.ts';
import type { PlatformDeps } from './platform/deps.ts';
import type { BenchStore } from './store/bench-store.ts';

/** A configured runner with everything its polls and runs need. */
export interface BenchRunner {
  config: RunnerConfig;
  connection: ConnectionConfig;
  machine: MachineConfig;
  upstream: Upstream;
  /** The instance's own CA, or null. */
  caPem: string | null;
  api: RunnerApi;
  shortToken: string;
  view: RunnerView;
}

/** All connections of the config, open, with their runners. */
export interface Connections extends AsyncDisposable {
  runners: readonly BenchRunner[];
  /** For an instance by its url, also one that the config does not name any more. */
  upstreamFor(gitlabUrl: string): Upstream;
  statusShower(runner: BenchRunner, store: BenchStore): (status: RunnerStatus) => void;
  markAnswer(runner: BenchRunner, store: BenchStore): void;
  /** What the owner is told when the config changed in a way that only a restart puts into force. */
  changeNeedsRestart(config: BenchConfig): WireError | undefined;
}

/** @throws ConfigError for a token or CA file that cannot be used; nothing is then left open. */
export async function openConnections(
  deps: PlatformDeps,
  config: BenchConfig,
  identity: { systemId: string; userAgent: string },
): Promise<Connections> {
  await using opening = new AsyncDisposableStack();
  const upstreams = new Map<string, Upstream>();
  const runners: BenchRunner[] = [];
  for (const connection of config.connections) {
    const caPem = connection.caFile === null ? null : await readCa(deps, connection.name, connection.caFile);
    const upstream = opening.use(connectUpstream(connection.url, caPem));
    upstreams.set(connection.url, upstream);
    for (const runner of connection.runners) {
      const machine = config.machinesByName[runner.machine];
      if (machine === undefined) throw new Error(`the config names no machine ${runner.machine}`);
      const runnerToken = await readToken(deps, runner);
      runners.push({
        config: runner,
        connection,
        machine,
        upstream,
        caPem,
        api: new RunnerApi(deps, { upstream, runnerToken, ...identity }),
        shortToken: shortToken(runnerToken),
        view: {
          id: runner.id,
          connection: connection.name,
          name: runner.name,
          gitlabUrl: connection.url,
          machine: runner.machine,
          status: { kind: 'idle', why: 'The bench is starting.' },
          lastAnswerAt: null,
        },
      });
    }
  }
  const opened = opening.move();
  const show = (store: BenchStore, runner: BenchRunner, more: Partial<RunnerView>) => {
    const known = store.state.runnersById[runner.view.id] ?? runner.view;
    const next = { ...known, ...more };
    if (!isDeepStrictEqual(known, next)) store.apply({ kind: 'runner', runner: next });
  };
  return {
    runners,
    upstreamFor(gitlabUrl) {
      const known = upstreams.get(gitlabUrl);
      if (known !== undefined) return known;
      const made = opened.use(connectUpstream(gitlabUrl, null));
      upstreams.set(gitlabUrl, made);
      return made;
    },
    statusShower: (runner, store) => (status) => show(store, runner, { status }),
    markAnswer: (runner, store) => show(store, runner, { lastAnswerAt: deps.clock.now() }),
    changeNeedsRestart(changed) {
      const relevant = ({ machinesByName, connections, qemuPath }: BenchConfig) => [
        machinesByName,
        connections,
        qemuPath,
      ];
      if (isDeepStrictEqual(relevant(changed), relevant(config))) return undefined;
      return {
        code: 'config/restart-needed',
        message: 'The config file has new connections, machines or QEMU settings',
        remedy: 'Restart Forrest Bench to use them. Until then the earlier ones stay in force.',
      };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function readCa(deps: Pick<PlatformDeps, 'files'>, connection: string, path: string): Promise<string> {
  try {
    const text = await deps.files.readText(path);
    if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  } catch (cause) {
    throw unreadableCa(connection, path, 'cannot be read', cause);
  }
  throw unreadableCa(connection, path, 'holds no certificate in PEM form');
}

function unreadableCa(connection: string, path: string, what: string, cause?: unknown): ConfigError {
  return new ConfigError('config/unreadable', `The ca-file of connection ${connection} ${what}: ${path}`, {
    remedy: 'Name the file with the CA certificate of your GitLab, as text that begins with BEGIN CERTIFICATE.',
    cause,
  });
}
