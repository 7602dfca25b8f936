import { randomBytes } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { FakeClock } from '../../fakes/clock.ts';
import type { GitLabChange } from '../../fakes/gitlab/fake-gitlab.ts';
import { aGitLab } from './a-gitlab.ts';

describe('a planned fault', () => {
  it('replaces the next answers of its route, in the order they were planned, and has no other effect', async () => {
    await using bench = await aGitLab();
    const { gitlab, client, runner } = bench;
    const job = gitlab.enqueue();
    gitlab.failNext('jobs-request', { status: 503, headers: { 'Retry-After': '7' }, body: 'down' }, 2);
    gitlab.failNext('jobs-request', { status: 201, headers: { 'Content-Type': 'text/html' }, body: '<html>' });
    const answers = [];
    for (let count = 0; count < 3; count += 1) answers.push(await client.requestJob({ token: runner.token }));
    const seen = answers.map(({ status, headers }) => [
      status,
      headers.get('retry-after'),
      headers.get('content-type'),
    ]);
    expect([seen, job.state]).toEqual([
      [
        [503, '7', null],
        [503, '7', null],
        [201, null, 'text/html'],
      ],
      'pending',
    ]);
    expect((await client.requestJob({ token: runner.token })).status).toBe(201);
  });

  it('can be taken back', async () => {
    await using bench = await aGitLab();
    bench.gitlab.failNext('jobs-request', 'reset', Number.POSITIVE_INFINITY);
    bench.gitlab.clearFaults('jobs-request');
    expect((await bench.client.requestJob({ token: bench.runner.token })).status).toBe(204);
  });

  it('answers an upload that is still being sent', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    bench.gitlab.failNext('artifacts-upload', { status: 503 });
    const upload = { bytes: randomBytes(3 * 1024 ** 2) };
    expect((await bench.client.upload(job.id, job.token, upload)).status).toBe(503);
    expect((await bench.client.upload(job.id, job.token, upload)).status).toBe(201);
  });

  it('reset: cuts the connection before anything happens', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    bench.gitlab.failNext('trace', 'reset');
    await expect(bench.client.patch(job, 0, 'text')).rejects.toThrow('fetch failed');
    expect([job.traceSizeBytes, bench.gitlab.requests.at(-1)?.status]).toEqual([0, null]);
  });

  it('lost-answer: does the work and says nothing', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    bench.gitlab.failNext('trace', 'lost-answer');
    await expect(bench.client.patch(job, 0, 'text')).rejects.toThrow('fetch failed');
    const again = await bench.client.patch(job, 0, 'text');
    expect([job.trace.toString(), again.status, again.headers.get('range')]).toEqual(['text', 416, '0-4']);
  });

  it('truncate: does the work and stops in the middle of the answer', async () => {
    await using bench = await aGitLab();
    const job = bench.gitlab.enqueue();
    bench.gitlab.failNext('jobs-request', 'truncate');
    const response = await bench.client.requestJob({ token: bench.runner.token });
    expect([response.status, job.state]).toEqual([201, 'running']);
    await expect(response.text()).rejects.toThrow('terminated');
  });

  it('truncate: stops in the middle of a download', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    await bench.client.upload(job.id, job.token, { bytes: randomBytes(1024 ** 2) });
    bench.gitlab.failNext('artifacts-download', 'truncate');
    const response = await bench.client.download(job.id, job.token);
    expect(response.status).toBe(200);
    await expect(response.arrayBuffer()).rejects.toThrow('terminated');
  });
});

describe('a delay', () => {
  it('passes by the clock, before anything happens', async () => {
    const clock = new FakeClock();
    await using bench = await aGitLab({ clock });
    const job = bench.gitlab.enqueue();
    bench.gitlab.setDelay('jobs-request', 20_000);
    const pending = bench.client.requestJob({ token: bench.runner.token });
    await vi.waitFor(() => expect(clock.pendingCount).toBe(1));
    expect(job.state).toBe('pending');
    await clock.advance(20_000);
    expect((await pending).status).toBe(201);
  });
});

describe('the request log', () => {
  it('shows each request as it came and how it was answered', async () => {
    const clock = new FakeClock();
    await using bench = await aGitLab({ clock, basePath: '/gitlab' });
    const job = await bench.runningJob();
    await bench.client.update(job, { state: 'running' });
    await bench.client.patch(job, 5, 'text');
    await bench.client.send('DELETE', '/runners?all=yes');
    const { requests } = bench.gitlab;
    expect(requests.map(({ route, method, path, query, status }) => [route, method, path, query, status])).toEqual([
      ['jobs-request', 'POST', '/gitlab/api/v4/jobs/request', '', 201],
      ['job-update', 'PUT', `/gitlab/api/v4/jobs/${job.id}`, '', 200],
      ['trace', 'PATCH', `/gitlab/api/v4/jobs/${job.id}/trace`, 'debug_trace=false', 416],
      [null, 'DELETE', '/gitlab/api/v4/runners', 'all=yes', 404],
    ]);
    expect(JSON.parse(requests[1]?.body ?? '')).toEqual({ token: job.token, state: 'running' });
    expect([requests[1]?.at, requests[1]?.answeredAt, requests[2]?.headers['content-range']]).toEqual([
      clock.now(),
      clock.now(),
      '5-8',
    ]);
  });

  it('forgets the oldest', async () => {
    await using bench = await aGitLab({ requestLogSize: 8 });
    for (let count = 0; count < 20; count += 1) await bench.client.send('GET', `/count/${count}`);
    const { requests } = bench.gitlab;
    expect(requests.length).toBeLessThan(11);
    expect(requests.at(-1)?.path).toBe('/api/v4/count/19');
  });
});

describe('changes', () => {
  it('are told in order, until the listener leaves', async () => {
    await using bench = await aGitLab();
    const { gitlab, client } = bench;
    const told: string[] = [];
    const word = (change: GitLabChange) => {
      switch (change.kind) {
        case 'job-state':
          return change.state;
        case 'trace':
          return `${change.sizeBytes} bytes`;
        case 'artifact':
          return change.artifact.type;
        case 'request':
          return `${change.request.route} ${change.request.status}`;
      }
    };
    const listening = gitlab.onChange((change) => told.push(word(change)));
    const job = await bench.runningJob();
    await client.patch(job, 0, 'text');
    await client.upload(job.id, job.token, { bytes: Buffer.from('x') });
    await client.update(job, { state: 'success' });
    listening[Symbol.dispose]();
    gitlab.enqueue();
    expect(told).toEqual([
      'pending',
      'running',
      'jobs-request 201',
      '4 bytes',
      'trace 202',
      'archive',
      'artifacts-upload 201',
      'success',
      'job-update 200',
    ]);
  });
});
