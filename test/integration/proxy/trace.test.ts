import { expect, it, vi } from 'vitest';
import { TraceError } from '../../../electron/core/trace/trace-error.ts';
import { TraceWriter } from '../../../electron/core/trace/trace-writer.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { aRun, jobToken } from './a-run.ts';

it('T01 sends a patch on as it came', async () => {
  await using run = await aRun();
  await run.patch(0, 'hello');
  const { method, target, headers, body } = run.gitlab.request;
  expect([method, target, body.toString()]).toEqual(['PATCH', '/api/v4/jobs/4711/trace?debug_trace=false', 'hello']);
  expect(headers).toMatchObject({
    'content-range': '0-4',
    'content-type': 'text/plain',
    'content-length': '5',
    'job-token': jobToken,
    host: run.gitlab.origin.slice('http://'.length),
  });
});

it('T02 relays 202 and keeps the bytes', async () => {
  await using run = await aRun();
  const answer = await run.patch(0, 'hello');
  expect(answer.status).toBe(202);
  expect(answer.headers).toMatchObject({
    range: '0-5',
    'job-status': 'running',
    'x-gitlab-trace-update-interval': '60',
  });
  expect(await run.kept()).toBe('hello');
  expect(run.of('trace-acknowledged')).toEqual([{ kind: 'trace-acknowledged', totalBytes: 5 }]);
});

it('keeps no more than the size GitLab names', async () => {
  await using run = await aRun();
  run.gitlab.next({ status: 202, headers: { Range: '0-3' } });
  await run.patch(0, 'hello');
  expect(await run.kept()).toBe('hel');
});

it('T03 relays 416 with its range and keeps nothing', async () => {
  await using run = await aRun();
  run.gitlab.trace = Buffer.from('hel');
  const answer = await run.patch(0, 'hello');
  expect([answer.status, answer.headers.range]).toEqual([416, '0-3']);
  expect(await run.kept()).toBe('');
});

it('T04 relays 403 with the status of the job, which is over then', async () => {
  await using run = await aRun();
  run.gitlab.next({ status: 403, headers: { 'Job-Status': 'failed' } });
  const answer = await run.patch(0, 'hello');
  expect([answer.status, answer.headers['job-status']]).toEqual([403, 'failed']);
  expect(run.listener.phase).toBe('finishing');
  expect(run.of('job-closed')).toEqual([
    { kind: 'job-closed', how: 'forbidden', state: null, failureReason: null, exitCode: null, jobStatus: 'failed' },
  ]);
});

it('T05 keeps a patch once that was sent twice', async () => {
  await using run = await aRun();
  run.gitlab.next({ status: 500 });
  expect((await run.patch(0, 'hello')).status).toBe(500);
  expect(await run.kept()).toBe('');
  expect((await run.patch(0, 'hello')).status).toBe(202);
  expect(await run.kept()).toBe('hello');
});

it('keeps what GitLab stored although its answer was lost', async () => {
  await using run = await aRun();
  run.gitlab.next((request, response) => {
    request.on('data', (chunk: Buffer) => {
      run.gitlab.trace = Buffer.concat([run.gitlab.trace, chunk]);
    });
    request.once('end', () => response.destroy());
  });
  expect((await run.patch(0, 'first ')).status).toBe(502);
  const resent = await run.patch(0, 'first and second');
  expect([resent.status, resent.headers.range]).toEqual([416, '0-6']);
  await run.patch(6, 'and second');
  expect(await run.kept()).toBe('first and second');
  expect(run.trace.gaps).toEqual([]);
});

it('keeps what GitLab stored although the process that sent it was killed', async () => {
  await using run = await aRun({ startIn: 'running' });
  run.gitlab.trace = Buffer.from('first ');
  await run.patch(0, 'first ');
  await run.patch(6, 'second');
  expect([await run.kept(), run.trace.gaps]).toEqual(['first second', []]);
});

it('keeps what GitLab acknowledged after the machine hung up', async () => {
  await using run = await aRun();
  run.gitlab.next((request, response) => {
    request.resume().once('end', () => {
      // The machine goes away while GitLab thinks.
      patch.destroy();
      run.gitlab.trace = Buffer.from('hello');
      patch.once('close', () => response.writeHead(202, { Range: '0-5' }).end());
    });
  });
  const patch = run.machine.open('PATCH', '/api/v4/jobs/4711/trace', {
    'job-token': jobToken,
    'content-range': '0-4',
    'content-length': 5,
  });
  patch.on('error', () => {});
  patch.end('hello');
  await vi.waitFor(async () => expect(await run.kept()).toBe('hello'));
});

it('T06 has the runner send every 3 seconds while somebody watches', async () => {
  await using run = await aRun();
  run.setWatched(true);
  expect((await run.patch(0, 'a')).headers['x-gitlab-trace-update-interval']).toBe('3');
  run.setWatched(false);
  expect((await run.patch(1, 'b')).headers['x-gitlab-trace-update-interval']).toBe('60');
});

it('T07 raises no interval', async () => {
  await using run = await aRun();
  run.setWatched(true);
  run.gitlab.next({ status: 202, headers: { Range: '0-1', 'X-GitLab-Trace-Update-Interval': '2' } });
  expect((await run.patch(0, 'a')).headers['x-gitlab-trace-update-interval']).toBe('2');
});

