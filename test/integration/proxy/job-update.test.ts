import { expect, it, vi } from 'vitest';
import { FakeClock } from '../../fakes/clock.ts';
import { aRun, jobToken } from './a-run.ts';

it('U01 sends a status update on, its body unchanged', async () => {
  await using run = await aRun();
  const body = `{ "token":"${jobToken}", "state":"running","big":9007199254740993, "output":{} }`;
  const answer = await run.machine.send({
    method: 'PUT',
    target: '/api/v4/jobs/4711',
    headers: { 'content-type': 'application/json', 'job-token': jobToken },
    body,
  });
  expect([answer.status, answer.body.toString(), answer.headers['job-status']]).toEqual([200, '200', 'running']);
  expect([run.gitlab.request.target, run.gitlab.request.body.toString()]).toEqual(['/api/v4/jobs/4711', body]);
  expect(run.of('job-active')).toHaveLength(1);
});

it('keeps the path of a sub-path installation', async () => {
  await using run = await aRun({ basePath: '/gitlab' });
  await run.put({ state: 'running' });
  expect(run.gitlab.request.target).toBe('/gitlab/api/v4/jobs/4711');
});

it('U02 closes the job as success, and the listener after a minute of grace', async () => {
  const clock = new FakeClock();
  await using run = await aRun({ clock });
  // A server that is new enough says `success` or `failed` with the 200.
  run.gitlab.next({ status: 200, headers: { 'Job-Status': 'success' }, body: '200' });
  expect((await run.put({ state: 'success' })).status).toBe(200);
  expect(run.of('job-closed')).toEqual([
    {
      kind: 'job-closed',
      how: 'final-200',
      state: 'success',
      failureReason: null,
      exitCode: null,
      jobStatus: 'success',
    },
  ]);
  expect(run.listener.phase).toBe('finishing');
  await clock.advance(59_000);
  expect((await run.put({ state: 'success' })).status).toBe(200);
  await clock.advance(2_000);
  await expect(run.put({ state: 'success' })).rejects.toMatchObject({ code: 'ENOENT' });
  expect([run.listener.phase, run.of('job-closed').length]).toEqual(['closed', 1]);
});

it('U03 relays 202 with its interval, and closes the job with the 200 that follows', async () => {
  await using run = await aRun();
  run.setWatched(true);
  run.gitlab.next({ status: 202, headers: { 'X-GitLab-Trace-Update-Interval': '4' } });
  const noted = await run.put({ state: 'success', output: { checksum: 'crc32:00000000', bytesize: 0 } });
  expect([noted.status, noted.headers['x-gitlab-trace-update-interval']]).toEqual([202, '4']);
  expect(run.of('job-closed')).toEqual([]);
  expect((await run.put({ state: 'success' })).status).toBe(200);
  expect(run.of('job-closed')).toHaveLength(1);
});

it('U04 tells reason and exit code of a failure', async () => {
  await using run = await aRun();
  run.gitlab.next({ status: 200, headers: { 'Job-Status': 'failed' }, body: '200' });
  await run.put({ state: 'failed', failure_reason: 'script_failure', exit_code: 7 });
  const told = { state: 'failed', failureReason: 'script_failure', exitCode: 7 };
  expect(run.of('job-updated')).toEqual([{ kind: 'job-updated', ...told, status: 200 }]);
  expect(run.of('job-closed')).toEqual([{ kind: 'job-closed', how: 'final-200', ...told, jobStatus: 'failed' }]);
});

it('U05 takes the token of the body alone, and sends it on in the header too', async () => {
  await using run = await aRun();
  expect((await run.put({ state: 'running' }, {})).status).toBe(200);
  expect(run.gitlab.request.headers['job-token']).toBe(jobToken);
});

it('takes the token of the header alone', async () => {
  await using run = await aRun();
  expect((await run.put({ state: 'running', token: undefined })).status).toBe(200);
});

it.each([
  ['body', { token: 'glcbt-other' }, { 'job-token': jobToken }],
  ['header', {}, { 'job-token': 'glcbt-other' }],
  ['both', { token: undefined }, {}],
])('U06 answers 403 to a token that is wrong or missing: %s', async (_, body, headers) => {
  await using run = await aRun();
  expect((await run.put({ state: 'running', ...body }, headers)).status).toBe(403);
  expect(run.gitlab.requests).toEqual([]);
});

it('U07 answers 400 to what is no status update and 413 to more than 64 KiB', async () => {
  await using run = await aRun();
  const put = (body: string) =>
    run.machine.send({ method: 'PUT', target: '/api/v4/jobs/4711', headers: { 'job-token': jobToken }, body });
  expect((await put('state=running')).status).toBe(400);
  expect((await put('[]')).status).toBe(400);
  expect((await put(JSON.stringify({ state: 'running', x: 'x'.repeat(66_000) }))).status).toBe(413);
  expect(run.gitlab.requests).toEqual([]);
});

