import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../platform/clock.ts';
import type { ListenerLimits } from './limits.ts';

/** An answer of ours. Bodies are short and never quote what the machine sent. */
export interface LocalAnswer {
  status: number;
  headers?: Readonly<Record<string, string>>;
  contentType?: string;
  body?: string | Uint8Array;
}

export function problem(status: number, message: string, headers?: Readonly<Record<string, string>>): LocalAnswer {
  return { status, body: JSON.stringify({ message }), ...(headers === undefined ? {} : { headers }) };
}

type DiscardDeps = { clock: Pick<Clock, 'after'>; limits: Pick<ListenerLimits, 'discardBytes' | 'discardMs'> };

/**
 * Answers with exact length. Where the machine may still be sending, its bytes are read for a while and thrown away,
 * then the connection is closed: closed at once, the answer could be lost on its way.
 */
export function sendLocal(
  deps: DiscardDeps,
  request: IncomingMessage,
  response: ServerResponse,
  answer: LocalAnswer,
): void {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(answer.body ?? '');
  const isUnread = isBodyUnread(request);
  const hasBody = answer.status !== 204;
  response.writeHead(answer.status, {
    ...(hasBody ? { 'Content-Type': answer.contentType ?? 'application/json', 'Content-Length': body.length } : {}),
    ...answer.headers,
    ...(isUnread ? { Connection: 'close' } : {}),
  });
  if (!isUnread) {
    response.end(hasBody ? body : undefined);
    return;
  }
  if (hasBody) response.write(body);
  endAfterDiscarding(deps, request, response);
}

/** Whether bytes of the request's body are still to come. */
export function isBodyUnread(request: IncomingMessage): boolean {
  return hasBody(request) && !request.complete && !request.destroyed;
}

/** Whether the head of a request announces a body. */
export function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** For an answer that is written whole and says `Connection: close`: ends it once the machine's bytes had their chance. */
export function endAfterDiscarding(deps: DiscardDeps, request: IncomingMessage, response: ServerResponse): void {
  if (!isBodyUnread(request)) {
    response.end();
    return;
  }
  let discardedBytes = 0;
  const end = () => {
    timer[Symbol.dispose]();
    request.off('data', count).off('end', end).off('close', end);
    request.pause();
    response.end();
  };
  const count = (chunk: Buffer) => {
    discardedBytes += chunk.length;
    if (discardedBytes > deps.limits.discardBytes) end();
  };
  const timer = deps.clock.after(deps.limits.discardMs, end);
  // The machine may hang up meanwhile; there is nobody left to tell.
  request.on('error', () => {});
  request.on('data', count).once('end', end).once('close', end);
  request.resume();
}
