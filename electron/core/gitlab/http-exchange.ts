import type { Dispatcher } from 'undici';
import { GitLabError, protocolError, transportError } from './gitlab-error.ts';
import type { Upstream } from './upstream.ts';

export interface Exchange {
  method: 'POST' | 'PUT' | 'PATCH';
  /** Below the instance's base path, with a leading slash. Built from literals and ids only. */
  path: string;
  headers: Record<string, string>;
  body: string | Uint8Array;
  /** Until the answer's head must be here, in milliseconds. */
  timeoutMs: number;
  /** The most of the answer's body that is read, in bytes; a longer one is a protocol error. */
  maxBodyBytes: number;
}

export interface HttpAnswer {
  status: number;
  /** By lower-case name; the first value where a header came twice. */
  header(name: string): string | undefined;
  body: Uint8Array;
}

/**
 * One request to GitLab's runner API, with its answer read whole. Redirects are not followed: they turn POST into GET.
 * @throws GitLabError `gitlab/unreachable` and `gitlab/certificate` without an answer, `gitlab/protocol` for one that
 * is cut short or too long. Throws `signal.reason` when aborted.
 */
export async function exchange(upstream: Upstream, request: Exchange, signal?: AbortSignal): Promise<HttpAnswer> {
  const deadline = AbortSignal.timeout(request.timeoutMs);
  const response = await send(upstream, request, signal === undefined ? deadline : AbortSignal.any([deadline, signal]));
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > request.maxBodyBytes) {
        throw protocolError(
          `the answer to ${request.method} ${request.path} is longer than ${request.maxBodyBytes} bytes`,
        );
      }
      chunks.push(chunk);
    }
  } catch (error) {
    signal?.throwIfAborted();
    // Ended in the middle of the body: what came is not to be trusted.
    throw error instanceof GitLabError ? error : protocolError('an answer was cut short', error);
  }
  return {
    status: response.statusCode,
    header: (name) => {
      const value = response.headers[name.toLowerCase()];
      return Array.isArray(value) ? value[0] : value;
    },
    body: Buffer.concat(chunks),
  };

  async function send(to: Upstream, what: Exchange, until: AbortSignal): Promise<Dispatcher.ResponseData> {
    try {
      return await to.dispatcher.request({
        origin: to.origin,
        path: `${to.basePath}${what.path}`,
        method: what.method,
        headers: what.headers,
        body: what.body,
        signal: until,
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw transportError(to.origin, error);
    }
  }
}
