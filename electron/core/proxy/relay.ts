import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Upstream } from '../gitlab/upstream.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { type Admission, admitArtifact, admitPatch, admitUpdate } from './admission.ts';
import type { Verdict } from './answer-verdict.ts';
import { transferArtifact } from './artifact-transfer.ts';
import type { Credentials } from './credentials.ts';
import { first, machineHeaders, upstreamHeaders } from './headers.ts';
import type { JobWatch } from './job-watch.ts';
import type { ListenerLimits } from './limits.ts';
import { type LocalAnswer, problem, sendLocal } from './local-answer.ts';
import { type ArtifactRoute, type JobUpdateRoute, type RelayRoute, type TraceRoute, upstreamTarget } from './routes.ts';
import type { JobUpdateBody } from './runner-requests.ts';
import type { TraceTap } from './trace-tap.ts';
import type { UpdateInterval } from './update-interval.ts';
import { failureStatus, type UpstreamCall } from './upstream-call.ts';
import { exchangeWhole, type WholeAnswer } from './whole-exchange.ts';

/** Whether and how the owner wants the job to end (protocol document 3.5.4). */
export type StopMode = 'none' | 'graceful' | 'immediate';

export interface RelayOptions {
  upstream: Upstream;
  credentials: Credentials;
  limits: ListenerLimits;
  watch: JobWatch;
  tap: TraceTap;
  interval: UpdateInterval;
  downloads: 'direct' | 'via-gitlab';
  /** A request was authorised, before it is sent on. */
  onAuthorised: () => void;
  /** A request was answered here. */
  onRefused: (route: string, status: number, why: string) => void;
}

/** One request of a machine and its answer. */
interface Turn<R extends RelayRoute> {
  route: R;
  request: IncomingMessage;
  response: ServerResponse;
}

/**
 * Carries a runner's requests about its job to GitLab and the answers back. It holds job tokens and no other; each
 * request is authorised by listener, credential and job id together.
 */
export class Relay {
  readonly #deps: { clock: Clock; log: Log; limits: ListenerLimits; calls: Set<UpstreamCall> };
  readonly #options: RelayOptions;
  #stop: StopMode = 'none';
  #lastPatch: Promise<unknown> = Promise.resolve();

  constructor(deps: { clock: Clock; log: Log }, options: RelayOptions) {
    this.#deps = { clock: deps.clock, log: deps.log, limits: options.limits, calls: new Set() };
    this.#options = options;
  }

