import type { RunView } from '../../contract/state.ts';
import type { JobApi } from '../gitlab/job-api.ts';
import type { PlatformDeps } from '../platform/deps.ts';
import { type Conclusion, outcomeOf, reportFor } from './conclusion.ts';
import { JobError } from './job-error.ts';
import type { Ledger, LedgerRecord } from './ledger.ts';
import { reportEnd } from './report-end.ts';

const giveUpSlackMs = 15 * 60_000;

export interface AbandonedJobsOptions {
  ledger: Pick<Ledger, 'remove'>;
  /** For the instance and job of a record, also where the config does not name that instance any more. */
  apiFor: (record: LedgerRecord) => Pick<JobApi, 'update' | 'appendTrace'>;
  traceBytes: (record: LedgerRecord) => Promise<number>;
  onEnded: (run: Extract<RunView, { phase: 'finished' }>) => void;
}

/**
 * Ends at GitLab what an earlier process had accepted and not ended; its machines are gone. All at once, each tried
 * again until GitLab answers or has ended the job by itself (protocol document 8.2).
 */
export async function endAbandonedJobs(
  deps: Pick<PlatformDeps, 'clock' | 'random' | 'log'>,
  records: readonly LedgerRecord[],
  options: AbandonedJobsOptions,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(records.map((record) => endOne(record)));

  async function endOne(record: LedgerRecord): Promise<void> {
    const traceBytes = await options.traceBytes(record);
    const conclusion: Conclusion = { kind: 'failed', error: restarted() };
    const report = reportFor(conclusion, record);
    const giveUpAtMs = record.receivedAt + record.timeoutSeconds * 1000 + giveUpSlackMs;
    try {
      if (report !== null) {
        await reportEnd(deps, options.apiFor(record), { ...report, traceBytes, giveUpAtMs }, signal);
      }
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    options.ledger.remove(record.runId);
    options.onEnded({
      id: record.runId,
      runner: record.runner,
      machine: record.machine,
      image: record.image,
      job: record.job,
      timeline: [...record.timeline, { phase: 'finished', at: deps.clock.now() }],
      traceBytes,
      phase: 'finished',
      outcome: outcomeOf(conclusion, record),
    });
  }
}

function restarted(): JobError {
  return new JobError('jobs/bench-restarted', 'Forrest Bench was restarted while this job was running', {
    remedy: 'Retry the job. A job with retry: when: runner_system_failure is retried by GitLab itself.',
  });
}
