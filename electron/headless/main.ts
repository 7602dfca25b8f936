import { homedir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../core/platform/clock.ts';
import type { PlatformDeps } from '../core/platform/deps.ts';
import { type Directories, directoriesBelow, systemDirectories } from '../core/platform/directories.ts';
import { systemFiles } from '../core/platform/files.ts';
import { readHostFacts } from '../core/platform/host-facts.ts';
import { systemProcesses } from '../core/platform/processes.ts';
import { systemRandom } from '../core/platform/random.ts';
import { type Command, type PlacedCommand, parseCommandLine, UsageError } from './command-line.ts';
import { addressCommand } from './commands/address-command.ts';
import { checkCommand } from './commands/check-command.ts';
import { type Catalogue, imagesCommand } from './commands/images-command.ts';
import { initCommand } from './commands/init-command.ts';
import { type RunningBench, runCommand } from './commands/run-command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { HeadlessError } from './headless-error.ts';
import { helpText } from './help.ts';
import { formatError, type Shell } from './shell.ts';
import type { StopSignals } from './stop-signals.ts';
import { shellLog } from './terminal-log.ts';

/** What the program is started with; `cli.ts` gives the real ones. */
export interface Surroundings {
  /** Without the program's own name. */
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  workingDirectory: string;
  version: string;
  rendererDirectory: string;
  shell: Shell;
  signals: StopSignals;
  openBench(options: {
    configPath: string;
    directories: Directories;
    version: string;
    log: PlatformDeps['log'];
    qemuPath?: string;
    runnerBinaryPath?: string;
  }): Promise<RunningBench>;
  openCatalogue(deps: PlatformDeps, directories: Directories): Catalogue;
}

/** `forrest-bench`, from its command line to its exit code. Prints whatever goes wrong; never throws. */
export async function main(surroundings: Surroundings): Promise<ExitCode> {
  try {
    return await perform(parseCommandLine(surroundings.argv, surroundings.workingDirectory), surroundings);
  } catch (error) {
    surroundings.shell.err(`forrest-bench: ${formatError(error)}`);
    return exitCodeOf(error);
  }
}

async function perform(command: Command, surroundings: Surroundings): Promise<ExitCode> {
  switch (command.name) {
    case 'help':
      surroundings.shell.out(helpText.trimEnd());
      return exitCodes.ok;
    case 'version':
      surroundings.shell.out(`forrest-bench ${surroundings.version}`);
      return exitCodes.ok;
    case 'run':
    case 'check':
    case 'init':
    case 'address':
    case 'images':
      return await performInPlace(command, surroundings);
  }
}

async function performInPlace(command: PlacedCommand, surroundings: Surroundings): Promise<ExitCode> {
  const { shell, signals } = surroundings;
  const { dataDirectory } = command;
  const directories =
    dataDirectory === undefined ? systemDirectories(surroundings.env) : directoriesBelow(dataDirectory);
  const configPath = command.configPath ?? join(directories.config, 'config.yaml');
  const log = shellLog(shell, command.name === 'run' && command.isVerbose);
  const deps: PlatformDeps = {
    clock: systemClock,
    files: systemFiles,
    log,
    processes: systemProcesses,
    random: systemRandom,
  };
  switch (command.name) {
    case 'run': {
      const { version, rendererDirectory } = surroundings;
      const { port, qemuPath, runnerBinaryPath } = command;
      const openBench = () =>
        surroundings.openBench({
          configPath,
          directories,
          version,
          log,
          ...(qemuPath === undefined ? {} : { qemuPath }),
          ...(runnerBinaryPath === undefined ? {} : { runnerBinaryPath }),
        });
      return await runCommand(deps, { directories, rendererDirectory, port, shell, signals, openBench });
    }
    case 'check': {
      const host = await readHostFacts(directories.runs);
      return await checkCommand({ ...deps, host, homeDirectory: homedir() }, shell, configPath);
    }
    case 'init':
      return await initCommand(deps, shell, configPath);
    case 'address':
      return await addressCommand(deps, shell, directories);
    case 'images': {
      const catalogue = surroundings.openCatalogue(deps, directories);
      return await imagesCommand({ clock: deps.clock, catalogue }, { shell, signals, request: command });
    }
  }
}

function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return exitCodes.usage;
  if (error instanceof HeadlessError && error.code === 'headless/already-running') return exitCodes.alreadyRunning;
  return exitCodes.failed;
}
