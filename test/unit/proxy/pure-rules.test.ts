import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { JobId } from '../../../electron/contract/ids.ts';
import { type Verdict, verdictOf } from '../../../electron/core/proxy/answer-verdict.ts';
import { Credentials } from '../../../electron/core/proxy/credentials.ts';
import { machineHeaders, upstreamHeaders } from '../../../electron/core/proxy/headers.ts';
import { isRelayOpen, nextPhase, type Phase, type PhaseFact } from '../../../electron/core/proxy/phase.ts';
import { machineLocation } from '../../../electron/core/proxy/redirects.ts';
import { Refusals } from '../../../electron/core/proxy/refusals.ts';
import { TransferWatch } from '../../../electron/core/proxy/transfer-watch.ts';
import { UpdateInterval } from '../../../electron/core/proxy/update-interval.ts';
import { FakeClock } from '../../fakes/clock.ts';

describe('the phase of a run', () => {
  const phases: Phase[] = ['booting', 'offered', 'running', 'finishing', 'closed'];
  const facts: PhaseFact[] = ['job-offered', 'handed-over', 'runner-active', 'job-over', 'closed'];
  it('follows each fact from each phase', () => {
    const table = Object.fromEntries(phases.map((phase) => [phase, facts.map((fact) => nextPhase(phase, fact))]));
    expect(table).toEqual({
      booting: ['offered', 'booting', 'booting', 'finishing', 'closed'],
      offered: ['offered', 'running', 'running', 'finishing', 'closed'],
      running: ['running', 'running', 'running', 'finishing', 'closed'],
      finishing: ['finishing', 'finishing', 'finishing', 'finishing', 'closed'],
      closed: ['closed', 'closed', 'closed', 'closed', 'closed'],
    });
    expect(phases.filter(isRelayOpen)).toEqual(['offered', 'running', 'finishing']);
  });
});

describe('what an answer of GitLab means', () => {
  type Case = [
    route: 'job-update' | 'trace',
    status: number,
    jobStatus: string | undefined,
    state: string | undefined,
    Verdict,
  ];
  const cases: Case[] = [
    ['job-update', 200, 'running', 'running', 'open'],
    ['job-update', 200, 'canceling', 'running', 'canceling'],
    ['job-update', 200, 'success', 'success', 'final-200'],
    ['job-update', 200, 'failed', 'failed', 'final-200'],
    ['job-update', 200, 'canceled', 'failed', 'final-200'],
    ['job-update', 200, 'canceled', 'running', 'forbidden'],
    ['job-update', 202, 'running', 'success', 'open'],
    ['job-update', 403, undefined, 'success', 'forbidden'],
    ['job-update', 404, undefined, 'running', 'forbidden'],
    ['job-update', 500, undefined, 'success', 'open'],
    ['job-update', 500, 'canceling', 'running', 'open'],
    ['trace', 202, 'running', undefined, 'open'],
    ['trace', 202, 'canceling', undefined, 'canceling'],
    ['trace', 202, 'failed', undefined, 'forbidden'],
    ['trace', 403, 'canceled', undefined, 'forbidden'],
    ['trace', 404, undefined, undefined, 'open'],
    ['trace', 416, 'running', undefined, 'open'],
  ];
  it.each(cases)('%s %i, job %s, reported %s: %5$s', (route, status, jobStatus, state, verdict) => {
    expect(verdictOf({ route, status, jobStatus, state })).toBe(verdict);
  });
});

describe('credentials', () => {
  const credentials = new Credentials('glrt-vm', {
    id: 7 as JobId,
    token: 'own',
    dependencies: [
      { id: 5 as JobId, token: 'own' },
      { id: 6 as JobId, token: 'theirs' },
    ],
  });
  it('know the token of the run', () => {
    expect(['glrt-vm', 'glrt-v', 'glrt-vmx', '', 'own'].map((token) => credentials.isVmToken(token))).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });
  it('open status, trace and uploads to the pair of own id and own token alone', () => {
    expect(credentials.ownToken('7', 'own')).toBe('own');
    for (const [id, token] of [
      ['7', 'theirs'],
      ['5', 'own'],
      ['6', 'theirs'],
      ['7', ''],
      ['07', 'own'],
    ] as const) {
      expect(credentials.ownToken(id, token)).toBeUndefined();
    }
  });
  it('open downloads to listed pairs', () => {
    const pairs = ['5', '6', '7', '8'].flatMap((id) => ['own', 'theirs'].map((token) => [id, token] as const));
    const open = pairs.filter(([id, token]) => credentials.downloadToken(id, token) === token);
    expect(open).toEqual([
      ['5', 'own'],
      ['6', 'theirs'],
      ['7', 'own'],
    ]);
  });
});

