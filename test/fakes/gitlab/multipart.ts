import { limits } from './limits.ts';

/** One part of a multipart body. `bytes` must be read to its end before the next part is asked for. */
export interface MultipartPart {
  name: string;
  /** null for a plain field. */
  filename: string | null;
  bytes: AsyncIterable<Buffer>;
}

export class MultipartError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MultipartError';
  }
}

/** @returns undefined where the type is not `multipart/form-data` with a boundary. */
export function multipartBoundary(contentType: string): string | undefined {
  if (!/^multipart\/form-data\s*;/i.test(contentType)) return undefined;
  const match = /;\s*boundary=(?:"([^"]{1,70})"|([^;\s"]{1,70}))/i.exec(contentType);
  return match?.[1] ?? match?.[2];
}

/**
 * Reads a multipart body as it comes; holds little more than one chunk of it.
 * @throws MultipartError where the body is cut short or is none.
 */
export async function* multipartParts(source: AsyncIterable<Buffer>, boundary: string): AsyncGenerator<MultipartPart> {
  await using reader = new PartReader(source, boundary);
  // What stands before the first boundary is of no meaning (RFC 2046, 5.1.1).
  await skip(reader.untilBoundary());
  for (let count = 0; await reader.hasAnotherPart(); count += 1) {
    if (count >= limits.multipartParts) throw new MultipartError('too many parts');
    const disposition = contentDisposition(await reader.headers());
    const bytes = reader.untilBoundary();
    yield { ...disposition, bytes };
    await skip(bytes);
  }
}

async function skip(bytes: AsyncGenerator<Buffer>): Promise<void> {
  while ((await bytes.next()).done !== true);
}

class PartReader implements AsyncDisposable {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #delimiter: Buffer;
  // The delimiter begins with a line end, which the very first boundary may lack.
  #buffer: Buffer = Buffer.from('\r\n');

  constructor(source: AsyncIterable<Buffer>, boundary: string) {
    this.#chunks = source[Symbol.asyncIterator]();
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
  }

  /** All up to the next boundary, which is taken as well. */
  async *untilBoundary(): AsyncGenerator<Buffer> {
    for (;;) {
      const at = this.#buffer.indexOf(this.#delimiter);
      if (at >= 0) {
        if (at > 0) yield this.#buffer.subarray(0, at);
        this.#buffer = this.#buffer.subarray(at + this.#delimiter.length);
        return;
      }
      const safeBytes = this.#buffer.length - this.#delimiter.length + 1;
      if (safeBytes > 0) {
        yield this.#buffer.subarray(0, safeBytes);
        this.#buffer = this.#buffer.subarray(safeBytes);
      }
      await this.#fill();
    }
  }

  /** After a boundary: does a part follow, or was it the last one? */
  async hasAnotherPart(): Promise<boolean> {
    while (this.#buffer.length < 2) await this.#fill();
    const next = this.#buffer.toString('latin1', 0, 2);
    this.#buffer = this.#buffer.subarray(2);
    if (next === '--') return false;
    if (next === '\r\n') return true;
    throw new MultipartError('a boundary ends in neither a line nor the body');
  }

  async headers(): Promise<string> {
    for (;;) {
      const at = this.#buffer.indexOf('\r\n\r\n');
      if (at > limits.multipartHeaderBytes || (at < 0 && this.#buffer.length > limits.multipartHeaderBytes)) {
        throw new MultipartError('the headers of a part are too long');
      }
      if (at >= 0) {
        const text = this.#buffer.toString('utf8', 0, at);
        this.#buffer = this.#buffer.subarray(at + 4);
        return text;
      }
      await this.#fill();
    }
  }

  /** Lets go of the source, read or not. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#chunks.return?.();
  }

  async #fill(): Promise<void> {
    const next = await this.#chunks.next();
    if (next.done === true) throw new MultipartError('the body ends before its last boundary');
    this.#buffer = this.#buffer.length === 0 ? next.value : Buffer.concat([this.#buffer, next.value]);
  }
}

function contentDisposition(headers: string): { name: string; filename: string | null } {
  const line = headers.split('\r\n').find((header) => /^content-disposition\s*:/i.test(header)) ?? '';
  const name = /[;\s]name="([^"]*)"/i.exec(line)?.[1];
  if (name === undefined) throw new MultipartError('a part has no name');
  return { name, filename: /[;\s]filename="([^"]*)"/i.exec(line)?.[1] ?? null };
}
