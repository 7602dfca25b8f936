import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Upstream } from '../gitlab/upstream.ts';
import { errorCode } from '../platform/files.ts';

/** One request to GitLab that can be ended at any moment, also while it still waits for a connection. */
export abstract class UpstreamCall implements Dispatcher.DispatchHandler {
  #controller: Dispatcher.DispatchController | undefined;
  #abortReason: Error | undefined;
  #isFailed = false;

  /** Sends it. Time limits are the caller's: undici's own would cut uploads that GitLab takes slowly. */
  protected send(
    upstream: Upstream,
    request: Pick<Dispatcher.DispatchOptions, 'method' | 'headers' | 'body'> & { target: string },
  ): void {
    upstream.dispatcher.dispatch(
      {
        origin: upstream.origin,
        path: `${upstream.basePath}${request.target}`,
        method: request.method,
        headers: request.headers ?? null,
        body: request.body ?? null,
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      this,
    );
  }

  /** Ends the request and its connection; `onFailed` is called before this returns. Silent where it has ended. */
  abort(reason: Error): void {
    if (this.#abortReason !== undefined) return;
    this.#abortReason = reason;
    if (this.#controller === undefined) this.onResponseError(undefined, reason);
    else this.#controller.abort(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#abortReason !== undefined) controller.abort(this.#abortReason);
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#isFailed) return;
    this.#isFailed = true;
    this.onFailed(error);
  }

  abstract onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void;
  abstract onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void;
  abstract onResponseEnd(): void;
  /** No answer, or none to its end. Called at most once. */
  protected abstract onFailed(error: Error): void;
}

const unreachableCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** What a machine is told when GitLab gave no answer: the runner tries 502 and 503 again. */
export function failureStatus(error: Error): 502 | 503 {
  const code = errorCode(error);
  return code !== undefined && unreachableCodes.has(code) ? 503 : 502;
}
