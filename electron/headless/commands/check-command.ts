import { type ConfigDeps, loadConfig } from '../../core/config/load-config.ts';
import { checkReferencedFiles } from '../../core/config/referenced-files.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { formatError, type Shell } from '../shell.ts';

/**
 * Reads a config file and every file it names, and says all that is wrong.
 * @throws ConfigError where the config file itself is missing or wrong.
 */
export async function checkCommand(deps: ConfigDeps, shell: Shell, configPath: string): Promise<ExitCode> {
  const config = await loadConfig(deps, configPath);
  const errors = await checkReferencedFiles(deps, config);
  for (const error of errors) shell.err(formatError(error));
  if (errors.length > 0) return exitCodes.failed;
  const runnerCount = config.connections.reduce((sum, connection) => sum + connection.runners.length, 0);
  const counts = [
    counted(Object.keys(config.machinesByName).length, 'machine'),
    counted(config.connections.length, 'connection'),
    counted(runnerCount, 'runner'),
  ];
  shell.out(`${configPath} is right: ${counts.join(', ')}.`);
  if (runnerCount === 0) shell.out('No runner is configured yet, so no job will be taken.');
  return exitCodes.ok;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
