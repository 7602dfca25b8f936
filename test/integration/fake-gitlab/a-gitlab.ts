import { FakeGitLab, type FakeGitLabOptions } from '../../fakes/gitlab/fake-gitlab.ts';
import type { FakeJob } from '../../fakes/gitlab/fake-job.ts';
import type { JobSpec } from '../../fakes/gitlab/job-spec.ts';
import type { FakeRunner } from '../../fakes/gitlab/runners.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { allFeatures, RunnerClient } from './runner-client.ts';

export interface AGitLab extends AsyncDisposable {
  gitlab: FakeGitLab;
  runner: FakeRunner;
  client: RunnerClient;
  /** A folder of the test's own, gone with it. */
  folder: string;
  /** Enqueues a job and has it handed out. */
  runningJob(spec?: JobSpec, features?: Readonly<Record<string, boolean>>): Promise<FakeJob>;
}

/** A stand-in with one runner: `await using bench = await aGitLab()`. */
export async function aGitLab(options: Omit<FakeGitLabOptions, 'directory'> = {}): Promise<AGitLab> {
  const stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(await temporaryDirectory());
  const gitlab = stack.use(await FakeGitLab.start({ directory: folder, ...options }));
  const runner = gitlab.addRunner({ token: 'glrt-abcdefghi_0123456789' });
  const client = new RunnerClient(gitlab);
  return {
    gitlab,
    runner,
    client,
    folder,
    async runningJob(spec = {}, features = allFeatures) {
      const job = gitlab.enqueue(spec);
      const response = await client.requestJob({ token: runner.token, features });
      await response.arrayBuffer();
      if (response.status !== 201 || !job.isExecuting) throw new Error(`the job was not handed out: ${job.state}`);
      return job;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
