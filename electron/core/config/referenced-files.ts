import type { PlatformDeps } from '../platform/deps.ts';
import type { BenchConfig } from './bench-config.ts';
import { ConfigError } from './config-error.ts';
import { readToken } from './token-file.ts';

/**
 * Looks at every file that a config names: tokens, authorities, runner binaries, QEMU.
 * @returns What is wrong, one error a file, in the order of the config; empty where all is well.
 */
export async function checkReferencedFiles(
  { files }: Pick<PlatformDeps, 'files'>,
  config: BenchConfig,
): Promise<ConfigError[]> {
  const errors: ConfigError[] = [];
  const check = async (what: string, path: string | null, isGood: (path: string) => Promise<boolean>) => {
    if (path === null || (await isGood(path))) return;
    const remedy = `Correct the path in ${config.path}, or the file.`;
    errors.push(new ConfigError('config/unreadable', `${what} cannot be used: ${path}`, { remedy }));
  };
  for (const machine of Object.values(config.machinesByName)) {
    await check(`The runner binary of ${machine.name}`, machine.runnerBinaryPath, files.exists);
  }
  for (const connection of config.connections) {
    await check(`The CA file of ${connection.name}`, connection.caFile, files.exists);
    for (const runner of connection.runners) {
      try {
        await readToken({ files }, runner);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        errors.push(error);
      }
    }
  }
  await check('The program of `qemu:`', config.qemuPath, files.isExecutable);
  return errors;
}
