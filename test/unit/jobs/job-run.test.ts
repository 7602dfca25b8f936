import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { BenchError } from '../../../electron/contract/errors.ts';
import type { EpochMs, JobId, RunId, RunnerId } from '../../../electron/contract/ids.ts';
import type { RunPhase, RunView } from '../../../electron/contract/state.ts';
import type { AcceptedJob } from '../../../electron/core/gitlab/accepted-job.ts';
import type { JobAnswer, JobUpdate } from '../../../electron/core/gitlab/job-api.ts';
import { JobError } from '../../../electron/core/jobs/job-error.ts';
import { JobRun, type JobRunOptions } from '../../../electron/core/jobs/job-run.ts';
import type { RunHooks } from '../../../electron/core/jobs/opened-run.ts';
import { silentLog } from '../../../electron/core/platform/log.ts';
import { FakeClock } from '../../fakes/clock.ts';

const accepted: JobAnswer = { kind: 'accepted', isCanceling: false };
const never = new AbortController().signal;

/** A job, a GitLab that answers as told, and a machine that does what the test says, with everything written down. */
class Scene {
  readonly clock = new FakeClock();
  readonly did: string[] = [];
  readonly views: RunView[] = [];
  readonly machine = Promise.withResolvers<BenchError | undefined>();
  readonly opening = Promise.withResolvers<void>();
  answer: (update: JobUpdate) => JobAnswer = () => accepted;
  openError: BenchError | undefined;
  hooks: RunHooks | undefined;

  readonly job: AcceptedJob = {
    id: 7 as JobId,
    token: 'glcbt-secret',
    payload: new Uint8Array(),
    view: { id: 7 as JobId, name: 'build', stage: 'build', projectPath: 'a/b', ref: 'main', sha: 'abc', webUrl: null },
    receivedAt: this.clock.now(),
    timeoutSeconds: 600,
    dependencies: [],
    cloneUrl: null,
    failureReasons: ['runner_interrupted', 'runner_unsupported'],
    hasNativeSteps: false,
  };

  run(more: Partial<JobRunOptions> = {}): JobRun {
    return new JobRun(
      {
        clock: this.clock,
        random: { fraction: () => 0.5, base62: () => '', runId: () => '' as RunId },
        log: silentLog,
      },
      {
        runId: '0a1b2c3d' as RunId,
        runner: 'work/build' as RunnerId,
        gitlabUrl: 'https://gitlab.example.com',
        machine: 'debian-build',
        image: 'debian-12',
        job: this.job,
        reservedAt: (this.clock.now() - 5) as EpochMs,
        ledger: { add: () => this.#do('ledger add'), remove: () => this.#do('ledger remove') },
        api: {
          update: async (update) => {
            this.#do(update.state === 'failed' ? `put failed ${update.failureReason}` : `put ${update.state}`);
            return this.answer(update);
          },
          appendTrace: async (bytes, fromByte) => {
            this.#do(`trace at ${fromByte}: ${stripVTControlCharacters(new TextDecoder().decode(bytes)).trim()}`);
            return accepted;
          },
        },
        refusal: undefined,
        open: async (hooks, signal) => {
          this.#do('open');
          this.hooks = hooks;
          if (this.openError !== undefined) throw this.openError;
          await Promise.race([
            this.opening.promise,
            new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
          ]);
          hooks.onStarted(4242);
          return {
            pid: 4242,
            traceBytes: 12,
            ended: this.machine.promise,
            withdraw: () => this.#do('withdraw'),
            stopMachine: async (graceMs) => this.#do(`stop machine, grace ${graceMs}`),
            [Symbol.asyncDispose]: async () => this.#do('clean up'),
          };
        },
        onChange: (view) => this.views.push(view),
        onTraceGrown: () => {},
        ...more,
      },
    );
  }

  #do(what: string): void {
    this.did.push(what);
  }

  phases(): RunPhase[] {
    return this.views.map((view) => view.phase);
  }
}

const qemuMissing = new BenchError('vm/qemu-missing', 'QEMU is not installed', { remedy: 'Install it.' });

