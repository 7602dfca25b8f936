import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Upstream } from '../gitlab/upstream.ts';
import type { Clock } from '../platform/clock.ts';
import type { HeaderPairs } from './headers.ts';
import { UpstreamCall } from './upstream-call.ts';

/** What came of a request that was sent and answered whole. */
export type WholeAnswer =
  | { kind: 'answered'; status: number; headers: IncomingHttpHeaders; body: Buffer }
  /** GitLab may or may not have carried it out. */
  | { kind: 'unanswered'; error: Error };

export interface WholeRequest {
  method: 'PUT' | 'PATCH';
  /** Below the instance's base path. */
  target: string;
  headers: HeaderPairs;
  body: Buffer;
}

/**
 * Sends a small request and reads its answer whole. It is not ended when the machine hangs up: what GitLab answers
 * then is still a fact about the job.
 * @param calls Where the request is kept as long as it lasts, so that its owner can end it.
 */
export async function exchangeWhole(
  deps: { clock: Pick<Clock, 'after'>; calls: Set<UpstreamCall> },
  upstream: Upstream,
  request: WholeRequest,
  limits: { answerMs: number; answerBodyBytes: number },
): Promise<WholeAnswer> {
  const call = new WholeCall(upstream, request, limits.answerBodyBytes);
  using _timer = deps.clock.after(limits.answerMs, () => call.abort(new Error('GitLab did not answer in time')));
  deps.calls.add(call);
  try {
    return await call.answer;
  } finally {
    deps.calls.delete(call);
  }
}

class WholeCall extends UpstreamCall {
  readonly answer: Promise<WholeAnswer>;
  readonly #limitBytes: number;
  readonly #settle: (answer: WholeAnswer) => void;
  readonly #chunks: Buffer[] = [];
  #sizeBytes = 0;
  #status = 0;
  #headers: IncomingHttpHeaders = {};

  constructor(upstream: Upstream, request: WholeRequest, limitBytes: number) {
    super();
    this.#limitBytes = limitBytes;
    const { promise, resolve } = Promise.withResolvers<WholeAnswer>();
    this.answer = promise;
    this.#settle = resolve;
    this.send(upstream, request);
  }

  override onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status;
    this.#headers = headers;
  }

  override onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#sizeBytes += chunk.length;
    if (this.#sizeBytes > this.#limitBytes) this.abort(new Error('the answer is too long'));
    else this.#chunks.push(chunk);
  }

  override onResponseEnd(): void {
    const body = Buffer.concat(this.#chunks);
    this.#settle({ kind: 'answered', status: this.#status, headers: this.#headers, body });
  }

  protected override onFailed(error: Error): void {
    this.#settle({ kind: 'unanswered', error });
  }
}
