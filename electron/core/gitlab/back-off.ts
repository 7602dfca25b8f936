import type { Random } from '../platform/random.ts';

const firstMs = 1_000;
const capMs = 60_000;
const shortestServerWaitMs = 1_000;
const longestServerWaitMs = 15 * 60_000;

/**
 * Own back-off: 1 s doubled per failure in a row, full jitter, at most a minute (protocol document 1.5).
 * @param failureCount Failures in a row, this one included; from 1.
 */
export function backOffMs(failureCount: number, random: Pick<Random, 'fraction'>): number {
  const ceilingMs = Math.min(capMs, firstMs * 2 ** Math.min(failureCount - 1, 16));
  return Math.round(firstMs / 2 + random.fraction() * (ceilingMs - firstMs / 2));
}

/**
 * What the server asks us to wait: `RateLimit-ResetTime` (a date in the future) before `Retry-After` (whole seconds),
 * held between 1 s and 15 min. Undefined where it says nothing usable.
 */
export function serverWaitMs(header: (name: string) => string | undefined, nowMs: number): number | undefined {
  const reset = Date.parse(header('ratelimit-resettime') ?? '');
  const retryAfter = header('retry-after');
  const waitMs =
    reset > nowMs
      ? reset - nowMs
      : retryAfter !== undefined && /^\d{1,9}$/.test(retryAfter)
        ? Number(retryAfter) * 1000
        : undefined;
  return waitMs === undefined ? undefined : Math.min(longestServerWaitMs, Math.max(shortestServerWaitMs, waitMs));
}
