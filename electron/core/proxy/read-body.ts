import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../platform/clock.ts';
import { hasBody } from './local-answer.ts';

/** Why a small body was not read whole. */
export type UnreadBody =
  | { kind: 'too-large' }
  /** It was not here whole in time. */
  | { kind: 'late' }
  /** The machine hung up. */
  | { kind: 'gone' };
export type ReadBody = { kind: 'whole'; bytes: Buffer } | UnreadBody;

/** Reads at most `limitBytes` within `timeoutMs`. The rest of a longer body is left to the caller to discard. */
export async function readBody(
  clock: Pick<Clock, 'after'>,
  request: IncomingMessage,
  response: ServerResponse,
  limits: { limitBytes: number; timeoutMs: number },
): Promise<ReadBody> {
  if (Number(request.headers['content-length'] ?? 0) > limits.limitBytes) return { kind: 'too-large' };
  if (hasBody(request) && request.headers.expect !== undefined) response.writeContinue();
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const settle = (result: ReadBody) => {
      timer[Symbol.dispose]();
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      resolve(result);
    };
    const onData = (chunk: Buffer) => {
      sizeBytes += chunk.length;
      chunks.push(chunk);
      if (sizeBytes <= limits.limitBytes) return;
      request.pause();
      settle({ kind: 'too-large' });
    };
    const onEnd = () =>
      settle({ kind: 'whole', bytes: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks) });
    const onClose = () => settle({ kind: 'gone' });
    const timer = clock.after(limits.timeoutMs, () => {
      request.pause();
      settle({ kind: 'late' });
    });
    // Told apart from a regular end by 'close' without 'end'.
    request.on('error', () => {});
    request.on('data', onData).once('end', onEnd).once('close', onClose);
  });
}