it('T08 relays 429 with its headers and asks for no haste for a minute', async () => {
  const clock = new FakeClock();
  await using run = await aRun({ clock });
  run.setWatched(true);
  run.gitlab.next({
    status: 429,
    headers: { 'Retry-After': '7', 'RateLimit-ResetTime': 'Mon, 23 Nov 2026 10:00:00 GMT' },
  });
  const refused = await run.patch(0, 'a');
  expect(refused.status).toBe(429);
  expect(refused.headers).toMatchObject({
    'retry-after': '7',
    'ratelimit-resettime': 'Mon, 23 Nov 2026 10:00:00 GMT',
  });
  expect((await run.patch(0, 'a')).headers['x-gitlab-trace-update-interval']).toBe('60');
  await clock.advance(60_000);
  expect((await run.patch(1, 'b')).headers['x-gitlab-trace-update-interval']).toBe('3');
});

it('T11 sends debug_trace=true on', async () => {
  await using run = await aRun();
  await run.machine.send({
    method: 'PATCH',
    target: '/api/v4/jobs/4711/trace?debug_trace=true',
    headers: { 'job-token': jobToken, 'content-range': '0-0' },
    body: 'x',
  });
  expect(run.gitlab.request.target).toBe('/api/v4/jobs/4711/trace?debug_trace=true');
  expect(run.gitlab.request.headers['content-type']).toBe('text/plain');
});

it('T12 answers 400 to another query', async () => {
  await using run = await aRun();
  const answer = await run.machine.send({
    method: 'PATCH',
    target: '/api/v4/jobs/4711/trace?debug_trace=true&x=1',
    headers: { 'job-token': jobToken, 'content-range': '0-0' },
    body: 'x',
  });
  expect([answer.status, run.gitlab.requests]).toEqual([400, []]);
});

it('T13 answers 413 to more than 4 MiB, announced or not', async () => {
  await using run = await aRun();
  const target = '/api/v4/jobs/4711/trace';
  const headers = { 'job-token': jobToken, 'content-range': '0-5242879' };
  const body = Buffer.alloc(5 * 1024 * 1024);
  const announced = await run.machine.send({ method: 'PATCH', target, headers, body });
  expect(announced.status).toBe(413);
  const chunked = { ...headers, 'transfer-encoding': 'chunked' };
  expect((await run.machine.send({ method: 'PATCH', target, headers: chunked, body })).status).toBe(413);
  expect(run.gitlab.requests).toEqual([]);
});

it('T14 answers 400 to a patch that does not say its place', async () => {
  await using run = await aRun();
  const patch = (headers: Record<string, string>) =>
    run.machine.send({ method: 'PATCH', target: '/api/v4/jobs/4711/trace', headers, body: 'x' });
  expect((await patch({ 'job-token': jobToken })).status).toBe(400);
  expect((await patch({ 'job-token': jobToken, 'content-range': 'bytes 0-0/1' })).status).toBe(400);
  expect(run.gitlab.requests).toEqual([]);
});

it('T15 sends one request to a slow GitLab, and further patches only after its answer', async () => {
  await using run = await aRun();
  let answerFirst = () => {};
  run.gitlab.next((request, response) => {
    request.resume();
    answerFirst = () => response.writeHead(202, { Range: '0-5' }).end();
  });
  const first = run.patch(0, 'hello');
  await vi.waitFor(() => expect(run.gitlab.requests).toHaveLength(1));
  const second = run.patch(5, ' world');
  await run.put({ state: 'running' });
  expect(run.gitlab.requests.map(({ method }) => method)).toEqual(['PATCH', 'PUT']);
  run.gitlab.trace = Buffer.from('hello');
  answerFirst();
  expect([(await first).status, (await second).status]).toEqual([202, 202]);
  expect(await run.kept()).toBe('hello world');
});

it('T16 answers 403 to a patch of another job', async () => {
  await using run = await aRun();
  const answer = await run.machine.send({
    method: 'PATCH',
    target: '/api/v4/jobs/4712/trace',
    headers: { 'job-token': jobToken, 'content-range': '0-0' },
    body: 'x',
  });
  expect([answer.status, run.gitlab.requests]).toEqual([403, []]);
});

it('goes on relaying when the disk is full, and says so once', async () => {
  const noSpace = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  const file = {
    write: () => Promise.reject(noSpace),
    truncate: () => Promise.resolve(),
    sync: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const trace = new TraceWriter({ file, sizeBytes: 0, gaps: [], saveGaps: () => Promise.resolve(), onClose: () => {} });
  await using run = await aRun({ trace });
  expect((await run.patch(0, 'hello')).status).toBe(202);
  expect((await run.patch(5, 'world')).status).toBe(202);
  expect(run.gitlab.trace.toString()).toBe('helloworld');
  expect(run.of('trace-degraded')).toEqual([{ kind: 'trace-degraded', error: expect.any(TraceError) }]);
  expect(run.of('trace-degraded')[0]?.error.code).toBe('trace/no-space');
});