  /** From the next status update or trace patch on. An immediate stop stays one. */
  stop(mode: 'graceful' | 'immediate'): void {
    if (this.#stop !== 'immediate') this.#stop = mode;
  }

  /** Ends every request that is under way. */
  abort(): void {
    for (const call of [...this.#deps.calls]) call.abort(new Error('the listener was closed'));
  }

  /** Resolves when the request is answered, as far as it can be. Only its target has been looked at so far. */
  async serve(route: RelayRoute, request: IncomingMessage, response: ServerResponse): Promise<void> {
    switch (route.name) {
      case 'job-update':
        return this.#update({ route, request, response });
      case 'trace':
        return this.#appendTrace({ route, request, response });
      case 'artifact-upload':
      case 'artifact-download':
        return this.#transfer({ route, request, response });
    }
  }

  async #update(turn: Turn<JobUpdateRoute>): Promise<void> {
    const admission = await admitUpdate(this.#admission, turn.route, turn.request, turn.response);
    if (!this.#isAdmitted(turn, admission, canceled)) return;
    const { body, token, update } = admission;
    const answer = await this.#exchange('PUT', turn, body, token);
    this.#answerJob(turn, answer, update, body.length);
  }

  async #appendTrace(turn: Turn<TraceRoute>): Promise<void> {
    const admission = await admitPatch(this.#admission, turn.route, turn.request, turn.response);
    if (!this.#isAdmitted(turn, admission, canceled)) return;
    const { body, token, fromByte } = admission;
    const answer = await this.#inTurn(async () => {
      const answered = await this.#exchange('PATCH', turn, body, token);
      // Before the runner hears of it: once it goes on, nobody sends these bytes again.
      await this.#options.tap.sawAnswer(fromByte, body, answered);
      return answered;
    });
    this.#answerJob(turn, answer, undefined, body.length);
  }

  async #transfer(turn: Turn<ArtifactRoute>): Promise<void> {
    const { route, request, response } = turn;
    const admission = admitArtifact(this.#admission, route, request);
    if (!this.#isAdmitted(turn, admission, problem(403, 'The job was stopped.'))) return;
    const { downloads, interval, upstream, watch } = this.#options;
    const isUpload = route.name === 'artifact-upload';
    const isStripped = !isUpload && downloads === 'via-gitlab';
    const transfer = {
      method: isUpload ? ('POST' as const) : ('GET' as const),
      target: upstreamTarget(isStripped ? { ...route, query: [] } : route),
      headers: upstreamHeaders(route, request.headers, admission.token),
    };
    const onAnswer = (status: number) => {
      if (status === 429) interval.sawRateLimit();
      watch.sawAnswer(status);
    };
    const result = await transferArtifact({ ...this.#deps, onAnswer }, upstream, transfer, request, response);
    const { end, requestBytes, responseBytes } = result;
    const fields = { method: request.method, route: route.name, jobId: route.jobId, requestBytes, responseBytes };
    if (end.kind === 'relayed') this.#deps.log.info({ ...fields, status: end.status }, 'artifact relayed');
    else if (end.kind === 'broken') this.#deps.log.warn({ ...fields, why: end.why }, 'artifact broke off');
    else this.#options.onRefused(route.name, end.status, end.why);
  }

  get #admission() {
    return { clock: this.#deps.clock, limits: this.#deps.limits, credentials: this.#options.credentials };
  }

  /** Answers what is not to go on. */
  #isAdmitted<What>(
    turn: Turn<RelayRoute>,
    admission: Admission<What>,
    whenStopped: LocalAnswer,
  ): admission is Extract<Admission<What>, { kind: 'admitted' }> {
    if (admission.kind === 'gone') return false;
    if (admission.kind === 'refused') {
      this.#refuse(turn, admission.answer, admission.why);
      return false;
    }
    if (this.#stop === 'immediate') {
      this.#refuse(turn, whenStopped, 'stopped by the owner');
      return false;
    }
    this.#options.onAuthorised();
    return true;
  }

  #exchange(
    method: 'PUT' | 'PATCH',
    { route, request }: Turn<RelayRoute>,
    body: Buffer,
    token: string,
  ): Promise<WholeAnswer> {
    const headers = upstreamHeaders(route, request.headers, token);
    const whole = { method, target: upstreamTarget(route), headers, body };
    return exchangeWhole(this.#deps, this.#options.upstream, whole, this.#deps.limits);
  }

  #answerJob(
    turn: Turn<JobUpdateRoute | TraceRoute>,
    answer: WholeAnswer,
    update: JobUpdateBody | undefined,
    requestBytes: number,
  ): void {
    const { interval, watch } = this.#options;
    const { request, response, route } = turn;
    if (answer.kind === 'unanswered') {
      const status = failureStatus(answer.error);
      this.#refuse(turn, problem(status, 'GitLab cannot be reached.', { 'Retry-After': '3' }), answer.error.message);
      return;
    }
    const { status, headers, body } = answer;
    if (status === 429) interval.sawRateLimit();
    if (status >= 300 && status < 400) {
      const local = problem(502, 'GitLab redirects the runner API. Configure its canonical URL.');
      this.#refuse(turn, local, `redirect ${status}`);
      return;
    }
    const isFirst = !watch.isActive;
    const jobStatus = first(headers['job-status']);
    const verdict = watch.sawJobAnswer({ route: route.name, status, jobStatus }, update);
    const kept = machineHeaders(headers);
    const sentInterval = kept[intervalHeader];
    // With the 202 of a final state it is a back-off, which is GitLab's alone.
    if (sentInterval !== undefined && route.name === 'trace') kept[intervalHeader] = interval.forMachine(sentInterval);
    if (this.#isToBeCanceled(verdict, status, isFirst && update !== undefined)) kept['Job-Status'] = 'canceling';
    const isEmpty = status === 204;
    response.writeHead(status, { ...kept, ...(isEmpty ? {} : { 'Content-Length': body.length }) });
    response.end(isEmpty ? undefined : body);
    const fields = { method: request.method, route: route.name, jobId: route.jobId, status };
    this.#deps.log.debug({ ...fields, requestBytes, responseBytes: body.length }, 'relayed');
  }

  /** Runners 18.5 to 19.0 end without a final update when their first one is answered so: it waits for the next. */
  #isToBeCanceled(verdict: Verdict, status: number, isFirstUpdate: boolean): boolean {
    return this.#stop === 'graceful' && verdict === 'open' && (status === 200 || status === 202) && !isFirstUpdate;
  }

  /** One after the other: answers that overtake each other would tear the local trace. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#lastPatch.then(work);
    this.#lastPatch = done.catch(() => {});
    return done;
  }

  #refuse({ route, request, response }: Turn<RelayRoute>, answer: LocalAnswer, why: string): void {
    sendLocal(this.#deps, request, response, answer);
    this.#options.onRefused(route.name, answer.status, why);
  }
}

const intervalHeader = 'X-GitLab-Trace-Update-Interval';
/** What the runner takes for "end now, and send nothing more". */
const canceled = problem(403, 'The job was stopped by the owner of this machine.', { 'Job-Status': 'canceled' });
