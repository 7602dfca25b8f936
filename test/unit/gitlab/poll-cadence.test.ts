import { describe, expect, it } from 'vitest';
import { backOffMs, serverWaitMs } from '../../../electron/core/gitlab/back-off.ts';
import { GitLabError, type GitLabErrorCode } from '../../../electron/core/gitlab/gitlab-error.ts';
import { freshMemory, nextPoll } from '../../../electron/core/gitlab/poll-cadence.ts';

const middle = { fraction: () => 0.5 };
const error = (code: GitLabErrorCode) => new GitLabError(code, 'x', { remedy: 'y' });
const failed = (code: GitLabErrorCode, waitMs?: number) => ({ kind: 'failed' as const, error: error(code), waitMs });
const nothing = (cursor: string | undefined) => ({ kind: 'nothing' as const, cursor, isLongPoll: false });

describe('nextPoll', () => {
  it('P04 keeps the cursor of a 204', () => {
    expect(nextPoll(freshMemory, nothing('c1'), 20, middle).memory.cursor).toBe('c1');
  });

  it('P05 asks again at once with the old cursor after a held 204 without one', () => {
    const next = nextPoll({ ...freshMemory, cursor: 'c1' }, nothing(undefined), 50_000, middle);
    expect([next.delayMs, next.memory.cursor]).toEqual([0, 'c1']);
  });

  it.each([
    [0, 2_400],
    [0.5, 3_000],
    [1, 3_600],
  ])('P06 waits the check interval with jitter %d after a quick 204', (fraction, delayMs) => {
    expect(nextPoll(freshMemory, nothing('c'), 20, { fraction: () => fraction }).delayMs).toBeCloseTo(delayMs);
  });

  it('P10 tries again within 1 to 3 s after a conflict, however often', () => {
    let memory = freshMemory;
    for (let turn = 0; turn < 5; turn += 1) {
      const next = nextPoll(memory, { kind: 'conflict' }, 20, middle);
      expect([next.delayMs, next.error, next.isStopped]).toEqual([2_000, null, false]);
      memory = next.memory;
    }
  });

  it('P11 stops the runner after three refusals in a row, not before', () => {
    const stops: boolean[] = [];
    let memory = freshMemory;
    for (let turn = 0; turn < 3; turn += 1) {
      const next = nextPoll(memory, { kind: 'refused', error: error('gitlab/token-rejected') }, 20, middle);
      stops.push(next.isStopped);
      memory = next.memory;
    }
    expect(stops).toEqual([false, false, true]);
  });

  it('P12 looks at an orphaned runner every five minutes', () => {
    const next = nextPoll(freshMemory, failed('gitlab/runner-orphaned'), 20, middle);
    expect([next.isStopped, next.delayMs]).toEqual([true, 300_000]);
  });

  it('P13 waits as long as GitLab asks', () => {
    expect(nextPoll(freshMemory, failed('gitlab/rate-limited', 7_000), 20, middle).delayMs).toBe(7_000);
  });

  it('P16 forgets its failures after an answer that is well', () => {
    const next = nextPoll({ ...freshMemory, failureCount: 9, refusalCount: 2 }, nothing('c'), 20, middle);
    expect([next.memory.failureCount, next.memory.refusalCount]).toEqual([0, 0]);
  });

  it('P25 remembers that this GitLab holds polls', () => {
    expect(nextPoll(freshMemory, { ...nothing('c'), isLongPoll: true }, 20, middle).memory.isLongPoll).toBe(true);
  });
});

describe('backOffMs', () => {
  it('P16 grows from a second to a minute and no further', () => {
    const most = [1, 2, 3, 4, 5, 6, 7, 8, 30].map((count) => backOffMs(count, { fraction: () => 1 }));
    expect(most).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });
});

describe('serverWaitMs', () => {
  const now = Date.parse('2026-11-23T09:00:00Z');
  const headers = (all: Record<string, string>) => (name: string) => all[name];

  it.each<[string, Record<string, string>, number | undefined]>([
    ['P13 reads Retry-After', { 'retry-after': '7' }, 7_000],
    [
      'P14 prefers a RateLimit-ResetTime in the future',
      { 'ratelimit-resettime': 'Mon, 23 Nov 2026 09:00:30 GMT', 'retry-after': '1' },
      30_000,
    ],
    [
      'ignores a RateLimit-ResetTime in the past',
      { 'ratelimit-resettime': 'Mon, 23 Nov 2026 08:00:00 GMT' },
      undefined,
    ],
    ['P15 ignores garbage', { 'ratelimit-resettime': 'soon', 'retry-after': 'a while' }, undefined],
    ['holds a long wait at 15 minutes', { 'retry-after': '86400' }, 900_000],
    ['waits a second at least', { 'retry-after': '0' }, 1_000],
  ])('%s', (_name, all, expected) => {
    expect(serverWaitMs(headers(all), now)).toBe(expected);
  });
});
