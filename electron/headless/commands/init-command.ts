import { dirname } from 'node:path';
import { starterConfig } from '../../core/config/starter-config.ts';
import type { PlatformDeps } from '../../core/platform/deps.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { HeadlessError } from '../headless-error.ts';
import type { Shell } from '../shell.ts';

/**
 * Writes a first config file where there is none.
 * @throws HeadlessError `headless/file-exists`.
 */
export async function initCommand(
  { files }: Pick<PlatformDeps, 'files'>,
  shell: Shell,
  configPath: string,
): Promise<ExitCode> {
  if (await files.exists(configPath)) {
    throw new HeadlessError('headless/file-exists', `There is a config file already: ${configPath}`, {
      remedy: `Edit it, and check it with: forrest-bench check --config ${configPath}`,
    });
  }
  await files.makeDirectory(dirname(configPath));
  await files.writeAtomically(configPath, starterConfig(), 0o600);
  shell.out(`Wrote ${configPath}. Fill in your GitLab instance and a runner token, then run: forrest-bench run`);
  return exitCodes.ok;
}
