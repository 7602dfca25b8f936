import { existsSync } from 'node:fs';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { RunView } from '../../../electron/contract/state.ts';
import type { Bench } from '../../../electron/core/bench.ts';
import { createLog } from '../../../electron/core/platform/log.ts';
import { BenchScene, type SceneOptions } from '../../fakes/bench-scene.ts';
import { guestScript } from '../../fakes/qemu/install-fake-qemu.ts';

let scene: BenchScene | undefined;
afterEach(async () => {
  await scene?.[Symbol.asyncDispose]();
  scene = undefined;
});
async function setScene(options?: SceneOptions): Promise<BenchScene> {
  scene = await BenchScene.set(options);
  return scene;
}

/** The rows of history, once there are `count`. */
async function finishedRuns(bench: Bench, count: number): Promise<RunView[]> {
  await vi.waitFor(() => expect(bench.state.history.length).toBeGreaterThanOrEqual(count), { timeout: 15_000 });
  return bench.state.history;
}

describe('a job through the whole bench', () => {
  it('is taken, booted, run and reported, and its trace is GitLab’s', async () => {
    const { gitlab, open, directories } = bound(await setScene());
    const job = gitlab.enqueue({ name: 'build', script: ['print hello', 'chatter 20'] });
    const { bench, client } = await open();
    const [run] = await finishedRuns(bench, 1);
    expect([job.state, run?.phase === 'finished' && run.outcome.state]).toEqual(['success', 'success']);
    expect(run?.timeline.map((mark) => mark.phase)).toEqual([
      'reserved',
      'accepted',
      'preparing',
      'booting',
      'ready',
      'running',
      'finishing',
      'finished',
    ]);
    const slice = await client.call('trace.read', { runId: run?.id ?? '', fromByte: 0 });
    expect(Buffer.from(slice.base64, 'base64')).toEqual(job.trace);
    expect(run?.traceBytes).toBe(job.trace.length);
    const left = await readdir(join(directories.runs, run?.id ?? ''));
    expect(left.filter((name) => !name.endsWith('.log'))).toEqual([]);
    expect(bench.state.capacity.reserved.slotCount).toBeLessThanOrEqual(1);
  });

  it('reports a failing script as the runner does, then runs the next job', async () => {
    const { gitlab, open } = bound(await setScene());
    const failing = gitlab.enqueue({ script: ['print oh', 'exit 3'] });
    const next = gitlab.enqueue({ script: ['print ok'] });
    const { bench } = await open();
    await finishedRuns(bench, 2);
    expect([failing.state, failing.failureReason, failing.exitCode, next.state]).toEqual([
      'failed',
      'script_failure',
      3,
      'success',
    ]);
  });

  it('T06 sends its trace often while somebody watches, and as GitLab likes when nobody does', async () => {
    const { gitlab, open } = bound(await setScene());
    const { bench, client } = await open();
    const unwatched = gitlab.enqueue({ script: ['print a', 'interval'] });
    await finishedRuns(bench, 1);
    using _watch = bench.onDelta((delta) => {
      if (delta.kind === 'run' && delta.run.phase === 'booting')
        void client.call('trace.watch', { runId: delta.run.id });
    });
    const watched = gitlab.enqueue({ script: ['print a', 'interval'] });
    await finishedRuns(bench, 2);
    expect([unwatched.trace.toString(), watched.trace.toString()]).toEqual(['a\n60\n', 'a\n3\n']);
  });

  it('runs as many at once as are lent', async () => {
    const { gitlab, open } = bound(await setScene({ slotCount: 3 }));
    const jobs = [1, 2, 3].map(() => gitlab.enqueue({ script: ['hang'] }));
    await open();
    await vi.waitFor(() => expect(jobs.map((job) => job.state)).toEqual(['running', 'running', 'running']), 10_000);
    for (const job of jobs) job.forceCancel();
  });
});

describe('a job whose machine fails', () => {
  it.each<[string, SceneOptions, string]>([
    ['never boots', { qemu: { boot: 'never' } }, 'vm/boot-timeout'],
    ['does not start', { qemu: { diesAtOnce: { exitCode: 1, stderr: 'no such machine' } } }, 'vm/start-failed'],
    ['panics', { qemu: { boot: 'panics' } }, 'vm/panicked'],
    ['fills the disk of this PC', { qemu: { boot: 'fills-disk' } }, 'vm/disk-full'],
  ])('ends as a system failure when the machine %s, and the next job runs', async (_name, options, code) => {
    const { gitlab, open, qemu } = bound(await setScene(options));
    // A machine has half of the job's timeout to boot.
    const job = gitlab.enqueue({ script: ['print x'], timeoutSeconds: 4 });
    const { bench } = await open();
    const [run] = await finishedRuns(bench, 1);
    expect([job.state, job.failureReason]).toEqual(['failed', 'runner_system_failure']);
    expect(run?.phase === 'finished' && run.outcome.error?.code).toBe(code);
    expect(job.trace.toString()).toContain('ERROR: ');
    await qemu.behave({ guest: guestScript('runs-jobs') });
    const next = gitlab.enqueue({ script: ['print y'] });
    await vi.waitFor(() => expect(next.state).toBe('success'), { timeout: 15_000 });
  });

  it('ends as a system failure when the job switches its machine off', async () => {
    const { gitlab, open } = bound(await setScene());
    const job = gitlab.enqueue({ script: ['print before', 'power-off'] });
    const { bench } = await open();
    await finishedRuns(bench, 1);
    expect([job.state, job.failureReason]).toEqual(['failed', 'runner_system_failure']);
    expect(job.trace.toString()).toMatch(/^before\n\n.*ERROR: /s);
  });
});

