import { spawnSync } from 'node:child_process';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { BenchScene } from '../../fakes/bench-scene.ts';

/** Writes until the file system is full to its last block. */
async function fill(path: string): Promise<void> {
  await using file = await open(path, 'w');
  const block = Buffer.alloc(4096);
  for (;;) {
    try {
      await file.write(block);
    } catch {
      return;
    }
  }
}

it('C11 fails a job that cannot be written down, takes no other, and goes on when there is space again', async (context) => {
  await using scene = await BenchScene.set();
  const { state } = scene.directories;
  await mkdir(state);
  await using mounted = new AsyncDisposableStack();
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'tmpfs', state]).status !== 0) {
    context.skip('a small file system of its own cannot be mounted here (needs root)');
    return;
  }
  mounted.defer(() => void spawnSync('umount', ['--lazy', state]));

  const { bench } = await scene.open();
  await vi.waitFor(() => expect(bench.state.lending.isLending).toBe(true), { timeout: 10_000 });
  const filler = join(state, 'filler');
  await fill(filler);
  const lost = scene.gitlab.enqueue({ script: ['print never'] });
  await vi.waitFor(() => expect(lost.state).toBe('failed'), { timeout: 15_000 });
  expect(lost.failureReason).toBe('runner_system_failure');
  await vi.waitFor(() =>
    expect(bench.state.problems.map((problem) => problem.code)).toEqual(['jobs/ledger-unwritable']),
  );
  expect(bench.state.lending.isLending).toBe(false);
  const next = scene.gitlab.enqueue({ script: ['print saved'] });
  await rm(filler);
  // What is lent is looked at again every 15 s.
  await vi.waitFor(() => expect(next.state).toBe('success'), { timeout: 30_000 });
  expect(bench.state.problems).toEqual([]);
}, 90_000);
