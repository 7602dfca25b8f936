import type { PlatformDeps } from '../platform/deps.ts';
import { findProgram, installRemedy, type ProgramSearch } from './program-path.ts';
import { VmError } from './vm-error.ts';

/**
 * Finds socat, which carries each connection of a guest to a socket of the app (see `qemu-arguments.ts`).
 * @returns Its absolute path: QEMU runs it without looking at PATH.
 * @throws VmError `vm/socat-missing`
 */
export async function locateSocat(deps: Pick<PlatformDeps, 'files'>, options: ProgramSearch): Promise<string> {
  const path = await findProgram(deps.files, ['socat'], options);
  if (path !== undefined) return path;
  throw new VmError('vm/socat-missing', 'socat was not found, so a machine could not reach its proxy', {
    remedy: installRemedy({ apt: 'socat', dnf: 'socat', pacman: 'socat' }),
  });
}
