import { execFile } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type AGitLab, aGitLab } from './a-gitlab.ts';

const run = promisify(execFile);

/** The real git, free of this machine's configuration, and never asking for a password. */
function git(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const env = { PATH: process.env['PATH'] ?? '', GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  return run('git', args, { env: { ...env, GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' } });
}

async function withProject(
  options: Parameters<typeof aGitLab>[0] = {},
): Promise<AGitLab & { remote(token: string): string }> {
  const bench = await aGitLab(options);
  await bench.gitlab.addProject({
    path: 'demo/sub/greeting',
    files: { 'README.md': '# Grüße\n', 'bin/run.sh': '#!/bin/sh\necho hi\n' },
  });
  const remote = (token: string) =>
    `${bench.gitlab.url.replace('://', `://gitlab-ci-token:${token}@`)}/demo/sub/greeting.git`;
  return { ...bench, remote };
}

describe('git over http', () => {
  it.each(['', '/gitlab'] as const)('clones with a job token below %j', async (basePath) => {
    await using bench = await withProject({ basePath });
    const job = await bench.runningJob();
    const target = join(bench.folder, 'clone');
    await git('clone', '--quiet', bench.remote(job.token), target);
    expect(await readFile(join(target, 'README.md'), 'utf8')).toBe('# Grüße\n');
    expect((await stat(join(target, 'bin/run.sh'))).mode & 0o111).not.toBe(0);
    expect((await git('-C', target, 'rev-parse', 'HEAD')).stdout.trim()).toBe(
      bench.gitlab.project('demo/sub/greeting')?.sha,
    );
  });

  it('serves what a runner fetches: the refspecs of the payload, to a depth', async () => {
    await using bench = await withProject();
    const { gitlab, client, runner, folder } = bench;
    gitlab.enqueue({ project: gitlab.project('demo/sub/greeting') ?? (await gitlab.addProject({ path: 'a/b' })) });
    const { git_info } = (await (await client.requestJob({ token: runner.token })).json()) as {
      git_info: { repo_url: string; refspecs: string[]; sha: string; depth: number };
    };
    const target = join(folder, 'work');
    await git('init', '--quiet', target);
    await git('-C', target, 'remote', 'add', 'origin', git_info.repo_url);
    await git('-C', target, 'fetch', '--quiet', '--depth', String(git_info.depth), 'origin', ...git_info.refspecs);
    await git('-C', target, 'checkout', '--quiet', '--force', git_info.sha);
    expect(await readFile(join(target, 'bin/run.sh'), 'utf8')).toBe('#!/bin/sh\necho hi\n');
  });

  it('wants the token of a job that executes', async () => {
    await using bench = await withProject();
    const { gitlab, client } = bench;
    const job = await bench.runningJob();
    await client.update(job, { state: 'success' });
    const path = `${gitlab.url}/demo/sub/greeting.git/info/refs?service=git-upload-pack`;
    const basic = (user: string) => ({ headers: { Authorization: `Basic ${Buffer.from(user).toString('base64')}` } });
    const running = await bench.runningJob();
    const answers = [
      await fetch(path),
      await fetch(path, basic(`gitlab-ci-token:${job.token}`)),
      await fetch(path, basic(`somebody:${running.token}`)),
      await fetch(path, basic(`gitlab-ci-token:${running.token}`)),
    ];
    expect(answers.map((answer) => [answer.status, answer.headers.get('www-authenticate')])).toEqual([
      [401, 'Basic realm="GitLab"'],
      [401, 'Basic realm="GitLab"'],
      [401, 'Basic realm="GitLab"'],
      [200, null],
    ]);
    await expect(git('clone', '--quiet', bench.remote(job.token), join(bench.folder, 'no'))).rejects.toThrow(
      'Authentication failed',
    );
  });

  it('refuses a push', async () => {
    await using bench = await withProject();
    const job = await bench.runningJob();
    const target = join(bench.folder, 'clone');
    await git('clone', '--quiet', bench.remote(job.token), target);
    await writeFile(join(target, 'new'), 'x');
    await git('-C', target, 'add', 'new');
    await git('-C', target, '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '-m', 'New');
    await expect(git('-C', target, 'push', '--quiet')).rejects.toThrow('403');
    const url = `${bench.gitlab.url}/demo/sub/greeting.git/git-receive-pack`;
    const headers = { Authorization: `Basic ${Buffer.from(`gitlab-ci-token:${job.token}`).toString('base64')}` };
    expect((await fetch(url, { method: 'POST', headers, body: '0000' })).status).toBe(403);
  });

  it('knows no other projects and no plain files', async () => {
    await using bench = await withProject();
    const job = await bench.runningJob();
    await expect(git('ls-remote', bench.remote(job.token).replace('greeting', 'other'))).rejects.toThrow('not found');
    const headers = { Authorization: `Basic ${Buffer.from(`gitlab-ci-token:${job.token}`).toString('base64')}` };
    const paths = ['HEAD', 'info/refs', 'objects/info/packs', 'config'];
    const statuses = await Promise.all(
      paths.map(async (path) => (await fetch(`${bench.gitlab.url}/demo/sub/greeting.git/${path}`, { headers })).status),
    );
    expect(statuses).toEqual([404, 403, 404, 404]);
  });
});

describe('a project', () => {
  it('needs a path of its own that is one', async () => {
    await using bench = await aGitLab();
    const { gitlab } = bench;
    await gitlab.addProject({ path: 'a/b' });
    for (const path of ['a/b', 'a', '../a', 'a/../b', 'a/.git', 'a/b.git', '/a/b', 'a b/c']) {
      await expect(gitlab.addProject({ path, files: {} })).rejects.toThrow('project');
    }
  });

  it('without files has jobs that do not clone', async () => {
    await using bench = await aGitLab();
    const { gitlab, client, runner } = bench;
    gitlab.enqueue({ project: await gitlab.addProject({ path: 'a/b' }) });
    const payload = (await (await client.requestJob({ token: runner.token })).json()) as {
      variables: { key: string }[];
    };
    expect(payload.variables.find(({ key }) => key === 'GIT_STRATEGY')).toMatchObject({ value: 'none' });
  });
});
