import type { Clock } from '../platform/clock.ts';
import type { AcceptedJob } from './accepted-job.ts';
import { serverWaitMs } from './back-off.ts';
import { GitLabError, protocolError } from './gitlab-error.ts';
import { exchange, type HttpAnswer } from './http-exchange.ts';
import { parseJobPayload } from './job-payload.ts';
import { type RunnerInfo, wireInfo } from './runner-info.ts';
import type { Upstream } from './upstream.ts';

/** The long poll lasts 50 s on most instances; past this the answer is lost anyway (protocol document 1.4). */
const pollTimeoutMs = 180_000;
/** Payloads of large pipelines reach some MiB; GitLab has no limit of its own. */
const maxPayloadBytes = 64 * 1024 * 1024;

/** What `POST jobs/request` can mean (protocol document 1.3). Everything expected is a value, not an exception. */
export type JobRequestResult =
  | { kind: 'job'; job: AcceptedJob; isLongPoll: boolean }
  | { kind: 'nothing'; cursor: string | undefined; isLongPoll: boolean }
  | { kind: 'conflict' }
  | { kind: 'refused'; error: GitLabError }
  | { kind: 'failed'; error: GitLabError; waitMs: number | undefined };

export interface RunnerApiOptions {
  upstream: Upstream;
  runnerToken: string;
  systemId: string;
  userAgent: string;
}

/** The runner's own side of the API. The only place, besides the file it was read from, that knows the runner token. */
export class RunnerApi {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #options: RunnerApiOptions;

  constructor(deps: { clock: Pick<Clock, 'now'> }, options: RunnerApiOptions) {
    this.#clock = deps.clock;
    this.#options = options;
  }

  /**
   * Asks for a job. A job that comes is running from then on, for GitLab: write it down first.
   * @param cursor The last `X-GitLab-Last-Update`, or undefined to be answered at once.
   * @throws `signal.reason` when aborted; nothing else.
   */
  async requestJob(info: RunnerInfo, cursor: string | undefined, signal: AbortSignal): Promise<JobRequestResult> {
    const { upstream, runnerToken, systemId, userAgent } = this.#options;
    let answer: HttpAnswer;
    try {
      answer = await exchange(
        upstream,
        {
          method: 'POST',
          path: '/api/v4/jobs/request',
          headers: {
            'content-type': 'application/json',
            accept: 'application/json',
            'user-agent': userAgent,
            'runner-token': runnerToken,
          },
          body: JSON.stringify({
            token: runnerToken,
            system_id: systemId,
            ...(cursor === undefined ? {} : { last_update: cursor }),
            info: wireInfo(info),
          }),
          timeoutMs: pollTimeoutMs,
          maxBodyBytes: maxPayloadBytes,
        },
        signal,
      );
    } catch (error) {
      if (error instanceof GitLabError) return { kind: 'failed', error, waitMs: undefined };
      throw error;
    }
    return this.#read(answer);
  }

  #read(answer: HttpAnswer): JobRequestResult {
    const { origin } = this.#options.upstream;
    const isLongPoll = answer.header('gitlab-ci-builds-polling') === 'yes';
    const waitMs = serverWaitMs(answer.header, this.#clock.now());
    switch (answer.status) {
      case 201:
        return this.#readJob(answer, isLongPoll);
      case 204:
        return { kind: 'nothing', cursor: answer.header('x-gitlab-last-update'), isLongPoll };
      case 409:
        return { kind: 'conflict' };
      case 403:
        return { kind: 'refused', error: tokenRejected(origin) };
      default:
        return { kind: 'failed', error: statusError(origin, answer), waitMs };
    }
  }

  #readJob(answer: HttpAnswer, isLongPoll: boolean): JobRequestResult {
    const mediaType = (answer.header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
    if (mediaType !== 'application/json') {
      const error = protocolError(`a job came as ${mediaType || 'an unnamed type'} instead of application/json`);
      return { kind: 'failed', error, waitMs: undefined };
    }
    try {
      return { kind: 'job', job: parseJobPayload(answer.body, this.#clock.now()), isLongPoll };
    } catch (error) {
      if (error instanceof GitLabError) return { kind: 'failed', error, waitMs: undefined };
      throw error;
    }
  }
}

function tokenRejected(origin: string): GitLabError {
  return new GitLabError('gitlab/token-rejected', `${origin} does not know this runner token`, {
    remedy:
      'The runner was deleted or its token was reset. Create a runner in GitLab and put its token in the token file.',
    blame: 'gitlab',
  });
}

/** What a status that brings no job says to the owner. */
function statusError(origin: string, answer: HttpAnswer): GitLabError {
  const { status } = answer;
  if (status >= 300 && status < 400) {
    const target = answer.header('location') ?? 'elsewhere';
    return new GitLabError('gitlab/wrong-url', `${origin} sends us on to ${target.slice(0, 200)}`, {
      remedy: 'Put the address that your browser shows, scheme included, as url of the connection.',
      blame: 'gitlab',
    });
  }
  switch (status) {
    case 400:
    case 413:
      return new GitLabError('gitlab/bad-request', `${origin} refused our request (${status})`, {
        remedy: 'This is a fault in Forrest Bench or the GitLab is too old. Please report it with the log.',
      });
    case 404:
      return new GitLabError('gitlab/wrong-url', `${origin} has no runner API at this address (404)`, {
        remedy: 'Check the url of the connection; an installation below a path needs the path too.',
        blame: 'gitlab',
      });
    case 422:
      return new GitLabError('gitlab/runner-orphaned', `the runner has no owner at ${origin} any more (422)`, {
        remedy: 'Its project or group was deleted. Create a new runner in GitLab.',
        blame: 'gitlab',
      });
    case 429:
      return new GitLabError('gitlab/rate-limited', `${origin} asks us to slow down (429)`, {
        remedy: 'Nothing to do: polling goes on after the time it named. If it stays, use fewer runners.',
        blame: 'gitlab',
      });
    default:
      return new GitLabError('gitlab/server-error', `${origin} answers ${status}`, {
        remedy: 'Nothing to do here: polling goes on by itself. Whoever runs this GitLab may want to know.',
        blame: 'gitlab',
      });
  }
}