it('U08 relays canceling and tells it once', async () => {
  await using run = await aRun();
  const canceling = { status: 200, headers: { 'Job-Status': 'canceling' }, body: '200' };
  run.gitlab.next(canceling, canceling);
  expect((await run.put({ state: 'running' })).headers['job-status']).toBe('canceling');
  await run.put({ state: 'running' });
  expect([run.of('job-canceling').length, run.of('job-closed').length]).toEqual([1, 0]);
});

it('U10 relays 403 to the final update; the job is over without a state', async () => {
  await using run = await aRun();
  run.gitlab.next({ status: 403, headers: { 'Job-Status': 'canceled' } });
  const answer = await run.put({ state: 'success' });
  expect([answer.status, answer.headers['job-status']]).toEqual([403, 'canceled']);
  expect(run.of('job-closed')).toEqual([
    { kind: 'job-closed', how: 'forbidden', state: null, failureReason: null, exitCode: null, jobStatus: 'canceled' },
  ]);
});

it('U11 answers 503 with Retry-After while GitLab is down', async () => {
  await using run = await aRun();
  await run.gitlab[Symbol.asyncDispose]();
  const answer = await run.put({ state: 'success' });
  expect([answer.status, answer.headers['retry-after'], answer.body.toString()]).toEqual([
    503,
    '3',
    '{"message":"GitLab cannot be reached."}',
  ]);
  expect([run.of('job-updated'), run.of('job-active')]).toEqual([[], []]);
});

it('U11 answers 502 with Retry-After where GitLab hangs up', async () => {
  await using run = await aRun();
  run.gitlab.next((_, response) => response.destroy());
  const answer = await run.put({ state: 'success' });
  expect([answer.status, answer.headers['retry-after']]).toEqual([502, '3']);
});

it('answers 502 when GitLab says nothing for ten minutes', async () => {
  const clock = new FakeClock();
  await using run = await aRun({ clock });
  run.gitlab.next((request) => request.resume());
  const answer = run.put({ state: 'success' });
  await vi.waitFor(() => expect(run.gitlab.requests).toHaveLength(1));
  await clock.advance(600_000);
  expect((await answer).status).toBe(502);
});

it('U12 adds canceling after a graceful stop, also to a trace patch', async () => {
  await using run = await aRun();
  await run.put({ state: 'running' });
  run.listener.stop('graceful');
  const patched = await run.patch(0, 'hello');
  expect([patched.status, patched.headers['job-status'], patched.headers.range]).toEqual([202, 'canceling', '0-5']);
  expect((await run.put({ state: 'running' })).headers['job-status']).toBe('canceling');
  expect((await run.put({ state: 'failed' })).headers['job-status']).toBe('running');
  expect(run.of('job-canceling')).toEqual([]);
});

it('lets the first status update pass unmarked, because runners 18.5 to 19.0 would never end then', async () => {
  await using run = await aRun({ startIn: 'running' });
  run.listener.stop('graceful');
  expect((await run.put({ state: 'running' })).headers['job-status']).toBe('running');
  expect((await run.patch(0, 'a')).headers['job-status']).toBe('canceling');
});

it('U13 answers 403 canceled after an immediate stop, and GitLab hears nothing', async () => {
  await using run = await aRun();
  await run.put({ state: 'running' });
  run.listener.stop('immediate');
  const patched = await run.patch(0, 'hello');
  expect([patched.status, patched.headers['job-status']]).toEqual([403, 'canceled']);
  expect((await run.put({ state: 'success' })).status).toBe(403);
  expect(run.gitlab.requests).toHaveLength(1);
  expect(run.of('job-closed')).toEqual([]);
});

it('withdraws a job that is stopped before the runner asked', async () => {
  await using run = await aRun();
  run.listener.stop('graceful');
  expect((await run.ask()).status).toBe(204);
});

it.each([301, 302, 307])('answers 502 to a redirect %i of a status update', async (status) => {
  await using run = await aRun();
  run.gitlab.next({ status, headers: { Location: 'https://elsewhere.example/' } });
  const answer = await run.put({ state: 'running' });
  expect([answer.status, answer.headers.location]).toEqual([502, undefined]);
  expect(run.gitlab.requests).toHaveLength(1);
});

it('says when the runner was last heard of, and counts no refused request for that', async () => {
  const clock = new FakeClock();
  await using run = await aRun({ clock });
  await run.put({ state: 'running', token: 'glcbt-other' }, {});
  expect(run.listener.lastSeenAt).toBeNull();
  await clock.advance(5_000);
  await run.put({ state: 'running' });
  expect(run.listener.lastSeenAt).toBe(clock.now());
});

it('leaves no timer behind when it is closed', async () => {
  const clock = new FakeClock();
  {
    await using run = await aRun({ clock });
    await run.patch(0, 'hello');
    await run.put({ state: 'success' });
  }
  expect(clock.pendingCount).toBe(0);
});
