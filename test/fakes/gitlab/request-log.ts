import type { IncomingHttpHeaders } from 'node:http';
import type { EpochMs } from '../../../electron/contract/ids.ts';
import type { RouteName } from './routes.ts';

/** One request as it came, and how it was answered. */
export interface LoggedRequest {
  readonly at: EpochMs;
  readonly method: string;
  /** As sent, with the base path, without the query. */
  readonly path: string;
  /** Without the `?`; empty where there is none. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /** null where no route matched. */
  readonly route: RouteName | null;
  /** Of `jobs/request`, `runners/verify` and job updates, up to 32 KiB; else null. */
  body: string | null;
  /** null until the answer is decided, and for ever where none was sent. */
  status: number | null;
  answeredAt: EpochMs | null;
}

/** The last requests, oldest first; what is older than `capacity` requests is forgotten. */
export class RequestLog {
  readonly #capacity: number;
  #entries: LoggedRequest[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get entries(): readonly LoggedRequest[] {
    return this.#entries;
  }

  add(entry: LoggedRequest): void {
    this.#entries.push(entry);
    // In batches, so that a long log is not copied for each request.
    if (this.#entries.length >= this.#capacity * 1.25) this.#entries = this.#entries.slice(-this.#capacity);
  }

  clear(): void {
    this.#entries = [];
  }
}
