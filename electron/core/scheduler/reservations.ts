import type { Resources } from '../../contract/state.ts';
import { add, nothing, whyNoRoom } from './capacity.ts';

export interface Reservation {
  readonly resources: Resources;
  /** True while there is no room for another request that waits, or would: polls must be short then. */
  readonly isContended: boolean;
  /** Gives the room back; once, further calls do nothing. */
  release(): void;
}

interface Waiting {
  request: Resources;
  grant(): void;
  tell(): void;
}

export interface ReservationsOptions {
  lent: Resources;
  /** Sentences that say why nothing is lent now; empty while lending. */
  refusals: () => readonly string[];
  /** Called after every change of what is lent or held. */
  onChange: () => void;
}

/**
 * Who holds what of the lent capacity. Requests are served in the order they came; a small one may overtake a large
 * one that does not fit now. What is held never grows past what is lent; lowering what is lent takes nothing away.
 */
export class Reservations {
  #lent: Resources;
  #held: Resources = nothing;
  readonly #refusals: () => readonly string[];
  readonly #onChange: () => void;
  readonly #waiting = new Set<Waiting>();
  #claimantCount = 0;

  constructor(options: ReservationsOptions) {
    this.#lent = options.lent;
    this.#refusals = options.refusals;
    this.#onChange = options.onChange;
  }

  get held(): Resources {
    return this.#held;
  }

  get lent(): Resources {
    return this.#lent;
  }

  set lent(lent: Resources) {
    this.#lent = lent;
    this.#onChange();
    this.review();
  }

  /** Counts somebody who will claim again and again, so that polls know whether they have rivals. */
  addClaimant(): Disposable {
    this.#claimantCount += 1;
    return {
      [Symbol.dispose]: () => {
        this.#claimantCount -= 1;
      },
    };
  }

  /**
   * Waits for room and takes it.
   * @param onWait Told why there is none, now and whenever the reason may have changed.
   * @throws `signal.reason` when aborted while waiting.
   */
  async reserve(request: Resources, onWait: (why: string) => void, signal: AbortSignal): Promise<Reservation> {
    signal.throwIfAborted();
    if (this.#whyNot(request) !== null) {
      await new Promise<void>((resolve, reject) => {
        const stop = () => {
          this.#waiting.delete(entry);
          reject(signal.reason);
        };
        const entry: Waiting = {
          request,
          grant: () => {
            signal.removeEventListener('abort', stop);
            resolve();
          },
          tell: () => onWait(this.#whyNot(request) ?? 'There is room now.'),
        };
        signal.addEventListener('abort', stop, { once: true });
        this.#waiting.add(entry);
        entry.tell();
      });
      // `review` has taken the room in our name before it let us go on.
      return this.#granted(request);
    }
    this.#take(request);
    return this.#granted(request);
  }

  /** Looks again who may go on: after capacity or the reasons not to lend have changed. */
  review(): void {
    for (const entry of this.#waiting) {
      if (this.#whyNot(entry.request) !== null) {
        entry.tell();
        continue;
      }
      this.#waiting.delete(entry);
      this.#take(entry.request);
      entry.grant();
    }
  }

  #whyNot(request: Resources): string | null {
    return this.#refusals()[0] ?? whyNoRoom(this.#lent, this.#held, request);
  }

  #take(request: Resources): void {
    this.#held = add(this.#held, request);
    this.#onChange();
  }

  #granted(request: Resources): Reservation {
    let isReleased = false;
    const isContended = () =>
      this.#waiting.size > 0 || (this.#claimantCount > 1 && whyNoRoom(this.#lent, this.#held, request) !== null);
    return {
      resources: request,
      get isContended() {
        return isContended();
      },
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#held = add(this.#held, negative(request));
        this.#onChange();
        this.review();
      },
    };
  }
}

function negative(resources: Resources): Resources {
  return {
    cpus: -resources.cpus,
    memoryBytes: -resources.memoryBytes,
    diskBytes: -resources.diskBytes,
    slotCount: -resources.slotCount,
  };
}