describe('headers', () => {
  it('drop a request id that is none', () => {
    const route = { name: 'job-update', jobId: '7' } as const;
    const sent = (id: string) => upstreamHeaders(route, { 'x-request-id': id }, 't').includes('X-Request-Id');
    expect(['abc-1', '', 'a b', 'x'.repeat(65)].map(sent)).toEqual([true, false, false, false]);
  });
  it('send what we read as JSON on as JSON, whatever the machine calls it', () => {
    const headers = upstreamHeaders({ name: 'job-update', jobId: '7' }, { 'content-type': 'text/plain' }, 't');
    expect(headers).toEqual(['JOB-TOKEN', 't', 'content-type', 'application/json']);
  });
  it('let rate limits through, and the first of a header that came twice', () => {
    const received: IncomingHttpHeaders = {
      'ratelimit-limit': '5',
      'ratelimit-resettime': 'x',
      'set-cookie': ['a'],
      'job-status': ['running', 'failed'],
    };
    expect(machineHeaders(received)).toEqual({
      'ratelimit-limit': '5',
      'ratelimit-resettime': 'x',
      'Job-Status': 'running',
    });
  });
});

describe('redirects of uploads', () => {
  const upstream = { origin: 'https://g.example', basePath: '/gitlab' };
  it.each([
    ['https://g.example/gitlab/api/v4/jobs/7/artifacts?a=b', 'http://10.0.2.100/api/v4/jobs/7/artifacts?a=b'],
    ['/gitlab/api/v4/jobs/7/artifacts', 'http://10.0.2.100/api/v4/jobs/7/artifacts'],
    ['https://g.example/gitlabx/api', 'https://g.example/gitlabx/api'],
    ['https://g.example.evil/gitlab/api', 'https://g.example.evil/gitlab/api'],
    ['http://g.example/gitlab/api', 'http://g.example/gitlab/api'],
    ['http://[', 'http://['],
  ])('%s', (location, expected) => expect(machineLocation(upstream, 'POST', 307, location)).toBe(expected));
  it('are not rewritten for downloads, and are nothing without a redirect', () => {
    const location = 'https://g.example/gitlab/api/v4/jobs/7/artifacts';
    expect(machineLocation(upstream, 'GET', 302, location)).toBe(location);
    expect(machineLocation(upstream, 'POST', 201, location)).toBeUndefined();
  });
});

it('refusals are told one by one, then every hundredth', () => {
  const refusals = new Refusals();
  const told = Array.from({ length: 300 }, (_, index) => (refusals.add() ? index + 1 : 0)).filter((count) => count > 0);
  expect(told).toEqual([...Array.from({ length: 50 }, (_, index) => index + 1), 100, 200, 300]);
});

it('an interval that is no number is left alone', () => {
  const interval = new UpdateInterval(new FakeClock(), () => true);
  expect(['60', '3', '0', '-1', 'soon', ''].map((sent) => interval.forMachine(sent))).toEqual([
    '3',
    '3',
    '0',
    '-1',
    'soon',
    '',
  ]);
});

describe('the watch over a transfer', () => {
  const limits = { idleMs: 1_000, transferMs: 3_500 };
  it('ends one on which nothing moves', async () => {
    const clock = new FakeClock();
    let overAtMs = 0;
    using watch = new TransferWatch(clock, { ...limits, onOver: () => (overAtMs = clock.monotonicMs()) });
    await clock.advance(900);
    watch.touch();
    await clock.advance(3_000);
    expect(overAtMs).toBe(1_900);
  });
  it('ends one that takes too long, however it moves', async () => {
    const clock = new FakeClock();
    let overAtMs = 0;
    using watch = new TransferWatch(clock, { ...limits, onOver: () => (overAtMs = clock.monotonicMs()) });
    for (let step = 0; step < 9; step += 1) {
      await clock.advance(500);
      watch.touch();
    }
    expect(overAtMs).toBe(3_500);
  });
  it('leaves no timer behind', () => {
    const clock = new FakeClock();
    const watch = new TransferWatch(clock, { ...limits, onOver: () => {} });
    watch[Symbol.dispose]();
    watch.setIdle(10);
    expect(clock.pendingCount).toBe(0);
  });
});
