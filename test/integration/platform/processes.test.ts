import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { systemProcesses } from '../../../electron/core/platform/processes.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Runs a script of `sh` that writes a pid to `$1` first, and aborts it then. */
async function abortOnceStarted(script: string, options: { isGroup?: boolean }): Promise<{ pid: number }> {
  await using folder = await temporaryDirectory();
  const pidPath = join(folder.path, 'pid');
  const stop = new AbortController();
  const running = systemProcesses.run('sh', ['-c', script, 'sh', pidPath], {
    ...options,
    signal: stop.signal,
    stopSignal: 'SIGTERM',
  });
  const pid = await vi.waitFor(async () => {
    const text = await readFile(pidPath, 'utf8');
    expect(text).toMatch(/^\d+\n$/);
    return Number(text);
  });
  stop.abort();
  await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  return { pid };
}

describe('an aborted run', () => {
  it('rejects only when the program is gone, which may clean up first', async () => {
    const { pid } = await abortOnceStarted(
      'trap "sleep 0.3; exit 1" TERM; echo $$ >$1; while :; do sleep 0.1; done',
      {},
    );
    expect(isAlive(pid)).toBe(false);
  });

  it('ends all of a group, also a program that pays no heed to the first signal', async () => {
    const parent = 'n=0; trap "n=\\$((n + 1)); [ \\$n -lt 2 ] || exit 1" TERM; sleep 600 & echo $! >$1';
    const { pid } = await abortOnceStarted(`${parent}; while :; do sleep 0.1; done`, {
      isGroup: true,
    });
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 5000 });
  });
});
