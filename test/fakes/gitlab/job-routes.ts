import { z } from 'zod';
import type { Clock } from '../../../electron/core/platform/clock.ts';
import { type Exchange, Refusal } from './exchange.ts';
import { knownFailureReasons } from './failure-reasons.ts';
import type { FakeJob, JobUpdateKind } from './fake-job.ts';
import type { JobQueue } from './job-queue.ts';
import { limits } from './limits.ts';
import type { Route } from './routes.ts';
import { isSameSecret } from './runners.ts';
import type { GitLabSettings } from './settings.ts';
import { appendTrace, rangeStart } from './trace-rules.ts';

export interface JobRouteDeps {
  clock: Clock;
  queue: JobQueue;
  settings: GitLabSettings;
}

const updateSchema = z.looseObject({
  token: z.string(),
  state: z.string().optional(),
  failure_reason: z.string().nullish(),
  exit_code: z.int().nullish(),
  checksum: z.string().nullish(),
  output: z.looseObject({ checksum: z.string().nullish(), bytesize: z.int().nullish() }).nullish(),
});

type JobUpdateRequest = z.infer<typeof updateSchema>;

/** `PUT jobs/:id` and `PATCH jobs/:id/trace`. */
export function jobRoutes(deps: JobRouteDeps): Route[] {
  return [
    {
      name: 'job-update',
      method: 'PUT',
      path: /^\/api\/v4\/jobs\/([1-9][0-9]{0,14})$/,
      handle: (exchange, [id]) => updateJob(deps, exchange, Number(id)),
    },
    {
      name: 'trace',
      method: 'PATCH',
      path: /^\/api\/v4\/jobs\/([1-9][0-9]{0,14})\/trace$/,
      handle: (exchange, [id]) => patchTrace(deps, exchange, Number(id)),
    },
  ];
}

/**
 * The job that a runner may act on. A wrong id looks like a wrong token, and a job that no longer executes is told apart
 * by `Job-Status`.
 * @throws Refusal 403.
 */
export function executingJob(
  queue: JobQueue,
  exchange: Exchange,
  id: number,
  token: string | undefined,
  about: { kind: JobUpdateKind; state?: string },
): FakeJob {
  const job = queue.byId(id);
  if (job === undefined || token === undefined || !isSameSecret(job.token, token)) {
    throw new Refusal(403, '403 Forbidden');
  }
  exchange.concerns(job, about.kind, about.state);
  if (job.isErased) throw new Refusal(403, '403 Forbidden - Job has been erased!');
  if (!job.isExecuting) {
    throw new Refusal(403, '403 Forbidden - Job is not processing on runner', { 'Job-Status': job.state });
  }
  return job;
}

async function updateJob(deps: JobRouteDeps, exchange: Exchange, id: number): Promise<void> {
  const update = await exchange.json(updateSchema, limits.jsonBodyBytes);
  const header = exchange.header('job-token');
  // GitLab lets the body win silently; two tokens that differ are a fault of whoever sent them.
  if (header !== undefined && header !== update.token) throw new Refusal(403, '403 Forbidden');
  const job = executingJob(deps.queue, exchange, id, update.token, {
    kind: 'put',
    ...(update.state === undefined ? {} : { state: update.state }),
  });
  const backOffSeconds = acceptInstead(deps, job, update);
  const status = backOffSeconds === null ? applyUpdate(job, update) : 202;
  await exchange.reply(status, {
    headers: {
      'Content-Type': 'text/plain',
      'Job-Status': job.state,
      ...(backOffSeconds === null ? {} : { 'X-GitLab-Trace-Update-Interval': String(backOffSeconds) }),
    },
    body: String(status),
  });
}

function applyUpdate(job: FakeJob, update: JobUpdateRequest): 200 | 400 {
  switch (update.state) {
    case 'running':
      job.touch();
      return 200;
    case 'success':
      job.finish('success', null, update.exit_code ?? null);
      return 200;
    case 'failed': {
      const reason = update.failure_reason ?? 'unknown_failure';
      job.finish('failed', knownFailureReasons.includes(reason) ? reason : 'unknown_failure', update.exit_code ?? null);
      return 200;
    }
    default:
      return 400;
  }
}

/** @returns seconds to wait where a final update is only noted (202), null where it is to be applied. */
function acceptInstead(deps: JobRouteDeps, job: FakeJob, update: JobUpdateRequest): number | null {
  const hasChecksum = Boolean(update.output?.checksum ?? update.checksum);
  if (!hasChecksum || update.state === 'running' || deps.settings.acceptedFinalUpdates === 0) return null;
  const accepted = job.accepted ?? { count: 0, since: deps.clock.now() };
  const isOverdue = deps.clock.now() - accepted.since >= limits.acceptanceMs;
  if (accepted.count >= deps.settings.acceptedFinalUpdates || isOverdue) return null;
  job.accepted = { ...accepted, count: accepted.count + 1 };
  return Math.min(64, 2 ** accepted.count);
}

async function patchTrace(deps: JobRouteDeps, exchange: Exchange, id: number): Promise<void> {
  const { settings, queue } = deps;
  const job = executingJob(queue, exchange, id, exchange.header('job-token'), { kind: 'patch' });
  const range = exchange.header('content-range');
  if (range === undefined) throw new Refusal(400, '400 Missing header Content-Range');
  // A missing type is read as JSON by newer servers, which a trace is not.
  if (!/^text\/plain\b/i.test(exchange.header('content-type') ?? '')) {
    throw new Refusal(400, '400 Bad request - the body is not JSON');
  }
  const fromByte = rangeStart(range);
  if (fromByte === undefined) throw new Refusal(400, '400 Bad request - Content-Range is invalid');
  const bytes = await exchange.body(limits.tracePatchBytes);
  // The body took its time; another request may have ended the job meanwhile.
  if (!job.isExecuting) {
    throw new Refusal(403, '403 Forbidden - Job is not processing on runner', { 'Job-Status': job.state });
  }
  if (exchange.query.get('debug_trace') === 'true') job.hasDebugTrace = true;
  const result = appendTrace(job, fromByte, bytes, settings.traceLimitMebibytes);
  switch (result.kind) {
    case 'too-large':
      throw new Refusal(403, '403 Forbidden');
    case 'wrong-offset':
      throw new Refusal(416, '416 Range Not Satisfiable', { Range: `0-${result.sizeBytes}` });
    case 'appended':
      job.touch();
      await exchange.reply(202, {
        headers: {
          'Content-Type': 'text/plain',
          'Job-Status': job.state,
          Range: `0-${result.sizeBytes}`,
          'X-GitLab-Trace-Update-Interval': String(settings.traceUpdateIntervalSeconds),
        },
        body: '',
      });
  }
}
