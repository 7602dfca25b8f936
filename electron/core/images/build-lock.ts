import { join } from 'node:path';
import type { PlatformDeps } from '../platform/deps.ts';
import { lockFile } from '../platform/file-lock.ts';

const retryMs = 500;

/**
 * Lets one at a time build images in `directory`, of this process and all others. Held until disposed of, or until the
 * process that holds it is gone.
 * @param onWait Called once where somebody else holds it.
 */
export async function lockBuilds(
  { clock }: Pick<PlatformDeps, 'clock'>,
  directory: string,
  onWait: () => void,
  signal?: AbortSignal,
): Promise<Disposable> {
  const path = join(directory, '.lock');
  for (let tries = 0; ; tries += 1) {
    signal?.throwIfAborted();
    const lock = lockFile(path);
    if (lock !== undefined) return lock;
    if (tries === 0) onWait();
    await clock.sleep(retryMs, signal);
  }
}
