import type { Log } from '../platform/log.ts';
import { TraceError } from '../trace/trace-error.ts';
import type { TraceWriter } from '../trace/trace-writer.ts';
import { first } from './headers.ts';
import type { ListenerEvent } from './listener-events.ts';
import type { WholeAnswer } from './whole-exchange.ts';

/** @returns The first byte's offset in `Content-Range: <start>-<end>`; undefined for anything else. */
export function rangeStart(contentRange: string | undefined): number | undefined {
  const start = /^([0-9]{1,15})-[0-9]{1,15}$/.exec(contentRange ?? '')?.[1];
  return start === undefined ? undefined : Number(start);
}

/**
 * Keeps of each trace patch what GitLab acknowledged. GitLab owns the offset: after 202 it holds what was sent, and
 * where it says a size (`Range: 0-N`, N exclusive) never more than that is kept.
 *
 * One case needs care. A patch whose answer never came (a broken connection, an end of this process) may have been
 * stored, and then the runner hears 416 for its resend and goes on behind it. The resend carries the very bytes, at the
 * offsets GitLab says it holds, so they are kept from it: nothing is lost here that GitLab has.
 */
export class TraceTap {
  readonly #trace: Pick<TraceWriter, 'acknowledge' | 'sizeBytes'>;
  readonly #log: Log;
  readonly #report: (event: ListenerEvent) => void;
  #isUncertain: boolean;
  #isDegraded = false;

  /** @param options.isUncertain Whether a patch may have gone unanswered before this began. */
  constructor(
    deps: { log: Log },
    options: {
      trace: Pick<TraceWriter, 'acknowledge' | 'sizeBytes'>;
      report: (event: ListenerEvent) => void;
      isUncertain: boolean;
    },
  ) {
    this.#log = deps.log;
    this.#trace = options.trace;
    this.#report = options.report;
    this.#isUncertain = options.isUncertain;
  }

  /** Returns once the bytes are in the file, or it is known that they cannot be. Calls must not overlap. */
  async sawAnswer(fromByte: number, bytes: Uint8Array, answer: WholeAnswer): Promise<void> {
    if (answer.kind === 'unanswered' || answer.status >= 500) {
      this.#isUncertain = true;
      return;
    }
    const storedBytes = storedSize(first(answer.headers.range));
    if (answer.status === 202) {
      await this.#keep(fromByte, bytes, storedBytes ?? fromByte + bytes.length);
      this.#isUncertain = false;
    } else if (answer.status === 416 && this.#isUncertain && fromByte <= this.#trace.sizeBytes) {
      await this.#keep(fromByte, bytes, storedBytes ?? 0);
    }
  }

  async #keep(fromByte: number, bytes: Uint8Array, storedBytes: number): Promise<void> {
    const kept = bytes.subarray(0, Math.max(0, storedBytes - fromByte));
    const before = this.#trace.sizeBytes;
    try {
      await this.#trace.acknowledge(fromByte, kept);
      this.#isDegraded = false;
    } catch (error) {
      if (!(error instanceof TraceError)) throw error;
      this.#degrade(error);
    }
    const totalBytes = this.#trace.sizeBytes;
    if (totalBytes > before) this.#report({ kind: 'trace-acknowledged', totalBytes });
  }

  #degrade(error: TraceError): void {
    if (this.#isDegraded) return;
    this.#isDegraded = true;
    this.#log.warn({ error }, 'the trace is not kept here any more, the job goes on');
    this.#report({ kind: 'trace-degraded', error });
  }
}

/** `Range: 0-N` of an answer: N is the stored size, although it looks like an inclusive end (protocol document 3.2). */
function storedSize(range: string | undefined): number | undefined {
  const size = /^0-([0-9]{1,15})$/.exec(range ?? '')?.[1];
  return size === undefined ? undefined : Number(size);
}
