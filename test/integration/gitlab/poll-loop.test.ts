import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunnerStatus } from '../../../electron/contract/state.ts';
import type { AcceptedJob } from '../../../electron/core/gitlab/accepted-job.ts';
import { connectUpstream } from '../../../electron/core/gitlab/connect-upstream.ts';
import { type Claim, pollForJobs } from '../../../electron/core/gitlab/poll-loop.ts';
import { RunnerApi } from '../../../electron/core/gitlab/runner-api.ts';
import type { RunnerInfo } from '../../../electron/core/gitlab/runner-info.ts';
import { systemClock } from '../../../electron/core/platform/clock.ts';
import { silentLog } from '../../../electron/core/platform/log.ts';
import { systemRandom } from '../../../electron/core/platform/random.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { FakeGitLab, type FakeGitLabOptions } from '../../fakes/gitlab/fake-gitlab.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const info: RunnerInfo = {
  name: 'gitlab-runner',
  version: '19.1.0',
  revision: 'abc',
  platform: 'linux',
  architecture: 'amd64',
  executor: 'shell',
  shell: 'bash',
  features: { refspecs: true, cancel_gracefully: true, session: true, two_phase_job_commit: true },
};
const systemId = 'r_Fb0000000001';

let scope: AsyncDisposableStack;
let folder: string;
beforeEach(async () => {
  scope = new AsyncDisposableStack();
  folder = scope.use(await temporaryDirectory()).path;
});
afterEach(() => scope.disposeAsync());

async function gitlab(options: Partial<FakeGitLabOptions> = {}): Promise<FakeGitLab> {
  return scope.use(await FakeGitLab.start({ directory: folder, longPollMs: 0, ...options }));
}

