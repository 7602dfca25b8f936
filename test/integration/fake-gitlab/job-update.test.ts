import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../fakes/clock.ts';
import { aGitLab } from './a-gitlab.ts';
import { allFeatures } from './runner-client.ts';

const minuteMs = 60_000;
const statusOf = (response: Response) => [response.status, response.headers.get('job-status')];

describe('an update', () => {
  it('takes a job to its end, and is answered with a bare number', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    const alive = await bench.client.update(job, { state: 'running' });
    const final = await bench.client.update(job, { state: 'success' });
    expect([statusOf(alive), await alive.text()]).toEqual([[200, 'running'], '200']);
    expect([statusOf(final), await final.text()]).toEqual([[200, 'success'], '200']);
    expect(await job.finished).toBe('success');
    expect(job.updates.map(({ kind, status, state }) => [kind, status, state])).toEqual([
      ['request', 201, undefined],
      ['put', 200, 'running'],
      ['put', 200, 'success'],
    ]);
    expect(job.reportedStates).toEqual(['running', 'success']);
  });

  it.each([
    ['script_failure', 'script_failure'],
    ['runner_system_failure', 'runner_system_failure'],
    ['a reason of tomorrow', 'unknown_failure'],
    [undefined, 'unknown_failure'],
  ])('with failure reason %s is stored as %s', async (given, stored) => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    await bench.client.update(job, { state: 'failed', failure_reason: given, exit_code: 7 });
    expect([job.state, job.failureReason, job.exitCode]).toEqual(['failed', stored, 7]);
  });

  it.each([undefined, 'pending', 'canceled', 'done'])(
    'with state %s is answered 400 and changes nothing',
    async (state) => {
      await using bench = await aGitLab();
      const job = await bench.runningJob();
      expect((await bench.client.update(job, { state })).status).toBe(400);
      expect(job.state).toBe('running');
    },
  );

  it('is refused with a wrong id, a wrong token, two tokens, or none', async () => {
    await using bench = await aGitLab();
    const { client } = bench;
    const job = await bench.runningJob();
    const other = await bench.runningJob();
    const put = (headers: Record<string, string>, body: unknown) =>
      client.send('PUT', `/jobs/${job.id}`, {
        headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
    const answers = [
      await client.update({ id: job.id + 100, token: job.token }, { state: 'success' }),
      await client.update({ id: job.id, token: other.token }, { state: 'success' }),
      await put({ 'JOB-TOKEN': other.token }, { token: job.token, state: 'success' }),
      await put({ 'JOB-TOKEN': job.token }, { state: 'success' }),
    ];
    expect(answers.map(statusOf)).toEqual([
      [403, null],
      [403, null],
      [403, null],
      [400, null],
    ]);
    expect(job.state).toBe('running');
    const byBodyAlone = await put({}, { token: job.token, state: 'success' });
    expect([byBodyAlone.status, job.state]).toEqual([200, 'success']);
  });

  it('is refused for a job that has finished, with its state', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    await bench.client.update(job, { state: 'success' });
    const late = await bench.client.update(job, { state: 'failed' });
    expect([statusOf(late), job.state]).toEqual([[403, 'success'], 'success']);
  });

  it('is refused for a job that nobody was given yet', async () => {
    await using bench = await aGitLab();
    const job = bench.gitlab.enqueue();
    expect(statusOf(await bench.client.update(job, { state: 'success' }))).toEqual([403, 'pending']);
  });

  it('is refused for an erased job, without its state', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    await bench.client.patch(job, 0, 'text');
    job.erase();
    expect(statusOf(await bench.client.update(job, { state: 'running' }))).toEqual([403, null]);
    expect([job.state, job.trace.length]).toEqual(['canceled', 0]);
  });
});

