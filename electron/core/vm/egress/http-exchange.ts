import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { forwardedHeaders } from './forwarded-headers.ts';

/**
 * Passes one HTTP request over an open connection and its answer back, bodies with back-pressure.
 * @throws Whatever breaks it; the answer has then not been ended.
 */
export async function exchange(
  asked: IncomingMessage,
  response: ServerResponse,
  url: URL,
  outside: Socket,
): Promise<void> {
  const isChunked = asked.headers['transfer-encoding'] !== undefined;
  const sent = request({
    // With any `agent`, even false, Node would not use this connection but make one of its own, past every check.
    createConnection: () => outside,
    setHost: false,
    method: asked.method ?? 'GET',
    path: url.pathname + url.search,
    headers: [
      ...['Host', url.host],
      ...forwardedHeaders(asked.rawHeaders),
      ...(isChunked ? ['Transfer-Encoding', 'chunked'] : []),
      ...['Connection', 'close'],
    ],
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve);
    sent.on('error', reject);
  });
  // Both ways at once: a server may answer before it has read everything, and then need not read the rest. Its
  // breaking off the upload must not break off the answer, which is why this is no pipeline.
  asked.pipe(sent);
  const answer = await answered;
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', forwardedHeaders(answer.rawHeaders));
  await pipeline(answer, response);
}
