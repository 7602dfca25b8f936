import { dirname, join, resolve } from 'node:path';

/** An absolute path from one written in a config file: absolute, below `~/`, or relative to the file's own folder. */
export function resolvePath(written: string, configPath: string, homeDirectory: string): string {
  if (written.startsWith('~/')) return join(homeDirectory, written.slice(2));
  return resolve(dirname(configPath), written);
}
