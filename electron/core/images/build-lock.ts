import { join } from 'node:path';
import { z } from 'zod';
import type { PlatformDeps } from '../platform/deps.ts';
import { isMissing } from '../platform/files.ts';

type LockDeps = Pick<PlatformDeps, 'files' | 'processes' | 'clock' | 'random'>;

const retryMs = 500;
const holderSchema = z.object({ pid: z.int().positive(), startTime: z.string() });

/**
 * Lets one process at a time build images in `directory`. Held until disposed, or until the process that holds it is
 * gone: it is known by pid and start time, so that a pid that is used again holds nothing.
 * @param onWait Called once where another process holds it.
 */
export async function lockBuilds(
  deps: LockDeps,
  directory: string,
  onWait: (pid: number) => void,
  signal?: AbortSignal,
): Promise<AsyncDisposable> {
  const path = join(directory, '.lock');
  const startTime = (await deps.processes.startTime(process.pid)) ?? 'unknown';
  const content = `${JSON.stringify({ pid: process.pid, startTime })}\n`;
  let hasWaited = false;
  for (;;) {
    signal?.throwIfAborted();
    if (await deps.files.createOnce(path, content)) {
      return { [Symbol.asyncDispose]: () => deps.files.remove(path) };
    }
    const holderPid = await livingHolder(deps, path);
    if (holderPid === undefined) {
      await removeStale(deps, path);
      continue;
    }
    if (!hasWaited) onWait(holderPid);
    hasWaited = true;
    await deps.clock.sleep(retryMs, signal);
  }
}

async function livingHolder(deps: LockDeps, path: string): Promise<number | undefined> {
  const holder = holderSchema.safeParse(await readJson(deps, path));
  if (!holder.success) return undefined;
  const startTime = await deps.processes.startTime(holder.data.pid);
  return startTime === holder.data.startTime ? holder.data.pid : undefined;
}

async function readJson({ files }: LockDeps, path: string): Promise<unknown> {
  try {
    return JSON.parse(await files.readText(path));
  } catch (error) {
    // Gone meanwhile, or not ours: either way nobody holds it.
    if (isMissing(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Of several that find the same stale lock one takes it away. Should two still build at once, neither harms the
 * other: each works in a folder of its own and puts a whole result in place.
 */
async function removeStale({ files, random }: LockDeps, path: string): Promise<void> {
  const aside = `${path}.${random.base62(8)}`;
  try {
    await files.rename(path, aside);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  await files.remove(aside);
}
