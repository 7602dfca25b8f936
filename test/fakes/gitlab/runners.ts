import { timingSafeEqual } from 'node:crypto';
import type { EpochMs } from '../../../electron/contract/ids.ts';
import { systemRandom } from '../../../electron/core/platform/random.ts';
import { limits } from './limits.ts';

export interface FakeRunnerOptions {
  /** Default: `glrt-` and 20 characters. */
  token?: string;
  description?: string;
}

/** What a runner says about itself in `info`. */
export interface RunnerInfo {
  name?: string | null | undefined;
  version?: string | null | undefined;
  revision?: string | null | undefined;
  platform?: string | null | undefined;
  architecture?: string | null | undefined;
  executor?: string | null | undefined;
  features?: Readonly<Record<string, unknown>> | null | undefined;
}

/** One installation that uses a runner's token, told apart by its `system_id`. */
export interface FakeManager {
  /** `<legacy>` for a runner that sends none. */
  readonly systemId: string;
  /** As stored; renewed at most every 40 minutes, so that a changed feature set is late here (protocol document 1.2). */
  info: RunnerInfo;
  infoStoredAt: EpochMs;
  contactedAt: EpochMs;
}

/** A runner's identity and queue key. */
export class FakeRunner {
  readonly id: number;
  readonly token: string;
  readonly description: string;
  /** A paused runner gets no jobs and cannot tell that from an empty queue. */
  isPaused = false;
  /** A rejected runner's token is unknown from now on: 403. */
  isRejected = false;
  /** A runner without an owner: 422. */
  isOrphaned = false;
  readonly managersBySystemId = new Map<string, FakeManager>();
  #cursor = newCursor();
  readonly #onTick = new Set<() => void>();

  constructor(id: number, options: FakeRunnerOptions) {
    this.id = id;
    this.token = options.token ?? `glrt-${systemRandom.base62(20)}`;
    this.description = options.description ?? `runner ${id}`;
  }

  /** The value of the queue key, sent as `X-GitLab-Last-Update`: changes whenever there may be something new. */
  get cursor(): string {
    return this.#cursor;
  }

  /** Tells whoever waits on the queue that it changed. */
  tick(): void {
    this.#cursor = newCursor();
    for (const listener of [...this.#onTick]) listener();
  }

  onTick(listener: () => void): Disposable {
    this.#onTick.add(listener);
    return { [Symbol.dispose]: () => this.#onTick.delete(listener) };
  }

  setPaused(isPaused: boolean): void {
    this.isPaused = isPaused;
    this.tick();
  }

  /** Notes a request of one installation and returns its manager. */
  contact(systemId: string | undefined, info: RunnerInfo | undefined, now: EpochMs): FakeManager {
    const id = systemId ?? '<legacy>';
    const known = this.managersBySystemId.get(id);
    if (known === undefined) {
      const manager: FakeManager = { systemId: id, info: info ?? {}, infoStoredAt: now, contactedAt: now };
      this.managersBySystemId.set(id, manager);
      return manager;
    }
    known.contactedAt = now;
    if (info !== undefined && now - known.infoStoredAt >= limits.managerRefreshMs) {
      known.info = info;
      known.infoStoredAt = now;
    }
    return known;
  }
}

export class RunnerRegistry {
  readonly #runners: FakeRunner[] = [];

  get all(): readonly FakeRunner[] {
    return this.#runners;
  }

  add(options: FakeRunnerOptions): FakeRunner {
    const runner = new FakeRunner(this.#runners.length + 1, options);
    this.#runners.push(runner);
    return runner;
  }

  /** @returns undefined for a token that is unknown or no longer accepted. */
  byToken(token: string): FakeRunner | undefined {
    return this.#runners.find((runner) => !runner.isRejected && isSameSecret(runner.token, token));
  }
}

export function isSameSecret(expected: string, given: string): boolean {
  const a = Buffer.from(expected);
  const b = Buffer.from(given);
  return a.length === b.length && timingSafeEqual(a, b);
}

function newCursor(): string {
  return systemRandom.base62(20);
}
