import type { AcceptedJob } from '../gitlab/accepted-job.ts';
import type { Clock } from '../platform/clock.ts';
import { payloadForHandOver } from './hand-over-payload.ts';

/** What a runner that asks for a job is told (protocol document 6.2). */
export type HandOverAnswer = { kind: 'job'; payload: Uint8Array } | { kind: 'nothing' } | { kind: 'not-ready' };

/** `sending`: the answer with the job is on its way, and whether it arrives whole is not known yet. */
type HandOverState = 'not-ready' | 'available' | 'sending' | 'done' | 'withdrawn';

/** Gives a job to its machine, once. */
export class HandOver {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #job: Pick<AcceptedJob, 'payload' | 'receivedAt'>;
  readonly #onDone: () => void;
  #state: HandOverState;

  /** @param options.onDone Called once, when the machine is known to have the job. */
  constructor(
    deps: { clock: Pick<Clock, 'now'> },
    options: {
      job: Pick<AcceptedJob, 'payload' | 'receivedAt'>;
      state: 'not-ready' | 'available' | 'done';
      onDone: () => void;
    },
  ) {
    this.#clock = deps.clock;
    this.#job = options.job;
    this.#state = options.state;
    this.#onDone = options.onDone;
  }

  /** From now on the job is there for the asking. */
  offer(): void {
    if (this.#state === 'not-ready') this.#state = 'available';
  }

  /** There is no job any more; one that was handed over stays so. */
  withdraw(): void {
    if (this.#state !== 'done') this.#state = 'withdrawn';
  }

  /** @returns After `job` the caller says `sent` or `broken`. No answer waits: `run-single` cannot be called off then. */
  ask(): HandOverAnswer {
    switch (this.#state) {
      case 'not-ready':
        return { kind: 'not-ready' };
      case 'available': {
        const elapsedSeconds = (this.#clock.now() - this.#job.receivedAt) / 1000;
        const payload = payloadForHandOver(this.#job.payload, elapsedSeconds);
        this.#state = 'sending';
        return { kind: 'job', payload };
      }
      case 'sending':
      case 'done':
      case 'withdrawn':
        return { kind: 'nothing' };
    }
  }

  /** The last byte was flushed. */
  sent(): void {
    if (this.#state === 'sending') this.#finish();
  }

  /** The connection broke before the last byte: the machine may ask again. */
  broken(): void {
    if (this.#state === 'sending') this.#state = 'available';
  }

  /** The runner acts on the job, so it has it, whatever we know of the way it got there. */
  runnerActed(): void {
    if (this.#state === 'available' || this.#state === 'sending') this.#finish();
  }

  #finish(): void {
    this.#state = 'done';
    this.#onDone();
  }
}
