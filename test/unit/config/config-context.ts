import { ConfigError } from '../../../electron/core/config/config-error.ts';
import { type ParseContext, parseConfig } from '../../../electron/core/config/parse-config.ts';

/** A PC with 8 CPUs, 32 GiB of memory and 400 GiB of disk. */
export const context: ParseContext = {
  host: { cpus: 8, memoryBytes: 32 * 2 ** 30, diskBytes: 400 * 2 ** 30 },
  homeDirectory: '/home/kim',
};

/** What a text means when it lies at `/etc/bench/config.yaml`. */
export function parse(text: string) {
  return parseConfig(text, '/etc/bench/config.yaml', context);
}

/** The problems of a text, without the file's name: `line:column key: expected ..., found ... (hint)`. */
export function problemsOf(text: string): string[] {
  try {
    parse(text);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ line, column, keyPath, expected, found, hint }) => {
      const ending = hint === null ? '' : ` (${hint})`;
      return `${line}:${column} ${keyPath}: expected ${expected}, found ${found}${ending}`;
    });
  }
}
