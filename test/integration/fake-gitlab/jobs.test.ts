import { describe, expect, it } from 'vitest';
import { FakeGitLab } from '../../fakes/gitlab/fake-gitlab.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { RunnerClient } from './runner-client.ts';

describe('the life of a job', () => {
  it('goes from enqueued over trace and keep-alive to success', async () => {
    await using folder = await temporaryDirectory();
    await using gitlab = await FakeGitLab.start({ directory: folder.path });
    const runner = gitlab.addRunner({ token: 'glrt-abcdefghi' });
    const job = gitlab.enqueue({ name: 'build' });
    const client = new RunnerClient(gitlab);

    const handedOut = await client.requestJob({ token: runner.token });
    const payload = (await handedOut.json()) as { id: number; token: string };
    expect([handedOut.status, handedOut.headers.get('content-type'), payload.id, payload.token]).toEqual([
      201,
      'application/json',
      job.id,
      job.token,
    ]);
    expect((await client.update(job.id, job.token, { state: 'running' })).status).toBe(200);
    expect((await client.patch(job.id, job.token, 0, 'hello\n')).headers.get('range')).toBe('0-6');
    const final = await client.update(job.id, job.token, { state: 'success' });

    expect([final.status, final.headers.get('job-status'), await final.text()]).toEqual([200, 'success', '200']);
    expect(await job.finished).toBe('success');
    expect(job.trace.toString()).toBe('hello\n');
    expect(job.updates.map(({ kind, status, state }) => [kind, status, state])).toEqual([
      ['request', 201, undefined],
      ['put', 200, 'running'],
      ['patch', 202, undefined],
      ['put', 200, 'success'],
    ]);
  });
});
