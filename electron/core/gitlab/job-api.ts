import type { JobId } from '../../contract/ids.ts';
import type { Clock } from '../platform/clock.ts';
import { serverWaitMs } from './back-off.ts';
import { GitLabError } from './gitlab-error.ts';
import { type Exchange, exchange, type HttpAnswer } from './http-exchange.ts';
import type { Upstream } from './upstream.ts';

const timeoutMs = 30_000;
const maxBodyBytes = 64 * 1024;

export type JobUpdate = { state: 'running' } | { state: 'failed'; failureReason: string } | { state: 'success' };

/** What GitLab says to something we sent about a job (protocol document 3.2 and 4.2). */
export type JobAnswer =
  | { kind: 'accepted'; isCanceling: boolean }
  /** The job does not run for GitLab any more: canceled, erased, timed out, or its token has expired. */
  | { kind: 'forbidden'; jobStatus: string | undefined }
  /** Try again: a rate limit, a server fault, a network fault, or a final state that is not yet applied (202). */
  | { kind: 'later'; waitMs: number | undefined; error: GitLabError | undefined }
  /** The trace has another size than we thought: send from `sizeBytes`. */
  | { kind: 'mismatch'; sizeBytes: number };

/** What the app itself says about a job it accepted, authenticated by the job token. */
export class JobApi {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #upstream: Upstream;
  readonly #id: JobId;
  readonly #token: string;
  readonly #userAgent: string;

  constructor(
    deps: { clock: Pick<Clock, 'now'> },
    options: { upstream: Upstream; id: JobId; token: string; userAgent: string },
  ) {
    this.#clock = deps.clock;
    this.#upstream = options.upstream;
    this.#id = options.id;
    this.#token = options.token;
    this.#userAgent = options.userAgent;
  }

  /** `PUT /jobs/:id`, without `output`: then GitLab answers a final state at once (protocol document 8.2). */
  update(update: JobUpdate, signal?: AbortSignal): Promise<JobAnswer> {
    const body = {
      token: this.#token,
      state: update.state,
      ...(update.state === 'failed' ? { failure_reason: update.failureReason } : {}),
    };
    const request = {
      method: 'PUT' as const,
      path: `/api/v4/jobs/${this.#id}`,
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    };
    return this.#send(request, update.state !== 'running', signal);
  }

  /**
   * `PATCH /jobs/:id/trace`
   * @param fromByte Offset of `bytes[0]` in the whole trace.
   */
  appendTrace(bytes: Uint8Array, fromByte: number, signal?: AbortSignal): Promise<JobAnswer> {
    const request = {
      method: 'PATCH' as const,
      path: `/api/v4/jobs/${this.#id}/trace`,
      body: bytes,
      headers: { 'content-type': 'text/plain', 'content-range': `${fromByte}-${fromByte + bytes.length - 1}` },
    };
    return this.#send(request, false, signal);
  }

  async #send(
    request: Pick<Exchange, 'method' | 'path' | 'body' | 'headers'>,
    isFinal: boolean,
    signal?: AbortSignal,
  ): Promise<JobAnswer> {
    const ours = { accept: 'application/json', 'job-token': this.#token, 'user-agent': this.#userAgent };
    const headers = { ...request.headers, ...ours };
    try {
      const answer = await exchange(this.#upstream, { ...request, headers, timeoutMs, maxBodyBytes }, signal);
      return this.#read(answer, isFinal);
    } catch (error) {
      if (error instanceof GitLabError) return { kind: 'later', waitMs: undefined, error };
      throw error;
    }
  }

  #read(answer: HttpAnswer, isFinal: boolean): JobAnswer {
    const jobStatus = answer.header('job-status');
    const isTaken = answer.status === 200 || (answer.status === 202 && answer.header('range') !== undefined);
    // The answer to a final state that was taken names that state; to anything else, `failed` means that it is over.
    const isOver = (jobStatus === 'canceled' || jobStatus === 'failed') && !(isTaken && isFinal);
    if (answer.status === 403 || answer.status === 404 || isOver) return { kind: 'forbidden', jobStatus };
    if (isTaken) return { kind: 'accepted', isCanceling: jobStatus === 'canceling' };
    if (answer.status === 416) return { kind: 'mismatch', sizeBytes: storedSize(answer.header('range')) };
    if (answer.status === 202) {
      const seconds = Number(answer.header('x-gitlab-trace-update-interval'));
      return { kind: 'later', waitMs: seconds > 0 ? Math.min(seconds, 900) * 1000 : undefined, error: undefined };
    }
    return {
      kind: 'later',
      waitMs: serverWaitMs(answer.header, this.#clock.now()),
      error: new GitLabError('gitlab/server-error', `${this.#upstream.origin} answers ${answer.status}`, {
        remedy: 'Nothing to do here: it is tried again.',
        blame: 'gitlab',
      }),
    };
  }
}

/** `Range: 0-N` of an answer: N is the stored size in bytes, although it looks like an inclusive end. */
function storedSize(range: string | undefined): number {
  const parts = (range ?? '').split('-');
  return parts.length === 2 && /^\d{1,15}$/.test(parts[1] ?? '') ? Number(parts[1]) : 0;
}
