import { backOffMs } from '../gitlab/back-off.ts';
import type { JobApi } from '../gitlab/job-api.ts';
import type { PlatformDeps } from '../platform/deps.ts';

const periodMs = 15_000;
const jitterMs = 2_000;

/** What a keep-alive can learn: the job was canceled gracefully, or does not run for GitLab any more. */
export type KeepAliveNews = { kind: 'canceling' } | { kind: 'forbidden'; jobStatus: string | undefined };

/**
 * Tells GitLab each 15 s that the job is alive, and watches for its cancelation, until `signal` aborts or there is
 * news (protocol document 4.4). Faults of network and server are waited out: the machine goes on booting.
 * @returns undefined when aborted.
 */
export async function keepAlive(
  deps: Pick<PlatformDeps, 'clock' | 'random' | 'log'>,
  api: Pick<JobApi, 'update'>,
  signal: AbortSignal,
): Promise<KeepAliveNews | undefined> {
  let failureCount = 0;
  try {
    while (!signal.aborted) {
      const answer = await api.update({ state: 'running' }, signal);
      let waitMs = periodMs + jitterMs * (2 * deps.random.fraction() - 1);
      switch (answer.kind) {
        case 'accepted':
          if (answer.isCanceling) return { kind: 'canceling' };
          failureCount = 0;
          break;
        case 'forbidden':
          return answer;
        case 'later':
          failureCount += 1;
          waitMs = answer.waitMs ?? Math.min(waitMs, backOffMs(failureCount, deps.random));
          deps.log.warn({ code: answer.error?.code, waitMs }, 'keep-alive was not taken');
          break;
        case 'mismatch':
          break;
      }
      await deps.clock.sleep(waitMs, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return undefined;
}
