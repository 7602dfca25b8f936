import type { Random } from '../platform/random.ts';
import { backOffMs } from './back-off.ts';
import type { GitLabError } from './gitlab-error.ts';
import type { JobRequestResult } from './runner-api.ts';

/** What a poll loop remembers between two polls. */
export interface PollMemory {
  cursor: string | undefined;
  /** Failures in a row, for the back-off. */
  failureCount: number;
  /** 403 in a row; the third stops the runner (protocol document 1.3). */
  refusalCount: number;
  /** True once an answer carried `Gitlab-Ci-Builds-Polling`. */
  isLongPoll: boolean;
}

export const freshMemory: PollMemory = { cursor: undefined, failureCount: 0, refusalCount: 0, isLongPoll: false };

export interface NextPoll {
  memory: PollMemory;
  delayMs: number;
  /** Shown while waiting; null when all is well. */
  error: GitLabError | null;
  /** The runner is not polled any more but for a look every `delayMs`. */
  isStopped: boolean;
}

const checkIntervalMs = 3_000;
/** A 204 that took longer was held by the server, so it is asked again at once. */
const heldMs = 2_000;
const stoppedRecheckMs = 5 * 60_000;
const notFoundRecheckMs = 60_000;
const refusalsBeforeStop = 3;

/**
 * When to poll next and what to remember, after an answer (protocol document 1.3 and 1.6).
 * @param tookMs How long the request took.
 */
export function nextPoll(
  before: PollMemory,
  result: JobRequestResult,
  tookMs: number,
  random: Pick<Random, 'fraction'>,
): NextPoll {
  switch (result.kind) {
    case 'job':
      return well({ ...before, isLongPoll: before.isLongPoll || result.isLongPoll }, 0);
    case 'nothing': {
      const memory = {
        ...before,
        // The 204 at the end of a hold has none; the old one stays good.
        cursor: result.cursor ?? before.cursor,
        isLongPoll: before.isLongPoll || result.isLongPoll,
      };
      return well(memory, tookMs >= heldMs ? 0 : checkIntervalMs * (0.8 + 0.4 * random.fraction()));
    }
    case 'conflict':
      return well(before, 1_000 + 2_000 * random.fraction());
    case 'refused': {
      const refusalCount = before.refusalCount + 1;
      const isStopped = refusalCount >= refusalsBeforeStop;
      const memory = { ...before, refusalCount, failureCount: before.failureCount + 1 };
      return { memory, delayMs: isStopped ? stoppedRecheckMs : checkIntervalMs, error: result.error, isStopped };
    }
    case 'failed': {
      const memory = { ...before, failureCount: before.failureCount + 1, refusalCount: 0 };
      return { memory, error: result.error, ...failureDelay(result.error, result.waitMs, memory.failureCount, random) };
    }
  }
}

function well(memory: PollMemory, delayMs: number): NextPoll {
  return { memory: { ...memory, failureCount: 0, refusalCount: 0 }, delayMs, error: null, isStopped: false };
}

function failureDelay(
  error: GitLabError,
  waitMs: number | undefined,
  failureCount: number,
  random: Pick<Random, 'fraction'>,
): { delayMs: number; isStopped: boolean } {
  switch (error.code) {
    case 'gitlab/runner-orphaned':
    case 'gitlab/bad-request':
      return { delayMs: stoppedRecheckMs, isStopped: true };
    case 'gitlab/wrong-url':
      return { delayMs: notFoundRecheckMs, isStopped: failureCount >= 3 };
    case 'gitlab/unreachable':
    case 'gitlab/certificate':
    case 'gitlab/token-rejected':
    case 'gitlab/rate-limited':
    case 'gitlab/server-error':
    case 'gitlab/protocol':
      return { delayMs: waitMs ?? backOffMs(failureCount, random), isStopped: false };
  }
}
