import { join } from 'node:path';
import type { PlatformDeps } from '../platform/deps.ts';
import { isMissing } from '../platform/files.ts';

const pattern = /^r_[0-9A-Za-z]{12}$/;

/**
 * This installation's `system_id`: made once, kept for ever, because each distinct value becomes a runner manager at
 * GitLab (protocol document 1.2). One that was damaged is made anew.
 */
export async function loadSystemId(
  deps: Pick<PlatformDeps, 'files' | 'random'>,
  stateDirectory: string,
): Promise<string> {
  const path = join(stateDirectory, 'system-id');
  try {
    const known = (await deps.files.readText(path)).trim();
    if (pattern.test(known)) return known;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const made = `r_${deps.random.base62(12)}`;
  await deps.files.makeDirectory(stateDirectory);
  await deps.files.writeAtomically(path, `${made}\n`);
  return made;
}
