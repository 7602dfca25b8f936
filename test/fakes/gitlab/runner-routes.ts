import { z } from 'zod';
import type { Clock } from '../../../electron/core/platform/clock.ts';
import { type Exchange, Refusal } from './exchange.ts';
import { jobPayload } from './job-payload.ts';
import type { JobQueue } from './job-queue.ts';
import { limits } from './limits.ts';
import type { Route } from './routes.ts';
import type { FakeRunner, RunnerRegistry } from './runners.ts';
import type { GitLabSettings } from './settings.ts';

export interface RunnerRouteDeps {
  clock: Clock;
  runners: RunnerRegistry;
  queue: JobQueue;
  settings: GitLabSettings;
}

const text = z.string().nullish();

const infoSchema = z.looseObject({
  name: text,
  version: text,
  revision: text,
  platform: text,
  architecture: text,
  executor: text,
  features: z.record(z.string(), z.unknown()).nullish(),
});

const jobRequestSchema = z.looseObject({
  token: z.string(),
  system_id: z.string().max(limits.systemIdLength).optional(),
  last_update: z.string().nullish(),
  info: infoSchema.optional(),
});

const verifySchema = z.looseObject({ token: z.string() });

/** `POST jobs/request` and `POST runners/verify`. */
export function runnerRoutes(deps: RunnerRouteDeps): Route[] {
  return [
    {
      name: 'jobs-request',
      method: 'POST',
      path: /^\/api\/v4\/jobs\/request$/,
      handle: (exchange) => requestJob(deps, exchange),
    },
    {
      name: 'runners-verify',
      method: 'POST',
      path: /^\/api\/v4\/runners\/verify$/,
      handle: async (exchange) => {
        const { token } = await exchange.json(verifySchema, limits.jsonBodyBytes);
        const runner = knownRunner(deps, token);
        await exchange.replyJson(200, { id: runner.id, token, token_expires_at: null });
      },
    },
  ];
}

async function requestJob(deps: RunnerRouteDeps, exchange: Exchange): Promise<void> {
  const { settings, queue, clock } = deps;
  const isLongPolling = settings.longPollMs > 0;
  if (isLongPolling) exchange.response.setHeader('Gitlab-Ci-Builds-Polling', 'yes');
  const request = await exchange.json(jobRequestSchema, limits.jobRequestBodyBytes);
  const lastUpdate = request.last_update ?? '';
  if (isLongPolling && request.token !== '' && lastUpdate !== '') {
    const held = await hold(deps, request.token, lastUpdate, exchange.signal);
    if (held === 'held') {
      await exchange.reply(204);
      return;
    }
  }
  const runner = knownRunner(deps, request.token);
  if (runner.isOrphaned) throw new Refusal(422, '422 Runner is orphaned');
  const manager = runner.contact(request.system_id, request.info, clock.now());
  const { cursor } = runner;
  const job =
    runner.isPaused || lastUpdate === cursor ? undefined : queue.take(runner, manager, request.info?.features ?? {});
  if (job === undefined) {
    await exchange.reply(204, { headers: { 'X-GitLab-Last-Update': cursor } });
    return;
  }
  exchange.concerns(job, 'request');
  const { publicUrl, dependencyTokens } = settings;
  const body = jobPayload(job, { publicUrl, dependencyTokens, now: clock.now() });
  await exchange.reply(201, { headers: { 'Content-Type': 'application/json' }, body });
}

/**
 * Keeps a request whose cursor is up to date until the queue changes or the time is over. Either way the answer is a
 * 204 without a cursor, so that the next request, with its now outdated one, looks for jobs (protocol document 1.4).
 */
async function hold(
  deps: RunnerRouteDeps,
  token: string,
  lastUpdate: string,
  signal: AbortSignal,
): Promise<'held' | 'outdated'> {
  const runner = deps.runners.byToken(token);
  if (runner === undefined || runner.cursor !== lastUpdate) return 'outdated';
  await new Promise<void>((resolve, reject) => {
    const scope = new DisposableStack();
    const end = (how: () => void) => {
      scope.dispose();
      how();
    };
    const onAbort = () => end(() => reject(signal.reason));
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    signal.addEventListener('abort', onAbort);
    scope.defer(() => signal.removeEventListener('abort', onAbort));
    scope.use(runner.onTick(() => end(resolve)));
    scope.use(deps.clock.after(deps.settings.longPollMs, () => end(resolve)));
  });
  return 'held';
}

function knownRunner(deps: RunnerRouteDeps, token: string): FakeRunner {
  const runner = deps.runners.byToken(token);
  if (runner === undefined) throw new Refusal(403, '403 Forbidden');
  return runner;
}