describe('a final update with a checksum, while trace chunks are migrated', () => {
  const final = { state: 'success', output: { checksum: 'crc32:00000000', bytesize: 0 } };
  const intervalOf = (response: Response) => response.headers.get('x-gitlab-trace-update-interval');

  it('is only noted at first, with growing pauses', async () => {
    await using bench = await aGitLab({ acceptedFinalUpdates: 3 });
    const job = await bench.runningJob();
    const answers = [];
    for (let attempt = 0; attempt < 4; attempt += 1) answers.push(await bench.client.update(job, final));
    expect(answers.map((answer) => [...statusOf(answer), intervalOf(answer)])).toEqual([
      [202, 'running', '1'],
      [202, 'running', '2'],
      [202, 'running', '4'],
      [200, 'success', null],
    ]);
  });

  it('is completed by force after five minutes', async () => {
    const clock = new FakeClock();
    await using bench = await aGitLab({ acceptedFinalUpdates: 100, clock });
    const job = await bench.runningJob();
    const first = await bench.client.update(job, final);
    await clock.advance(5 * minuteMs);
    const second = await bench.client.update(job, final);
    expect([first.status, second.status, job.state]).toEqual([202, 200, 'success']);
  });

  it('does not concern updates without one, nor keep-alives', async () => {
    await using bench = await aGitLab({ acceptedFinalUpdates: 3 });
    const job = await bench.runningJob();
    const alive = await bench.client.update(job, { ...final, state: 'running' });
    const bare = await bench.client.update(job, { state: 'failed', failure_reason: 'runner_system_failure' });
    expect([alive.status, bare.status, job.state]).toEqual([200, 200, 'failed']);
  });
});

describe('cancel', () => {
  it('lets a runner that can do so finish, and calls the job canceled whatever it reports', async () => {
    await using bench = await aGitLab();
    const { client } = bench;
    const job = await bench.runningJob();
    job.cancel();
    expect(statusOf(await client.update(job, { state: 'running' }))).toEqual([200, 'canceling']);
    expect(statusOf(await client.patch(job, 0, 'after_script\n'))).toEqual([202, 'canceling']);
    const final = await client.update(job, { state: 'failed', failure_reason: 'job_canceled' });
    expect([statusOf(final), await job.finished, job.failureReason]).toEqual([[200, 'canceled'], 'canceled', null]);
  });

  it('ends the job of any other runner at once', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob({}, { ...allFeatures, cancel_gracefully: false });
    job.cancel();
    expect(statusOf(await bench.client.update(job, { state: 'running' }))).toEqual([403, 'canceled']);
    expect(statusOf(await bench.client.patch(job, 0, 'more'))).toEqual([403, 'canceled']);
  });

  it('goes by what the installation announced first, for forty minutes', async () => {
    const clock = new FakeClock();
    await using bench = await aGitLab({ clock });
    const { client, runner } = bench;
    await client.requestJob({ token: runner.token, features: {} });
    const before = await bench.runningJob();
    before.cancel();
    await clock.advance(40 * minuteMs);
    const after = await bench.runningJob();
    after.cancel();
    expect([before.state, after.state]).toEqual(['canceled', 'canceling']);
  });

  it('by force ends a canceling job', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    job.cancel();
    job.forceCancel();
    expect(statusOf(await bench.client.update(job, { state: 'running' }))).toEqual([403, 'canceled']);
  });

  it('takes a job out of the queue', async () => {
    await using bench = await aGitLab();
    bench.gitlab.enqueue().cancel();
    expect((await bench.client.requestJob({ token: bench.runner.token })).status).toBe(204);
  });
});

describe('time', () => {
  it('ends a job a quarter of an hour after its timeout', async () => {
    const clock = new FakeClock();
    await using bench = await aGitLab({ clock });
    const job = await bench.runningJob({ timeoutSeconds: 600 });
    await clock.advance(25 * minuteMs - 1);
    expect(job.state).toBe('running');
    await clock.advance(1);
    expect([job.state, job.failureReason]).toEqual(['failed', 'server_timeout_running']);
    expect(statusOf(await bench.client.update(job, { state: 'success' }))).toEqual([403, 'failed']);
  });

  it('ends a job half an hour after it was last heard of', async () => {
    const clock = new FakeClock();
    await using bench = await aGitLab({ clock });
    const job = await bench.runningJob({ timeoutSeconds: 36_000 });
    await clock.advance(20 * minuteMs);
    await bench.client.update(job, { state: 'running' });
    await clock.advance(30 * minuteMs - 1);
    expect(job.state).toBe('running');
    await clock.advance(1);
    expect([job.state, job.failureReason, clock.pendingCount]).toEqual(['failed', 'no_updates_running', 0]);
  });

  it('leaves no timer behind when a job or the instance ends', async () => {
    const clock = new FakeClock();
    {
      await using bench = await aGitLab({ clock });
      const job = await bench.runningJob();
      await bench.client.update(job, { state: 'success' });
      expect(clock.pendingCount).toBe(0);
      await bench.runningJob();
    }
    expect(clock.pendingCount).toBe(0);
  });
});
