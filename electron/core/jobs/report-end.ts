import { backOffMs } from '../gitlab/back-off.ts';
import type { JobApi } from '../gitlab/job-api.ts';
import type { PlatformDeps } from '../platform/deps.ts';

export interface EndReport {
  /** GitLab's failure reason. */
  failureReason: string;
  /** One line for the trace, or null where nothing is to be added. */
  message: string | null;
  /** Where our trace ends, in bytes; GitLab corrects it. */
  traceBytes: number;
  /** After this instant the record is given up: GitLab has ended the job itself by then. */
  giveUpAtMs: number;
}

export type EndResult = 'reported' | 'ended-already' | 'given-up';

/**
 * Ends a job at GitLab that no runner will end: a line in the trace, then `failed` (protocol document 8.2).
 * Tries until GitLab answers, `giveUpAtMs` passes, or `signal` aborts (which throws its reason).
 */
export async function reportEnd(
  deps: Pick<PlatformDeps, 'clock' | 'random' | 'log'>,
  api: Pick<JobApi, 'update' | 'appendTrace'>,
  report: EndReport,
  signal: AbortSignal,
): Promise<EndResult> {
  if (report.message !== null) await appendLine(api, report.message, report.traceBytes, signal);
  for (let failureCount = 1; ; failureCount += 1) {
    const answer = await api.update({ state: 'failed', failureReason: report.failureReason }, signal);
    if (answer.kind === 'accepted') return 'reported';
    if (answer.kind === 'forbidden') return 'ended-already';
    const waitMs = (answer.kind === 'later' ? answer.waitMs : undefined) ?? backOffMs(failureCount, deps.random);
    if (deps.clock.now() + waitMs > report.giveUpAtMs) return 'given-up';
    deps.log.warn({ waitMs }, 'the end of a job was not taken, trying again');
    await deps.clock.sleep(waitMs, signal);
  }
}

/** Once at the offset we know, once more where GitLab says the trace ends. The state matters more than the line. */
async function appendLine(
  api: Pick<JobApi, 'appendTrace'>,
  message: string,
  traceBytes: number,
  signal: AbortSignal,
): Promise<void> {
  // Starts a line of its own, whatever the job printed last; red, as the runner prints its own errors.
  const bytes = new TextEncoder().encode(`\n\x1b[31;1mERROR: ${message}\x1b[0;m\n`);
  const answer = await api.appendTrace(bytes, traceBytes, signal);
  if (answer.kind === 'mismatch') await api.appendTrace(bytes, answer.sizeBytes, signal);
}
