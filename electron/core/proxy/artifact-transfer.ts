import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Upstream } from '../gitlab/upstream.ts';
import type { Clock } from '../platform/clock.ts';
import { first, type HeaderPairs, machineHeaders } from './headers.ts';
import type { ListenerLimits } from './limits.ts';
import { endAfterDiscarding, hasBody, isBodyUnread, type LocalAnswer, problem, sendLocal } from './local-answer.ts';
import { MachineBody } from './machine-body.ts';
import { isTurningRedirect, machineLocation } from './redirects.ts';
import { TransferWatch } from './transfer-watch.ts';
import { failureStatus, UpstreamCall } from './upstream-call.ts';

export interface TransferRequest {
  method: 'POST' | 'GET';
  /** Below the instance's base path. */
  target: string;
  headers: HeaderPairs;
}

/** How a transfer ended. */
export type TransferEnd =
  /** GitLab's answer went to the machine. */
  | { kind: 'relayed'; status: number }
  /** We answered in its place. */
  | { kind: 'refused'; status: number; why: string }
  /** Somebody hung up, so the machine has no answer, or a part of one. */
  | { kind: 'broken'; why: string };

export interface TransferResult {
  end: TransferEnd;
  requestBytes: number;
  responseBytes: number;
}

interface TransferDeps {
  clock: Pick<Clock, 'after' | 'monotonicMs'>;
  limits: ListenerLimits;
  calls: Set<UpstreamCall>;
  /** Told when GitLab's answer begins. */
  onAnswer(status: number): void;
}

/** Carries an artifact between machine and GitLab, at the speed of the slower one; nothing of it is held. */
export async function transferArtifact(
  deps: TransferDeps,
  upstream: Upstream,
  transfer: TransferRequest,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<TransferResult> {
  if (Number(request.headers['content-length'] ?? 0) > deps.limits.uploadBytes) {
    const answer = tooLarge;
    sendLocal(deps, request, response, answer);
    return { end: { kind: 'refused', status: answer.status, why: 'too large' }, requestBytes: 0, responseBytes: 0 };
  }
  if (hasBody(request) && request.headers.expect !== undefined) response.writeContinue();
  const call = new TransferCall(deps, upstream, transfer, request, response);
  deps.calls.add(call);
  try {
    return await call.result;
  } finally {
    deps.calls.delete(call);
  }
}

const tooLarge = problem(413, 'This artifact is larger than may pass here.');
const retryAfter = { 'Retry-After': '3' };

class TransferCall extends UpstreamCall {
  readonly result: Promise<TransferResult>;
  readonly #deps: TransferDeps;
  readonly #upstream: Upstream;
  readonly #method: 'POST' | 'GET';
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #body: MachineBody | null;
  readonly #watch: TransferWatch;
  readonly #settle: (result: TransferResult) => void;
  #responseBytes = 0;
  #isOver = false;
  /** Set where we end it on purpose: what the machine is told then. */
  #instead: { answer: LocalAnswer; why: string } | undefined;

  constructor(
    deps: TransferDeps,
    upstream: Upstream,
    transfer: TransferRequest,
    request: IncomingMessage,
    response: ServerResponse,
  ) {
    super();
    this.#deps = deps;
    this.#upstream = upstream;
    this.#method = transfer.method;
    this.#request = request;
    this.#response = response;
    const { promise, resolve } = Promise.withResolvers<TransferResult>();
    this.result = promise;
    this.#settle = resolve;
    const { idleMs, transferMs, answerMs, uploadBytes } = deps.limits;
    this.#watch = new TransferWatch(deps.clock, { idleMs, transferMs, onOver: () => this.#endLate() });
    this.#body = hasBody(request)
      ? new MachineBody(request, { limitBytes: uploadBytes, onBytes: () => this.#watch.touch() })
      : null;
    // Once GitLab has it all it may take its time, to store and to check.
    if (this.#body === null) this.#watch.setIdle(answerMs);
    else this.#body.once('end', () => this.#watch.setIdle(answerMs));
    response.once('close', this.#onClose);
    this.send(upstream, { ...transfer, body: this.#body });
  }

  override onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.#watch.setIdle(this.#deps.limits.idleMs);
    this.#deps.onAnswer(status);
    if (this.#method === 'POST' && isTurningRedirect(status)) {
      this.#endWith(problem(502, 'GitLab redirects uploads. Configure its canonical URL.'), `redirect ${status}`);
      return;
    }
    const length = first(headers['content-length']);
    const location = machineLocation(this.#upstream, this.#method, status, first(headers.location));
    this.#response.writeHead(status, {
      ...machineHeaders(headers),
      ...(length === undefined ? {} : { 'Content-Length': length }),
      ...(location === undefined ? {} : { Location: location }),
      ...(this.#isEarly() ? { Connection: 'close' } : {}),
    });
    // An early answer has to be seen while the machine still sends.
    if (this.#isEarly()) this.#response.flushHeaders();
  }

  override onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#responseBytes += chunk.length;
    this.#watch.touch();
    if (this.#response.write(chunk)) return;
    controller.pause();
    this.#response.once('drain', () => {
      this.#watch.touch();
      controller.resume();
    });
  }

  override onResponseEnd(): void {
    const status = this.#response.statusCode;
    if (this.#isEarly()) this.#body?.destroy();
    endAfterDiscarding(this.#deps, this.#request, this.#response);
    this.#finish({ kind: 'relayed', status });
  }

  protected override onFailed(error: Error): void {
    this.#body?.destroy();
    if (this.#response.headersSent) {
      this.#response.destroy();
      this.#finish({ kind: 'broken', why: error.message });
    } else if (this.#response.destroyed || this.#body?.endedBy === 'gone') {
      this.#finish({ kind: 'broken', why: 'the machine hung up' });
    } else {
      const { answer, why } = this.#answerFor(error);
      sendLocal(this.#deps, this.#request, this.#response, answer);
      this.#finish({ kind: 'refused', status: answer.status, why });
    }
  }

  #answerFor(error: Error): { answer: LocalAnswer; why: string } {
    if (this.#instead !== undefined) return this.#instead;
    if (this.#body?.endedBy === 'too-large') return { answer: tooLarge, why: 'too large' };
    const status = failureStatus(error);
    return { answer: problem(status, 'GitLab cannot be reached.', retryAfter), why: error.message };
  }

  #endLate(): void {
    const isOurs = this.#body !== null && !this.#body.isWhole;
    const answer = isOurs
      ? problem(408, 'The upload did not go on.')
      : problem(504, 'GitLab did not answer in time.', retryAfter);
    this.#endWith(answer, 'too slow');
  }

  #endWith(answer: LocalAnswer, why: string): void {
    this.#instead ??= { answer, why };
    this.abort(new Error(why));
  }

  /** Whether GitLab answered before the machine had sent everything. */
  #isEarly(): boolean {
    return isBodyUnread(this.#request);
  }

  readonly #onClose = () => {
    if (!this.#response.writableFinished) this.abort(new Error('the machine hung up'));
  };

  #finish(end: TransferEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#watch[Symbol.dispose]();
    this.#settle({ end, requestBytes: this.#body?.receivedBytes ?? 0, responseBytes: this.#responseBytes });
  }
}
