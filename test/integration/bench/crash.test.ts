import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { systemProcesses } from '../../../electron/core/platform/processes.ts';
import { BenchScene } from '../../fakes/bench-scene.ts';

let scope = new AsyncDisposableStack();
afterEach(async () => {
  await scope.disposeAsync();
  scope = new AsyncDisposableStack();
});

/** Starts a bench as a process; what is left of it is killed with the test. */
function startProcess(scene: BenchScene) {
  const program = resolve('test/fakes/bench-process.ts');
  const child = spawn(process.execPath, [program, scene.folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  scope.defer(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
  return child;
}

it('C01 a job of a bench that was killed is ended at GitLab by the next start, and its machine with it', async () => {
  const scene = scope.use(await BenchScene.set());
  const job = scene.gitlab.enqueue({ script: ['print first', 'hang'] });
  const child = startProcess(scene);
  await vi.waitFor(() => expect(job.trace.toString()).toBe('first\n'), { timeout: 15_000 });
  child.kill('SIGKILL');
  await once(child, 'exit');
  const [runId = ''] = await readdir(scene.directories.runs);
  const record = JSON.parse(await readFile(join(scene.directories.runs, runId, 'process.json'), 'utf8'));
  expect(await systemProcesses.startTime(record.pid)).toBe(record.startTime);
  expect(job.state).toBe('running');

  const { bench } = await scene.open();
  await vi.waitFor(() => expect(bench.state.history).toHaveLength(1), { timeout: 15_000 });
  expect([job.state, job.failureReason]).toEqual(['failed', 'runner_system_failure']);
  expect(job.trace.toString()).toMatch(/^first\n\n.*ERROR: Forrest Bench was restarted while this job was running/s);
  expect(await systemProcesses.startTime(record.pid)).toBeUndefined();
  const next = scene.gitlab.enqueue({ script: ['print next'] });
  await vi.waitFor(() => expect(next.state).toBe('success'), { timeout: 15_000 });
}, 60_000);

it('C02 a job that GitLab has ended meanwhile is dropped without noise', async () => {
  const scene = scope.use(await BenchScene.set());
  const job = scene.gitlab.enqueue({ script: ['hang'] });
  const child = startProcess(scene);
  await vi.waitFor(() => expect(job.reportedStates).toContain('running'), { timeout: 15_000 });
  child.kill('SIGKILL');
  await once(child, 'exit');
  job.forceCancel();
  const { bench } = await scene.open();
  await vi.waitFor(() => expect(bench.state.history).toHaveLength(1), { timeout: 15_000 });
  expect([job.state, bench.state.problems]).toEqual(['canceled', []]);
}, 60_000);