it('does not believe in KVM any more when two machines in a row have not booted under it', async (context) => {
  if (!existsSync('/dev/kvm')) {
    context.skip('there is no /dev/kvm here');
    return;
  }
  const { gitlab, open, qemu } = bound(
    await setScene({ qemu: { boot: 'never', probe: { kvm: 'passes', tcg: 'passes' } } }),
  );
  const { bench } = await open();
  await vi.waitFor(() => expect(bench.state.host.accelerator?.kind).toBe('kvm'), { timeout: 10_000 });
  for (const count of [1, 2]) {
    gitlab.enqueue({ script: ['print x'], timeoutSeconds: 4 });
    await finishedRuns(bench, count);
  }
  await vi.waitFor(() => expect(bench.state.host.accelerator?.kind).toBe('tcg'), { timeout: 10_000 });
  expect(bench.state.host.accelerator?.why).toContain('2 machines in a row missed their boot deadline');
  await qemu.behave({ guest: guestScript('runs-jobs') });
  const next = gitlab.enqueue({ script: ['print y'] });
  await vi.waitFor(() => expect(next.state).toBe('success'), { timeout: 15_000 });
}, 40_000);

describe('a job that is canceled', () => {
  it('before its machine is up is ended without being handed over', async () => {
    const { gitlab, open } = bound(await setScene({ qemu: { boot: 'never' } }));
    const job = gitlab.enqueue({ script: ['print never'] });
    const { bench } = await open();
    await vi.waitFor(() => expect(Object.values(bench.state.runsById)[0]?.phase).toBe('booting'), { timeout: 10_000 });
    job.forceCancel();
    // The next keep-alive comes within 15 s and finds out.
    await vi.waitFor(() => expect(bench.state.history).toHaveLength(1), { timeout: 19_000 });
    expect(job.trace.length).toBe(0);
  }, 30_000);

  it('while it runs is ended by its runner', async () => {
    const { gitlab, open } = bound(await setScene());
    const job = gitlab.enqueue({ script: ['hang'] });
    const { bench } = await open();
    await vi.waitFor(() => expect(Object.values(bench.state.runsById)[0]?.phase).toBe('running'), { timeout: 10_000 });
    job.cancel();
    const [run] = await finishedRuns(bench, 1);
    expect([job.state, run?.phase === 'finished' && run.outcome.state]).toEqual(['canceled', 'canceled']);
  });

  it('by the owner is told to GitLab', async () => {
    const { gitlab, open } = bound(await setScene());
    const job = gitlab.enqueue({ script: ['hang'] });
    const { bench, client } = await open();
    await vi.waitFor(() => expect(Object.values(bench.state.runsById)[0]?.phase).toBe('running'), { timeout: 10_000 });
    const [runId = ''] = Object.keys(bench.state.runsById);
    await client.call('run.stop', { runId });
    const [run] = await finishedRuns(bench, 1);
    expect(job.state).toBe('failed');
    expect(run?.phase === 'finished' && run.outcome.error?.code).toBe('jobs/stopped-by-owner');
    await expect(client.call('run.stop', { runId })).rejects.toMatchObject({ code: 'runs/unknown' });
  });
});

