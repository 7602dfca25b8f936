import type { Delta } from '../../contract/deltas.ts';
import type { BenchState } from '../../contract/state.ts';
import type { BenchHandlers } from '../../contract/transport.ts';
import type { PlatformDeps } from '../../core/platform/deps.ts';
import type { Directories } from '../../core/platform/directories.ts';
import { accessTokenOf } from '../access-token.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { serveHeadless } from '../http-server.ts';
import { RunLines } from '../run-lines.ts';
import type { Shell } from '../shell.ts';
import { SingleInstance } from '../single-instance.ts';
import type { StopSignals } from '../stop-signals.ts';

/** What this command needs of the core. */
export interface RunningBench extends AsyncDisposable {
  readonly handlers: BenchHandlers;
  readonly state: BenchState;
  onDelta(listener: (delta: Delta) => void): Disposable;
  drain(signal?: AbortSignal): Promise<void>;
}

export interface RunCommandOptions {
  directories: Directories;
  rendererDirectory: string;
  port: number;
  shell: Shell;
  signals: StopSignals;
  openBench(): Promise<RunningBench>;
}

/**
 * Runs a bench until it is told to stop, then drains it.
 * @returns `ok` after a whole drain, `interrupted` or `terminated` after a second signal.
 * @throws HeadlessError, ConfigError and what else keeps a bench from opening; nothing is left running then.
 */
export async function runCommand(deps: PlatformDeps, options: RunCommandOptions): Promise<ExitCode> {
  const { shell, signals, directories } = options;
  await using instance = await SingleInstance.take(deps, directories);
  await using bench = await options.openBench();
  const runLines = new RunLines(shell, deps.log, deps.clock.now);
  const { lending, host, runnersById, problems } = bench.state;
  runLines.tell({ kind: 'lending', lending });
  runLines.tell({ kind: 'host', host });
  for (const runner of Object.values(runnersById)) runLines.tell({ kind: 'runner', runner });
  for (const problem of problems) runLines.tell({ kind: 'problem', problem });
  using _events = bench.onDelta((delta) => runLines.tell(delta));

  await using server = await serveHeadless(deps, {
    handlers: bench.handlers,
    rendererDirectory: options.rendererDirectory,
    accessToken: await accessTokenOf(deps, directories),
    host: '127.0.0.1',
    port: options.port,
  });
  instance.announce(server.url);
  if (shell.isTerminal) shell.out(`The interface is at ${server.url}`);
  // A log is read by more people than a terminal, so the token stays out of it.
  else deps.log.info({ port: server.port, getAddressWith: 'forrest-bench address' }, 'interface is served');

  await signals.next();
  const runCount = Object.keys(bench.state.runsById).length;
  if (shell.isTerminal) {
    const rest = runCount === 0 ? '' : ` ${runCount === 1 ? 'One run goes' : `${runCount} runs go`} on.`;
    shell.out(`Draining: no new jobs are taken.${rest} Interrupt again to stop now.`);
  } else {
    deps.log.info({ runCount }, 'draining');
  }
  const hurry = new AbortController();
  const drained = bench.drain(hurry.signal).then(() => undefined);
  const second = await Promise.race([drained, signals.next()]);
  if (second === undefined) {
    if (shell.isTerminal) shell.out('Drained.');
    else deps.log.info({}, 'drained');
    return exitCodes.ok;
  }
  if (shell.isTerminal) shell.out('Stopping now: running jobs are ended and GitLab is told.');
  else deps.log.warn({ signal: second }, 'stopping before the drain has ended');
  hurry.abort();
  // It rejects with the abort, which is what we wanted of it.
  await Promise.allSettled([drained]);
  return second === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated;
}
