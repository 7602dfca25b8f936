import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import type { FakeJob, JobUpdateKind } from './fake-job.ts';
import { limits } from './limits.ts';
import type { LoggedRequest } from './request-log.ts';

/** An answer that says no. Thrown anywhere below a route, sent by the server. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;

  constructor(status: number, message: string, headers: OutgoingHttpHeaders = {}) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.headers = headers;
  }
}

/** The other side hung up; there is nobody to answer. */
export class ClientGone extends Error {
  constructor(cause?: unknown) {
    super('the client closed the connection', { cause });
    this.name = 'ClientGone';
  }
}

export interface Answer {
  headers?: OutgoingHttpHeaders;
  body?: string | Buffer;
}

/** What becomes of an answer that a fault was planned for. */
export type AnswerFault = 'truncate' | 'lost-answer' | null;

/** One request and its answer. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Below the base path, without the query, as sent. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly entry: LoggedRequest;
  /** Aborts when the client hangs up or the server closes. */
  readonly signal: AbortSignal;
  answerFault: AnswerFault = null;
  #subject: { job: FakeJob; kind: JobUpdateKind; state?: string } | null = null;
  readonly #closed = new AbortController();
  readonly #onAnswer: (exchange: Exchange, status: number) => void;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    at: {
      path: string;
      query: URLSearchParams;
      entry: LoggedRequest;
      closing: AbortSignal;
      /** Called when the answer is decided and before any of it is sent. */
      onAnswer(exchange: Exchange, status: number): void;
    },
  ) {
    this.request = request;
    this.response = response;
    this.path = at.path;
    this.query = at.query;
    this.entry = at.entry;
    this.#onAnswer = at.onAnswer;
    this.signal = AbortSignal.any([at.closing, this.#closed.signal]);
    response.once('close', () => {
      if (!response.writableFinished) this.#closed.abort(new ClientGone());
    });
  }

  get subject(): { job: FakeJob; kind: JobUpdateKind; state?: string } | null {
    return this.#subject;
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  /** The answer will stand in this job's history. */
  concerns(job: FakeJob, kind: JobUpdateKind, state?: string): void {
    this.#subject = { job, kind, ...(state === undefined ? {} : { state }) };
  }

  /** The body as it comes. Leaving the loop early does not cut the connection. */
  async *chunks(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of this.request.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
    } catch (error) {
      throw new ClientGone(error);
    }
  }

  /** @throws Refusal 413 past `limitBytes`. */
  async body(limitBytes: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    for await (const chunk of this.chunks()) {
      sizeBytes += chunk.length;
      if (sizeBytes > limitBytes) throw new Refusal(413, '413 Request Entity Too Large');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** @throws Refusal 413, 415 or 400. */
  async json<Schema extends z.ZodType>(schema: Schema, limitBytes: number): Promise<z.infer<Schema>> {
    const type = this.header('content-type') ?? '';
    const bytes = await this.body(limitBytes);
    if (bytes.length <= limits.loggedBodyBytes) this.entry.body = bytes.toString();
    if (!/^application\/json\b/i.test(type)) throw new Refusal(415, 'The provided content-type is not supported');
    let value: unknown;
    try {
      value = JSON.parse(bytes.toString());
    } catch {
      throw new Refusal(400, '400 Bad request - the body is not JSON');
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    throw new Refusal(400, `${issue?.path.join('.') ?? 'body'} is invalid: ${issue?.message ?? 'unknown'}`);
  }

  /** Sends the whole answer. */
  async reply(status: number, answer: Answer = {}): Promise<void> {
    this.#onAnswer(this, status);
    const body = Buffer.from(answer.body ?? '');
    const hasBody = status !== 204 && status !== 304;
    const headers = { ...answer.headers, ...(hasBody ? { 'Content-Length': body.length } : {}) };
    if (this.answerFault !== null) {
      await this.#cut(status, headers, body);
      return;
    }
    this.response.writeHead(status, headers);
    this.response.end(hasBody ? body : undefined);
    this.#discardRest();
  }

  async replyJson(status: number, value: unknown, headers: OutgoingHttpHeaders = {}): Promise<void> {
    await this.reply(status, {
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(value),
    });
  }

  /** Sends a stream of known length. */
  async replyStream(status: number, headers: OutgoingHttpHeaders, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    this.#onAnswer(this, status);
    if (this.answerFault === 'lost-answer') {
      this.reset();
      return;
    }
    this.response.writeHead(status, headers);
    try {
      const cutAtBytes =
        this.answerFault === 'truncate' ? Math.floor(Number(headers['Content-Length'] ?? 0) / 2) : null;
      if (cutAtBytes === null) {
        await pipeline(bytes, this.response);
        return;
      }
      let left = cutAtBytes;
      for await (const chunk of bytes) {
        await this.#write(chunk.subarray(0, left));
        left -= chunk.length;
        if (left <= 0) break;
      }
      this.reset();
    } catch (error) {
      throw new ClientGone(error);
    }
  }

  /** Cuts the connection with a TCP reset. */
  reset(): void {
    this.request.socket.resetAndDestroy();
  }

  /** Half of the answer, at least its first byte, then the end of the connection. */
  async #cut(status: number, headers: OutgoingHttpHeaders, body: Buffer): Promise<void> {
    if (this.answerFault === 'truncate' && body.length > 1) {
      this.response.writeHead(status, headers);
      await this.#write(body.subarray(0, Math.ceil(body.length / 2)));
      this.request.socket.end();
      this.request.socket.destroySoon();
      return;
    }
    this.reset();
  }

  #write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.response.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** A client that still sends when the answer is out may finish, within reason: a cut would cost it the answer. */
  #discardRest(): void {
    if (this.request.complete) return;
    let discardedBytes = 0;
    this.request.on('data', (chunk: Buffer) => {
      discardedBytes += chunk.length;
      if (discardedBytes > limits.discardedBytes) this.request.socket.destroy();
    });
    this.request.on('error', () => {});
    this.request.resume();
  }
}
