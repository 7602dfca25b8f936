import { execFile } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDemoPipeline } from '../../fakes/gitlab/demo-pipeline.ts';
import { type AGitLab, aGitLab } from './a-gitlab.ts';

interface Payload {
  id: number;
  token: string;
  job_info: { name: string };
  git_info: { repo_url: string; sha: string };
  variables: { key: string; value: string }[];
  steps: { name: string; script: string[] }[];
  artifacts: { paths: string[] }[] | null;
  dependencies: { id: number; token: string }[];
}

const shells = [
  ['busybox', ['sh']],
  ['bash', ['-o', 'pipefail']],
] as const;

describe.each(shells)('the demo under %s', (program, options) => {
  it.each([true, false])('comes out as expected, with git: %j', async (hasGit) => {
    await using bench = await aGitLab();
    const demo = await createDemoPipeline(bench.gitlab, { runnerToken: bench.runner.token, hasGit });
    for (let count = 0; count < 3; count += 1) await runNext(bench, program, options);
    const outcomes = demo.jobs.map(({ name, state, failureReason }) => ({ name, expectedState: state, failureReason }));
    expect(outcomes).toEqual(demo.expected);
    const [build, verify, lint] = demo.jobs.map((job) => job.trace.toString());
    expect(build).toContain('\u001b[32;1mBuilt 3 lines for demo/greeting');
    expect(verify).toContain('greeting.txt: OK\n');
    expect(lint).toContain('sources/2-what.txt: a line is longer than 60 characters');
  });
});

/** Does what a runner does with a job, in the least way: fetch, get artifacts, run, put artifacts, report. */
async function runNext(bench: AGitLab, program: string, options: readonly string[]): Promise<void> {
  const { client, folder } = bench;
  const payload = (await (await client.requestJob({ token: bench.runner.token })).json()) as Payload;
  const cwd = join(folder, `job-${payload.id}`);
  await mkdir(cwd);
  const variables = Object.fromEntries(payload.variables.map(({ key, value }) => [key, value]));
  const env = { PATH: process.env['PATH'] ?? '', ...variables };
  if (variables['GIT_STRATEGY'] !== 'none')
    await output('git', ['clone', '--quiet', payload.git_info.repo_url, '.'], { cwd });
  for (const { id, token } of payload.dependencies) {
    expect((await client.download(id, token)).status).toBe(200);
    await cp(join(folder, `job-${id}`, 'dist'), join(cwd, 'dist'), { recursive: true });
  }
  const script = payload.steps[0]?.script.join('\n') ?? '';
  const result = await output(program, [...options, '-e', '-c', script], { cwd, env });
  await client.patch(payload, 0, result.text);
  const [archive] = payload.artifacts ?? [];
  if (result.exitCode === 0 && archive !== undefined) {
    await output('tar', ['-cf', 'out.tar', ...archive.paths], { cwd });
    const { text } = await output('sha256sum', ['out.tar'], { cwd });
    await client.upload(payload.id, payload.token, { bytes: Buffer.from(text) });
  }
  await client.update(
    payload,
    result.exitCode === 0
      ? { state: 'success' }
      : { state: 'failed', failure_reason: 'script_failure', exit_code: result.exitCode },
  );
}

function output(
  program: string,
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<{ exitCode: number; text: string }> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, options, (_error, stdout, stderr) => {
      resolve({ exitCode: child.exitCode ?? 1, text: stdout + stderr });
    });
    child.once('error', reject);
  });
}
