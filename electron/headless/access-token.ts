import { join } from 'node:path';
import type { PlatformDeps } from '../core/platform/deps.ts';
import type { Directories } from '../core/platform/directories.ts';

const tokenLength = 43; // 256 bits in base 62
const tokenPattern = /^[0-9A-Za-z]{43}$/;

/**
 * The token that opens the interface of this bench: made once, kept in the state folder in a 0600 file. One that others
 * could have read, or that is damaged, is replaced.
 */
export async function accessTokenOf(
  { files, random }: Pick<PlatformDeps, 'files' | 'random'>,
  { state }: Pick<Directories, 'state'>,
): Promise<string> {
  const path = join(state, 'access-token');
  const permissions = await files.permissions(path);
  if (permissions !== undefined && (permissions & 0o077) === 0) {
    const kept = new TextDecoder().decode(await files.readRange(path, 0, 100)).trim();
    if (tokenPattern.test(kept)) return kept;
  }
  await files.makeDirectory(state);
  const token = random.base62(tokenLength);
  await files.writeAtomically(path, `${token}\n`, 0o600);
  return token;
}
