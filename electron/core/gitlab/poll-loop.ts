import { toWireError } from '../../contract/errors.ts';
import type { EpochMs } from '../../contract/ids.ts';
import type { RunnerStatus } from '../../contract/state.ts';
import type { PlatformDeps } from '../platform/deps.ts';
import { aborted } from '../platform/signals.ts';
import type { AcceptedJob } from './accepted-job.ts';
import { freshMemory, nextPoll } from './poll-cadence.ts';
import type { RunnerApi } from './runner-api.ts';
import type { RunnerInfo } from './runner-info.ts';

/** Room for one run, held while a poll is under way that could bring a job: a job cannot be handed back. */
export interface Claim {
  /** True while other runners want the same room: then the poll must not be held by the server. */
  readonly isContended: boolean;
  release(): void;
}

export interface PollLoopOptions {
  api: RunnerApi;
  /** What the machine of this runner would announce; asked before each poll. */
  info: () => RunnerInfo;
  /** Resolves when there is room for one run; `onWait` is told why there is none. */
  claim: (onWait: (why: string) => void, signal: AbortSignal) => Promise<Claim>;
  /** Takes over the claim together with the job. */
  onJob: (job: AcceptedJob, claim: Claim) => void;
  onStatus: (status: RunnerStatus) => void;
  /** Called after every answer, also an empty one. */
  onAnswer: () => void;
}

/** A request younger than this may be bringing a job; ending it then could lose the job (protocol document 1.4). */
const youngMs = 5_000;

/**
 * Polls for one runner until `signal` aborts; one request at a time, each under a claim. Returns once no request is
 * under way: a young one is waited for, and a job it brings is still handed on.
 */
export async function pollForJobs(
  deps: Pick<PlatformDeps, 'clock' | 'random' | 'log'>,
  options: PollLoopOptions,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, log } = deps;
  let memory = freshMemory;
  while (!signal.aborted) {
    const claim = await unlessAborted(
      options.claim((why) => options.onStatus({ kind: 'idle', why }), signal),
      signal,
    );
    if (claim === undefined) return;
    let isHandedOn = false;
    try {
      if (signal.aborted) return;
      options.onStatus({ kind: 'polling', isLongPoll: memory.isLongPoll });
      const startedAtMs = clock.monotonicMs();
      using guard = abortOnceOld(clock, signal);
      const cursor = claim.isContended ? undefined : memory.cursor;
      const result = await unlessAborted(options.api.requestJob(options.info(), cursor, guard.signal), guard.signal);
      if (result === undefined) return;
      options.onAnswer();
      const next = nextPoll(memory, result, clock.monotonicMs() - startedAtMs, random);
      memory = next.memory;
      if (result.kind === 'job') {
        isHandedOn = true;
        options.onJob(result.job, claim);
        continue;
      }
      claim.release();
      isHandedOn = true;
      if (next.error !== null) {
        log.warn({ code: next.error.code, delayMs: next.delayMs }, 'poll failed');
        const error = toWireError(next.error);
        const until = (clock.now() + Math.round(next.delayMs)) as EpochMs;
        options.onStatus(next.isStopped ? { kind: 'stopped', error } : { kind: 'backing-off', until, error });
      }
      if (next.delayMs > 0) await unlessAborted(clock.sleep(next.delayMs, signal), signal);
    } finally {
      if (!isHandedOn) claim.release();
    }
  }
}

/** Follows `signal`, but not before the request that starts now is old enough to be dropped safely. */
function abortOnceOld(clock: PlatformDeps['clock'], signal: AbortSignal): Disposable & { signal: AbortSignal } {
  const controller = new AbortController();
  const startedAtMs = clock.monotonicMs();
  let timer: Disposable | undefined;
  let isDone = false;
  void aborted(signal).then(() => {
    if (isDone) return;
    const leftMs = Math.max(0, youngMs - (clock.monotonicMs() - startedAtMs));
    timer = clock.after(leftMs, () => controller.abort(signal.reason));
  });
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      isDone = true;
      timer?.[Symbol.dispose]();
    },
  };
}

/** An abort is not a failure: undefined then. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}
