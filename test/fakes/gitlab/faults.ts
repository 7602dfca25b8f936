import type { RouteName } from './routes.ts';

/**
 * What goes wrong with a request: another answer without any effect; `reset`, the connection is cut before anything
 * happens; `truncate`, all happens and the answer is cut in its middle; `lost-answer`, all happens and no answer comes.
 */
export type Fault =
  | { status: number; headers?: Readonly<Record<string, string>>; body?: string }
  | 'reset'
  | 'truncate'
  | 'lost-answer';

interface PlannedFault {
  fault: Fault;
  left: number;
}

/** Faults that were ordered, by route, first ordered first served; and delays. */
export class Faults {
  readonly #planned = new Map<RouteName, PlannedFault[]>();
  readonly #delaysMs = new Map<RouteName, number>();

  /** @param times How many requests of this route it meets; `Infinity` until cleared. */
  plan(route: RouteName, fault: Fault, times: number): void {
    const planned = this.#planned.get(route) ?? [];
    planned.push({ fault, left: times });
    this.#planned.set(route, planned);
  }

  /** The fault for the request that just came, which it uses up. */
  take(route: RouteName): Fault | null {
    const planned = this.#planned.get(route);
    const first = planned?.[0];
    if (planned === undefined || first === undefined) return null;
    first.left -= 1;
    if (first.left <= 0) planned.shift();
    return first.fault;
  }

  clear(route?: RouteName): void {
    if (route === undefined) this.#planned.clear();
    else this.#planned.delete(route);
  }

  setDelay(route: RouteName, delayMs: number): void {
    this.#delaysMs.set(route, delayMs);
  }

  delayMs(route: RouteName): number {
    return this.#delaysMs.get(route) ?? 0;
  }
}