/** A poll loop with room for `slotCount` runs; what it took, showed and asked is written down. */
function polling(
  server: FakeGitLab,
  runnerToken: string,
  options: { slotCount?: number; url?: string; caPem?: string; clock?: FakeClock } = {},
) {
  const upstream = scope.use(connectUpstream(options.url ?? server.url, options.caPem ?? null));
  const clock = options.clock ?? systemClock;
  const api = new RunnerApi({ clock }, { upstream, runnerToken, systemId, userAgent: 'forrest-bench/test' });
  const controller = new AbortController();
  const jobs: { job: AcceptedJob; claim: Claim }[] = [];
  const statuses: RunnerStatus[] = [];
  let free = options.slotCount ?? 1;
  const waiting: (() => void)[] = [];
  const claim = async (_onWait: (why: string) => void, signal: AbortSignal): Promise<Claim> => {
    while (free <= 0) {
      await new Promise<void>((resolve, reject) => {
        waiting.push(resolve);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    }
    free -= 1;
    return {
      isContended: false,
      release: () => {
        free += 1;
        waiting.shift()?.();
      },
    };
  };
  const ended = pollForJobs(
    { clock, random: systemRandom, log: silentLog },
    {
      api,
      info: () => info,
      claim,
      onJob: (job, taken) => jobs.push({ job, claim: taken }),
      onStatus: (status) => statuses.push(status),
      onAnswer: () => {},
    },
    controller.signal,
  );
  scope.defer(async () => {
    controller.abort();
    await ended;
  });
  return { jobs, statuses, controller, ended };
}

const polls = (server: FakeGitLab) => server.requests.filter((request) => request.route === 'jobs-request');
const bodyOf = (server: FakeGitLab, index: number) => JSON.parse(polls(server)[index]?.body ?? 'null');

describe('pollForJobs', () => {
  it('P01 asks below the path of a sub-path installation', async () => {
    const server = await gitlab({ basePath: '/gitlab' });
    polling(server, server.addRunner().token);
    await vi.waitFor(() => expect(polls(server)[0]?.path).toBe('/gitlab/api/v4/jobs/request'));
  });

  it('P03 says who it is, what it can do and nothing it cannot', async () => {
    const server = await gitlab();
    const runner = server.addRunner();
    polling(server, runner.token);
    await vi.waitFor(() => expect(polls(server)).toHaveLength(1));
    expect(bodyOf(server, 0)).toEqual({
      token: runner.token,
      system_id: systemId,
      info: {
        ...info,
        config: { gpus: '' },
        features: {
          refspecs: true,
          cancel_gracefully: true,
          session: false,
          terminal: false,
          two_phase_job_commit: false,
        },
      },
    });
  });

  it('P04 sends the cursor of the last answer with the next poll', async () => {
    const server = await gitlab();
    const clock = new FakeClock();
    const runner = server.addRunner();
    const cursor = runner.cursor;
    polling(server, runner.token, { clock });
    await vi.waitFor(() => expect(polls(server)[0]?.status).toBe(204));
    await vi.waitFor(async () => {
      await clock.advance(4_000);
      expect(polls(server).length).toBeGreaterThan(1);
    });
    expect(bodyOf(server, 1)).toMatchObject({ last_update: cursor });
  });

  it('P25 is held by a GitLab that holds polls, and gets a job that comes meanwhile', async () => {
    const server = await gitlab({ longPollMs: 20_000 });
    const clock = new FakeClock();
    const { jobs, statuses } = polling(server, server.addRunner().token, { clock });
    await vi.waitFor(async () => {
      await clock.advance(4_000);
      expect(statuses).toContainEqual({ kind: 'polling', isLongPoll: true });
    });
    await vi.waitFor(() => expect(polls(server).at(-1)?.status).toBeNull());
    server.enqueue({ name: 'late' });
    await vi.waitFor(async () => {
      await clock.advance(4_000);
      expect(jobs.map(({ job }) => job.view.name)).toEqual(['late']);
    });
  });

  it('P08 asks for nothing while its one slot is taken, and again once it is free', async () => {
    const server = await gitlab();
    const [first, second] = [server.enqueue({ name: 'first' }), server.enqueue({ name: 'second' })];
    const { jobs } = polling(server, server.addRunner().token);
    await vi.waitFor(() => expect(jobs).toHaveLength(1));
    expect([first.state, second.state, polls(server).length]).toEqual(['running', 'pending', 1]);
    jobs[0]?.claim.release();
    await vi.waitFor(() => expect(jobs.map(({ job }) => job.view.name)).toEqual(['first', 'second']));
  });

  it('P20 keeps the bytes of the payload', async () => {
    const server = await gitlab();
    server.enqueue({ editPayload: (json) => json.replace('{', '{ "unknown" : 9007199254740993, ') });
    const { jobs } = polling(server, server.addRunner().token);
    await vi.waitFor(() => expect(jobs).toHaveLength(1));
    expect(new TextDecoder().decode(jobs[0]?.job.payload)).toMatch(/^\{ "unknown" : 9007199254740993, /);
  });

  it.each<[string, Parameters<FakeGitLab['failNext']>[1], string]>([
    ['P13 429', { status: 429, headers: { 'retry-after': '7' } }, 'gitlab/rate-limited'],
    ['P16 503', { status: 503 }, 'gitlab/server-error'],
    ['P16 a reset connection', 'reset', 'gitlab/unreachable'],
    ['P17 a redirect', { status: 301, headers: { location: 'https://127.0.0.1:1/' } }, 'gitlab/wrong-url'],
    [
      'P18 a job as text/html',
      { status: 201, headers: { 'content-type': 'text/html' }, body: '<p>' },
      'gitlab/protocol',
    ],
    ['P19 a job cut short', 'truncate', 'gitlab/protocol'],
    ['404', { status: 404 }, 'gitlab/wrong-url'],
  ])('shows and survives %s, then takes a job', async (_name, fault, code) => {
    const server = await gitlab();
    const clock = new FakeClock();
    if (fault === 'truncate') server.enqueue({ name: 'lost' });
    server.failNext('jobs-request', fault);
    const { jobs, statuses } = polling(server, server.addRunner().token, { clock });
    await vi.waitFor(() => expect(statuses.at(-1)).toMatchObject({ kind: 'backing-off', error: { code } }));
    server.enqueue({ name: 'next' });
    await vi.waitFor(async () => {
      await clock.advance(5_000);
      expect(jobs.map(({ job }) => job.view.name)).toEqual(['next']);
    });
  });

  it('P11 stops a runner whose token is rejected, looks again after five minutes and goes on', async () => {
    const server = await gitlab();
    const clock = new FakeClock();
    const runner = server.addRunner();
    runner.isRejected = true;
    const { jobs, statuses } = polling(server, runner.token, { clock });
    await vi.waitFor(async () => {
      await clock.advance(3_000);
      expect(statuses.at(-1)).toMatchObject({ kind: 'stopped', error: { code: 'gitlab/token-rejected' } });
    });
    expect(polls(server)).toHaveLength(3);
    runner.isRejected = false;
    server.enqueue();
    await vi.waitFor(async () => {
      await clock.advance(60_000);
      expect(jobs).toHaveLength(1);
    });
  });

  it('P12 shows a runner that has lost its owner', async () => {
    const server = await gitlab();
    const runner = server.addRunner();
    runner.isOrphaned = true;
    const { statuses } = polling(server, runner.token);
    await vi.waitFor(() =>
      expect(statuses.at(-1)).toMatchObject({ kind: 'stopped', error: { code: 'gitlab/runner-orphaned' } }),
    );
  });

  it('shows a GitLab that does not answer', async () => {
    const server = await gitlab();
    const { statuses } = polling(server, 'glrt-x', { url: 'http://127.0.0.1:1' });
    await vi.waitFor(() =>
      expect(statuses.at(-1)).toMatchObject({ kind: 'backing-off', error: { code: 'gitlab/unreachable' } }),
    );
  });

  it('P21 waits for a young request before it ends, and hands on the job it brings', async () => {
    const server = await gitlab();
    server.setDelay('jobs-request', 300);
    server.enqueue({ name: 'young' });
    const { jobs, controller, ended } = polling(server, server.addRunner().token);
    await vi.waitFor(() => expect(polls(server)).toHaveLength(1));
    controller.abort();
    await ended;
    expect(jobs.map(({ job }) => job.view.name)).toEqual(['young']);
  });

  describe('P23 a GitLab with a certificate of its own', () => {
    function certificate(): { key: string; cert: string } {
      const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
      const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
      execFileSync(
        'openssl',
        ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...subject],
        { stdio: 'ignore' },
      );
      return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
    }

    it('is refused without its CA, with the remedy', async () => {
      const server = await gitlab({ tls: certificate() });
      const { statuses } = polling(server, server.addRunner().token);
      await vi.waitFor(() =>
        expect(statuses.at(-1)).toMatchObject({
          error: { code: 'gitlab/certificate', remedy: expect.stringContaining('ca-file') },
        }),
      );
      expect(polls(server)).toEqual([]);
    });

    it('is trusted with its CA', async () => {
      const tls = certificate();
      const server = await gitlab({ tls });
      server.enqueue();
      const { jobs } = polling(server, server.addRunner().token, { caPem: tls.cert });
      await vi.waitFor(() => expect(jobs).toHaveLength(1));
    });
  });
});
