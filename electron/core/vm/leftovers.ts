import type { RunId } from '../../contract/ids.ts';
import type { PlatformDeps } from '../platform/deps.ts';
import type { Directories } from '../platform/directories.ts';
import { readProcessRecord } from './process-record.ts';
import { adoptQemu } from './qemu-process.ts';
import { Qmp } from './qmp.ts';
import { RunDirectory, type RunPaths } from './run-directory.ts';
import { resolvesWithin, stopQemu } from './stop-ladder.ts';

/** A run that an earlier process left: its folder is there, and its machine has ended by now, in this way. */
export interface Leftover {
  runId: RunId;
  /** `gone`: no process of it was found. `survived`: not even SIGKILL ended it within 5 seconds. */
  end: 'gone' | 'quit' | 'killed' | 'survived';
}

type LeftoverDeps = Pick<PlatformDeps, 'clock' | 'files' | 'processes'>;

const answerLimitMs = 2_000;
const quitMs = 3_000;
const killLimitMs = 5_000;

/**
 * Ends the machines of earlier processes that nobody adopts. A process is killed only where its pid, its start time
 * and its command line all say that it is the run's QEMU. Folders are left for the caller to read and remove.
 * @param options `kept` are the runs to leave alone, because they are adopted.
 * @returns every other run that left a folder, in the order of their ids.
 */
export async function endLeftovers(
  deps: LeftoverDeps,
  directories: Directories,
  options: { kept?: ReadonlySet<RunId> } = {},
): Promise<Leftover[]> {
  const runIds = await RunDirectory.list(deps, directories);
  return Promise.all(
    runIds
      .filter((runId) => options.kept?.has(runId) !== true)
      .map((runId) => endLeftover(deps, RunDirectory.open(deps, directories, runId))),
  );
}

async function endLeftover(deps: LeftoverDeps, { runId, paths }: RunDirectory): Promise<Leftover> {
  const record = await readProcessRecord(deps, paths);
  const watching = new AbortController();
  if (record === undefined) return { runId, end: await quitUnrecorded(deps, paths) };
  const process = await adoptQemu(deps, paths, record, watching.signal);
  if (process === undefined) return { runId, end: 'gone' };
  const qmp = await connectOrUndefined(deps, paths.qmpSocket);
  let end: Leftover['end'] = 'killed';
  const stopped = stopQemu(deps, { process, qmp }, { powerOffGraceMs: 0, powerdownMs: 0, quitMs }, (step) => {
    end = step === 'quit' ? 'quit' : 'killed';
  });
  if (!(await resolvesWithin(deps, stopped, quitMs + killLimitMs))) end = 'survived';
  watching.abort();
  await qmp?.[Symbol.asyncDispose]();
  return { runId, end };
}

/**
 * An earlier process that ended between starting QEMU and writing down which it is left a paused machine. Nothing tells
 * its pid, so it is not killed; but what answers on the run's own socket, in a folder that is ours alone, may be asked.
 */
async function quitUnrecorded(deps: LeftoverDeps, paths: RunPaths): Promise<'gone' | 'quit' | 'survived'> {
  if ((await deps.files.exists(paths.processRecord)) || !(await deps.files.exists(paths.qmpSocket))) return 'gone';
  await using qmp = await connectOrUndefined(deps, paths.qmpSocket);
  if (qmp === undefined) return 'gone';
  qmp.execute('quit').catch(() => {});
  return (await resolvesWithin(deps, qmp.closed, quitMs)) ? 'quit' : 'survived';
}

/** A QEMU that hangs, or whose control socket is gone, is killed without being asked. */
async function connectOrUndefined(deps: LeftoverDeps, path: string): Promise<Qmp | undefined> {
  const giveUp = new AbortController();
  using _limit = deps.clock.after(answerLimitMs, () => giveUp.abort());
  return await Qmp.connect(deps, path, giveUp.signal).catch(() => undefined);
}
