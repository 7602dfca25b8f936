import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { AppError } from './errors.ts';

export interface AppArguments {
  /** `--config FILE`, absolute. */
  configPath: string | undefined;
  /** `--hidden`: start in the tray, without a window. */
  isHidden: boolean;
}

/**
 * Ours among the arguments of the command line. Chromium's switches stand between them and are left alone.
 * @param workingDirectory What a relative `--config` starts from.
 * @throws AppError `app/bad-argument` for `--config` without a file.
 */
export function parseArguments(argv: readonly string[], workingDirectory: string): AppArguments {
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    options: { config: { type: 'string' }, hidden: { type: 'boolean' } },
  });
  let configPath: string | undefined;
  let isHidden = false;
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    if (token.name === 'hidden') isHidden = true;
    if (token.name === 'config') configPath = resolve(workingDirectory, fileOf(token.value));
  }
  return { configPath, isHidden };
}

function fileOf(value: string | undefined): string {
  if (value !== undefined && value !== '' && !value.startsWith('-')) return value;
  throw new AppError('app/bad-argument', '--config needs a file', {
    remedy: 'Write --config FILE, or leave it out to use the config file in its usual place.',
  });
}
