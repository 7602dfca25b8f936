import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createDemoPipeline } from '../../fakes/gitlab/demo-pipeline.ts';
import type { GitLabSettings } from '../../fakes/gitlab/settings.ts';
import { type AGitLab, aGitLab } from './a-gitlab.ts';

// The stand-in against the program it is made for, where there is one.
const runnerPath = process.env['FORREST_BENCH_RUNNER'];

const instances: readonly (readonly [what: string, hasGit: boolean, settings: Partial<GitLabSettings>])[] = [
  ['with git', true, {}],
  ['without git', false, {}],
  [
    'with redirects, object storage and late final updates',
    true,
    { hasObjectStorage: true, redirectsUploads: true, acceptedFinalUpdates: 1 },
  ],
];

for (const [what, hasGit, settings] of instances) {
  it(`the official runner does the demo ${what}`, { timeout: 90_000 }, async (ctx) => {
    if (runnerPath === undefined) return ctx.skip('FORREST_BENCH_RUNNER names no gitlab-runner');
    await using bench = await aGitLab(settings);
    const demo = await createDemoPipeline(bench.gitlab, { runnerToken: bench.runner.token, hasGit });
    await runSingle(bench, runnerPath, demo.jobs.length);
    const outcomes = demo.jobs.map(({ name, state, failureReason }) => ({ name, expectedState: state, failureReason }));
    expect(outcomes).toEqual(demo.expected);
    expect(bench.gitlab.requests.filter(({ status }) => status === null || status >= 500)).toEqual([]);
  });
}

/** Runs jobs until it has had `jobCount` of them, or nothing came for half a minute. */
async function runSingle(bench: AGitLab, program: string, jobCount: number): Promise<void> {
  const { gitlab, runner, folder } = bench;
  const args = [
    'run-single',
    ...['--url', gitlab.url, '--token', runner.token],
    ...['--executor', 'shell', '--shell', 'bash'],
    ...['--max-builds', String(jobCount), '--wait-timeout', '30'],
    ...['--builds-dir', join(folder, 'builds'), '--cache-dir', join(folder, 'cache')],
  ];
  const child = spawn(program, args, {
    cwd: folder,
    stdio: 'ignore',
    env: { PATH: process.env['PATH'] ?? '', HOME: folder },
  });
  try {
    expect(await once(child, 'exit')).toEqual([0, null]);
  } finally {
    child.kill('SIGKILL');
  }
}