describe('JobRun', () => {
  it('leads a job from the ledger through its phases to the end that its runner reported', async () => {
    const scene = new Scene();
    const finished = scene.run().run(never);
    scene.opening.resolve();
    await scene.clock.advance(4_000);
    scene.hooks?.onNews({ kind: 'runner-asked' });
    scene.hooks?.onNews({ kind: 'job-active' });
    await scene.clock.advance(2_000);
    scene.hooks?.onNews({ kind: 'final', state: 'success', failureReason: null, exitCode: null });
    const row = await finished;
    expect(scene.did).toEqual([
      'ledger add',
      'put running',
      'open',
      'withdraw',
      'stop machine, grace 10000',
      'ledger remove',
      'clean up',
    ]);
    expect(scene.phases()).toEqual(['accepted', 'preparing', 'booting', 'ready', 'running', 'finishing']);
    expect(row.timeline.map((mark) => [mark.phase, mark.at - scene.job.receivedAt])).toEqual([
      ['reserved', -5],
      ['accepted', 0],
      ['preparing', 0],
      ['booting', 0],
      ['ready', 4_000],
      ['running', 4_000],
      ['finishing', 6_000],
      ['finished', 6_000],
    ]);
    expect(row.outcome).toEqual({
      state: 'success',
      failureReason: null,
      exitCode: null,
      why: 'The job succeeded.',
      error: null,
    });
    expect(scene.clock.pendingCount).toBe(0);
  });

  it('H02 keeps the job alive each 15 s while it boots', async () => {
    const scene = new Scene();
    const run = scene.run();
    const finished = run.run(never);
    await scene.clock.advance(60_000);
    expect(scene.did.filter((what) => what === 'put running')).toHaveLength(5);
    run.stop(new JobError('jobs/stopped-by-owner', 'Stopped', { remedy: 'None.' }));
    await finished;
  });

  it('H03 does nothing more for a job that GitLab does not know as running', async () => {
    const scene = new Scene();
    scene.answer = () => ({ kind: 'forbidden', jobStatus: 'canceled' });
    const row = await scene.run().run(never);
    expect(scene.did).toEqual(['ledger add', 'put running', 'open', 'ledger remove']);
    expect(row.outcome.state).toBe('canceled');
  });

  it('H04 reports a job that was canceled while it booted, and never opens it further', async () => {
    const scene = new Scene();
    scene.answer = (update) => ({ kind: 'accepted', isCanceling: update.state === 'running' });
    const row = await scene.run().run(never);
    expect(scene.did).toEqual(['ledger add', 'put running', 'open', 'put failed job_canceled', 'ledger remove']);
    expect(row.outcome.why).toBe('The job was canceled at GitLab before its machine was ready.');
  });

  it('H05 goes on booting while GitLab has trouble', async () => {
    const scene = new Scene();
    scene.answer = (update) =>
      update.state === 'running' ? { kind: 'later', waitMs: undefined, error: undefined } : accepted;
    const run = scene.run();
    const finished = run.run(never);
    scene.opening.resolve();
    await scene.clock.advance(120_000);
    expect(scene.phases().at(-1)).toBe('booting');
    run.stop(new JobError('jobs/stopped-by-owner', 'Stopped', { remedy: 'None.' }));
    await finished;
  });

  it('ends a job whose machine cannot be started as a system failure, with the reason in the trace', async () => {
    const scene = new Scene();
    scene.openError = qemuMissing;
    const row = await scene.run().run(never);
    expect(scene.did).toEqual([
      'ledger add',
      'put running',
      'open',
      'trace at 0: ERROR: QEMU is not installed',
      'put failed runner_system_failure',
      'ledger remove',
    ]);
    expect(row.outcome.error).toEqual({
      code: 'vm/qemu-missing',
      message: 'QEMU is not installed',
      remedy: 'Install it.',
    });
  });

  it('C06 ends a job whose machine died, after what the machine wrote', async () => {
    const scene = new Scene();
    const finished = scene.run().run(never);
    scene.opening.resolve();
    await scene.clock.advance(1_000);
    scene.machine.resolve(undefined);
    const row = await finished;
    expect(scene.did.slice(3)).toEqual([
      'withdraw',
      'stop machine, grace 0',
      'trace at 12: ERROR: The machine powered off before its job had ended',
      'put failed runner_system_failure',
      'ledger remove',
      'clean up',
    ]);
    expect(row.outcome.error?.code).toBe('jobs/machine-ended');
  });

  it('C07 ends a job three minutes after its timeout as timed out', async () => {
    const scene = new Scene();
    const finished = scene.run().run(never);
    scene.opening.resolve();
    await scene.clock.advance(600_000 + 179_000);
    expect(scene.phases()).not.toContain('finishing');
    await scene.clock.advance(2_000);
    expect((await finished).outcome.failureReason).toBe('job_execution_timeout');
  });

  it('U09 ends a job whose runner does not answer a graceful cancel', async () => {
    const scene = new Scene();
    const finished = scene.run({ job: { ...scene.job, timeoutSeconds: 36_000 } }).run(never);
    scene.opening.resolve();
    await scene.clock.advance(0);
    scene.hooks?.onNews({ kind: 'job-active' });
    scene.hooks?.onNews({ kind: 'canceling' });
    await scene.clock.advance(600_000);
    const row = await finished;
    expect([row.outcome.state, row.outcome.failureReason]).toEqual(['canceled', 'job_canceled']);
  });

  it('shows a job as canceled that its runner ended after a graceful cancel', async () => {
    const scene = new Scene();
    const finished = scene.run().run(never);
    scene.opening.resolve();
    await scene.clock.advance(0);
    scene.hooks?.onNews({ kind: 'job-active' });
    scene.hooks?.onNews({ kind: 'canceling' });
    expect(scene.views.at(-1)).toMatchObject({ phase: 'running', isCanceling: true });
    scene.hooks?.onNews({ kind: 'final', state: 'failed', failureReason: 'job_canceled', exitCode: null });
    expect((await finished).outcome.state).toBe('canceled');
  });

  it('tells GitLab that the owner stopped the job, in the words this GitLab knows', async () => {
    const scene = new Scene();
    const run = scene.run();
    const finished = run.run(never);
    scene.opening.resolve();
    await scene.clock.advance(0);
    run.stop(
      new JobError('jobs/stopped-by-owner', 'The owner of the machine stopped the job', { remedy: 'Retry it.' }),
    );
    expect((await finished).outcome.failureReason).toBe('runner_interrupted');
  });

  it('H15 refuses a job before it boots anything', async () => {
    const scene = new Scene();
    const refusal = new JobError('jobs/native-steps', 'This runner cannot run steps', {
      remedy: 'Use script.',
      blame: 'job',
    });
    const row = await scene.run({ refusal }).run(never);
    expect(scene.did).not.toContain('open');
    expect(row.outcome.failureReason).toBe('runner_unsupported');
  });

  it('C11 fails a job at once that it cannot write down', async () => {
    const scene = new Scene();
    const ledger = {
      add: () => {
        throw new JobError('jobs/ledger-unwritable', 'The disk is full', { remedy: 'Free some space.' });
      },
      remove: () => {},
    };
    const row = await scene.run({ ledger }).run(never);
    expect(scene.did).not.toContain('open');
    expect(row.outcome.error?.code).toBe('jobs/ledger-unwritable');
  });

  it('tries again to report an end until GitLab takes it', async () => {
    const scene = new Scene();
    scene.openError = qemuMissing;
    let failures = 3;
    scene.answer = (update) => {
      if (update.state === 'running') return accepted;
      failures -= 1;
      return failures >= 0 ? { kind: 'later', waitMs: 5_000, error: undefined } : accepted;
    };
    const finished = scene.run().run(never);
    await scene.clock.advance(20_000);
    await finished;
    expect(scene.did.filter((what) => what.startsWith('put failed'))).toHaveLength(4);
    expect(scene.did.filter((what) => what.startsWith('trace'))).toHaveLength(1);
  });

  it('leaves the record to the next start when the app must end before GitLab knows', async () => {
    const scene = new Scene();
    scene.openError = qemuMissing;
    scene.answer = (update) =>
      update.state === 'running' ? accepted : { kind: 'later', waitMs: 60_000, error: undefined };
    const quit = new AbortController();
    const finished = scene.run().run(quit.signal);
    await scene.clock.advance(1_000);
    quit.abort(new Error('quit'));
    await finished;
    expect(scene.did).not.toContain('ledger remove');
  });
});
