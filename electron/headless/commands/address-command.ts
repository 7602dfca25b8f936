import type { PlatformDeps } from '../../core/platform/deps.ts';
import type { Directories } from '../../core/platform/directories.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { HeadlessError } from '../headless-error.ts';
import type { Shell } from '../shell.ts';
import { SingleInstance } from '../single-instance.ts';

/**
 * Prints the address of the bench that holds the state folder, and nothing else, for `xdg-open "$(...)"`.
 * @throws HeadlessError `headless/not-running`.
 */
export async function addressCommand(
  deps: Pick<PlatformDeps, 'clock' | 'files'>,
  shell: Shell,
  directories: Directories,
): Promise<ExitCode> {
  const instance = await SingleInstance.ask(deps, directories);
  if (instance?.address === undefined || instance.address === null) {
    throw new HeadlessError('headless/not-running', `No bench with the state in ${directories.state} answers`, {
      remedy: 'Start it with: forrest-bench run. If it was started with --data DIR, give the same here.',
    });
  }
  shell.out(instance.address);
  return exitCodes.ok;
}