describe('what keeps a bench from taking jobs', () => {
  it('is shown when QEMU is missing, and nothing is asked for', async () => {
    const set = await setScene();
    const { gitlab, open, qemu } = bound(set);
    await chmod(qemu.path, 0o600);
    const { bench } = await open();
    await vi.waitFor(() => expect(bench.state.problems[0]?.code).toBe('vm/qemu-missing'), { timeout: 10_000 });
    expect([bench.state.lending.isLending, gitlab.requests.length]).toEqual([false, 0]);
  });

  it('is the switch: off takes no new job and lets the running one end; the file keeps its comments', async () => {
    const set = await setScene();
    const { gitlab, open } = bound(set);
    const first = gitlab.enqueue({ script: ['hang'] });
    const { bench, client } = await open();
    await vi.waitFor(() => expect(first.state).toBe('running'), { timeout: 10_000 });
    await client.call('lending.set', { isEnabled: false });
    await vi.waitFor(() => expect(bench.state.lending.reasons).toEqual(['Lending is switched off.']));
    const second = gitlab.enqueue({ script: ['print later'] });
    first.forceCancel();
    await finishedRuns(bench, 1);
    await vi.waitFor(() => expect(bench.state.capacity.reserved.slotCount).toBe(0));
    expect(second.state).toBe('pending');
    expect(await readFile(set.configPath, 'utf8')).toMatch(/^# A comment that stays\.\n.*enabled: false/s);
    await client.call('lending.set', { isEnabled: true });
    await vi.waitFor(() => expect(second.state).toBe('success'), { timeout: 15_000 });
  });

  it('is capacity that is too small for any machine', async () => {
    const { open } = bound(await setScene());
    const { bench, client } = await open();
    const capacity = { cpus: 8, memoryBytes: 2 ** 33, diskBytes: 80 * 2 ** 30, slotCount: 0 };
    await client.call('capacity.set', capacity);
    await vi.waitFor(() => expect(bench.state.capacity.lent).toEqual(capacity));
  });

  it('is not a config file that was broken while it runs: the earlier one stays in force', async () => {
    const set = await setScene();
    const { gitlab, open } = bound(set);
    const { bench } = await open();
    const text = await readFile(set.configPath, 'utf8');
    await writeFile(set.configPath, `${text}\nnonsense: [`);
    await vi.waitFor(() => expect(bench.state.problems.map((problem) => problem.code)).toEqual(['config/invalid']));
    const job = gitlab.enqueue({ script: ['print still here'] });
    await vi.waitFor(() => expect(job.state).toBe('success'), { timeout: 15_000 });
    await writeFile(set.configPath, text);
    await vi.waitFor(() => expect(bench.state.problems).toEqual([]));
  });

  it('is a token file that others can read: then nothing starts', async () => {
    const set = await setScene();
    await chmod(join(set.folder, 'token'), 0o644);
    await expect(set.open()).rejects.toMatchObject({ code: 'config/token-file-open' });
    expect(set.gitlab.requests).toEqual([]);
  });
});

it('tells GitLab about running jobs when it is closed', async () => {
  const { gitlab, open } = bound(await setScene());
  const job = gitlab.enqueue({ script: ['print hi', 'hang'] });
  const { bench } = await open();
  await vi.waitFor(() => expect(Object.values(bench.state.runsById)[0]?.phase).toBe('running'), { timeout: 10_000 });
  await bench[Symbol.asyncDispose]();
  expect(job.state).toBe('failed');
  expect(job.trace.toString()).toContain('Forrest Bench was stopped');
});

it('drains: takes no new job and resolves when the running one has ended', async () => {
  const { gitlab, open } = bound(await setScene());
  const job = gitlab.enqueue({ script: ['hang'] });
  const { bench } = await open();
  await vi.waitFor(() => expect(job.state).toBe('running'), { timeout: 10_000 });
  const drained = bench.drain();
  const late = gitlab.enqueue({ script: ['print no'] });
  job.forceCancel();
  await drained;
  expect([late.state, Object.keys(bench.state.runsById)]).toEqual(['pending', []]);
});

it('takes jobs again when a drain is given up', async () => {
  const { gitlab, open } = bound(await setScene({ slotCount: 2 }));
  const running = gitlab.enqueue({ script: ['hang'] });
  const { bench } = await open();
  await vi.waitFor(() => expect(running.state).toBe('running'), { timeout: 10_000 });
  const change = new AbortController();
  const drained = bench.drain(change.signal);
  await vi.waitFor(() => expect(bench.state.lending.isLending).toBe(false));
  change.abort(new Error('stay'));
  await expect(drained).rejects.toThrow('stay');
  const next = gitlab.enqueue({ script: ['print back'] });
  await vi.waitFor(() => expect(next.state).toBe('success'), { timeout: 15_000 });
  running.forceCancel();
}, 40_000);

it('keeps its ledger, which holds job tokens, for its owner alone', async () => {
  const { open, directories } = bound(await setScene());
  await open();
  const names = (await readdir(directories.state)).filter((name) => name.startsWith('ledger.db'));
  const modes = await Promise.all(names.map(async (name) => (await stat(join(directories.state, name))).mode & 0o777));
  expect(new Set(modes)).toEqual(new Set([0o600]));
});

it('S21 writes no token into its log', async () => {
  let written = '';
  const destination = {
    write: (line: string) => {
      written += line;
    },
  };
  const { gitlab, open, runner } = bound(await setScene({ log: createLog({ level: 'debug', destination }) }));
  const job = gitlab.enqueue({ script: ['print x', 'exit 1'] });
  const { bench } = await open();
  await finishedRuns(bench, 1);
  expect(written).toContain('job accepted');
  for (const secret of [job.token, runner.token, runner.token.slice(-12)]) expect(written).not.toContain(secret);
  expect(written).not.toMatch(/glrt-|glcbt-/);
});

/** The scene's parts with `open` bound, to be taken apart. */
function bound(set: BenchScene) {
  const { gitlab, runner, qemu, directories } = set;
  return { gitlab, runner, qemu, directories, open: () => set.open() };
}
