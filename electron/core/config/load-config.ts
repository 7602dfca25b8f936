import type { PlatformDeps } from '../platform/deps.ts';
import { errorCode, isMissing } from '../platform/files.ts';
import type { HostFacts } from '../platform/host-facts.ts';
import type { BenchConfig } from './bench-config.ts';
import { ConfigError } from './config-error.ts';
import { parseConfig } from './parse-config.ts';

export interface ConfigDeps extends Pick<PlatformDeps, 'files'> {
  /** Bounds the defaults: half of it is lent where the file does not say. */
  host: HostFacts;
  /** What `~/` stands for. */
  homeDirectory: string;
}

/** @throws ConfigError `config/missing`, `config/unreadable`, or `config/invalid` with every problem of the file. */
export async function loadConfig(deps: ConfigDeps, path: string): Promise<BenchConfig> {
  return parseConfig(await readConfigText(deps, path), path, deps);
}

/** @throws ConfigError `config/missing`, `config/unreadable`. */
export async function readConfigText({ files }: Pick<ConfigDeps, 'files'>, path: string): Promise<string> {
  try {
    return await files.readText(path);
  } catch (cause) {
    if (isMissing(cause)) {
      throw new ConfigError('config/missing', `There is no config file at ${path}`, {
        remedy: `Run: forrest-bench init --config ${path}. It writes a first one with an explanation of each line.`,
        cause,
      });
    }
    const why = errorCode(cause) ?? (cause instanceof Error ? cause.message : 'unknown error');
    throw new ConfigError('config/unreadable', `The config file cannot be read: ${path} (${why})`, {
      remedy: `Make ${path} a plain file that this user can read.`,
      cause,
    });
  }
}
