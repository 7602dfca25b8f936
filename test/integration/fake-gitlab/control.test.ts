import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { type AGitLab, aGitLab } from './a-gitlab.ts';

function control(bench: AGitLab, method: string, path: string, body?: unknown): Promise<Response> {
  const { gitlab } = bench;
  return fetch(`${gitlab.url}/-/control/${path}`, {
    method,
    headers: { Authorization: `Bearer ${gitlab.controlToken}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

describe('the control API', () => {
  it('wants its token', async () => {
    await using bench = await aGitLab();
    const url = `${bench.gitlab.url}/-/control/jobs`;
    const answers = [
      await fetch(url),
      await fetch(url, { headers: { Authorization: `Bearer ${bench.runner.token}` } }),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([401, 401]);
  });

  it('enqueues jobs that need each other, lists them and shows a trace', async () => {
    await using bench = await aGitLab();
    await control(bench, 'POST', 'projects', { path: 'demo/two', files: { 'a.txt': 'a' } });
    const first = (await (
      await control(bench, 'POST', 'jobs', { name: 'first', project: 'demo/two', script: ['echo 1'] })
    ).json()) as { id: number };
    await control(bench, 'POST', 'jobs', { name: 'second', project: 'demo/two', needs: [first.id] });
    await (await bench.client.requestJob({ token: bench.runner.token })).json();
    const job = bench.gitlab.job(first.id);
    await bench.client.patch({ id: first.id, token: job?.token ?? '' }, 0, 'hello\n');
    const list = (await (await control(bench, 'GET', 'jobs')).json()) as Record<string, unknown>[];
    expect(list.map(({ name, project, state, systemId }) => [name, project, state, systemId])).toEqual([
      ['first', 'demo/two', 'running', 's_0123456789ab'],
      ['second', 'demo/two', 'created', null],
    ]);
    expect(await (await control(bench, 'GET', `jobs/${first.id}/trace`)).text()).toBe('hello\n');
  });

  it('cancels, gracefully or at once', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    const first = (await (await control(bench, 'POST', `jobs/${job.id}/cancel`, {})).json()) as { state: string };
    const then = (await (await control(bench, 'POST', `jobs/${job.id}/cancel`, { force: true })).json()) as {
      state: string;
    };
    expect([first.state, then.state]).toEqual(['canceling', 'canceled']);
  });

  it('pauses a runner', async () => {
    await using bench = await aGitLab();
    bench.gitlab.enqueue();
    expect((await control(bench, 'PUT', 'runners/1', { paused: true })).status).toBe(200);
    expect((await bench.client.requestJob({ token: bench.runner.token })).status).toBe(204);
    const list = await (await control(bench, 'GET', 'runners')).json();
    expect(list).toMatchObject([{ id: 1, isPaused: true, managers: [{ systemId: 's_0123456789ab' }] }]);
  });

  it.each([
    ['POST', 'jobs', { name: '' }, 400],
    ['POST', 'jobs', { nmae: 'typo' }, 400],
    ['POST', 'jobs', { project: 'no/where' }, 400],
    ['POST', 'jobs', { needs: [77] }, 400],
    ['POST', 'projects', { path: 'lab/taken' }, 400],
    ['POST', 'projects', { path: '../escape' }, 400],
    ['POST', 'jobs/77/cancel', {}, 404],
    ['PUT', 'runners/77', { paused: true }, 404],
  ])('refuses %s %s with %j', async (method, path, body, status) => {
    await using bench = await aGitLab();
    await bench.gitlab.addProject({ path: 'lab/taken' });
    expect((await control(bench, method, path, body)).status).toBe(status);
  });
});

describe('as a program', () => {
  const main = fileURLToPath(new URL('../../fakes/gitlab/main.ts', import.meta.url));

  it('says where it is, serves, and ends when told to', async () => {
    await using folder = await temporaryDirectory();
    const args = [main, '--port', '0', '--directory', folder.path, '--pipeline', 'inline', '--runner-token', 'glrt-x'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await using _ended = ending(child);
    const said = JSON.parse(String((await once(child.stdout, 'data'))[0])) as Record<string, string>;
    const headers = { Authorization: `Bearer ${said['controlToken']}` };
    const jobs = (await (await fetch(`${said['url']}/-/control/jobs`, { headers })).json()) as { name: string }[];
    expect([said['runnerToken'], jobs.map(({ name }) => name)]).toEqual(['glrt-x', ['build', 'verify', 'lint']]);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('explains itself where it is called wrongly', async () => {
    const child = spawn(process.execPath, [main], { stdio: ['ignore', 'ignore', 'pipe'] });
    const [[text], [exitCode]] = await Promise.all([once(child.stderr, 'data'), once(child, 'exit')]);
    expect([String(text).startsWith('usage:'), exitCode]).toEqual([true, 2]);
  });
});

function ending(child: ChildProcess): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
