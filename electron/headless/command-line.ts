import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { BenchError } from '../contract/errors.ts';
import { nearest } from '../core/config/nearest.ts';

export const defaultPort = 7420;

/** What all commands know: where things lie. Paths are absolute. */
interface Common {
  /** undefined: the usual place. */
  configPath: string | undefined;
  /** Everything below one folder; undefined: the usual places. */
  dataDirectory: string | undefined;
}

/** A command that needs to know where things lie. */
export type PlacedCommand =
  | ({ name: 'run' } & Common & {
        port: number;
        qemuPath: string | undefined;
        runnerBinaryPath: string | undefined;
        isVerbose: boolean;
      })
  | ({ name: 'check' } & Common)
  | ({ name: 'init' } & Common)
  | ({ name: 'address' } & Common)
  | ({ name: 'images'; action: 'list' } & Common)
  | ({ name: 'images'; action: 'build' | 'verify'; image: string } & Common);

export type Command = { name: 'help' } | { name: 'version' } | PlacedCommand;

export class UsageError extends BenchError<'headless/usage'> {
  constructor(message: string, suggestion?: string) {
    const hint = suggestion === undefined ? '' : `Did you mean ${suggestion}? `;
    super('headless/usage', message, { remedy: `${hint}See: forrest-bench --help` });
  }
}

type OptionName = 'config' | 'data' | 'port' | 'qemu' | 'runner-binary' | 'verbose' | 'help' | 'version';
const optionTypes: Readonly<Record<OptionName, 'string' | 'boolean'>> = {
  config: 'string',
  data: 'string',
  port: 'string',
  qemu: 'string',
  'runner-binary': 'string',
  verbose: 'boolean',
  help: 'boolean',
  version: 'boolean',
};
const optionsByCommand: Readonly<Record<string, readonly OptionName[]>> = {
  run: ['config', 'data', 'port', 'qemu', 'runner-binary', 'verbose'],
  check: ['config', 'data'],
  init: ['config', 'data'],
  address: ['data'],
  images: ['data'],
};

/**
 * Reads the command line.
 * @param argv Without the program's own name.
 * @param workingDirectory What relative paths start from.
 * @throws UsageError with a suggestion where one is near.
 */
export function parseCommandLine(argv: readonly string[], workingDirectory: string): Command {
  const { words, options } = gather(argv);
  if (options.has('help')) return { name: 'help' };
  if (options.has('version')) return { name: 'version' };
  const [name, ...rest] = words;
  if (name === undefined) throw new UsageError('There is no command');
  const allowed = Object.hasOwn(optionsByCommand, name) ? optionsByCommand[name] : undefined;
  if (allowed === undefined) {
    throw new UsageError(`There is no command ${quoted(name)}`, nearest(name, Object.keys(optionsByCommand)));
  }
  for (const option of options.keys()) {
    if (!allowed.includes(option)) throw new UsageError(`${name} does not take --${option}`);
  }
  const path = (option: OptionName) => {
    const value = options.get(option);
    return value === undefined ? undefined : resolve(workingDirectory, value);
  };
  const common: Common = { configPath: path('config'), dataDirectory: path('data') };
  if (name === 'images') return images(rest, common);
  if (rest[0] !== undefined) throw new UsageError(`${name} does not take ${quoted(rest[0])}`);
  if (name === 'check' || name === 'init' || name === 'address') return { name, ...common };
  return {
    name: 'run',
    ...common,
    port: portOf(options.get('port')),
    qemuPath: path('qemu'),
    runnerBinaryPath: path('runner-binary'),
    isVerbose: options.has('verbose'),
  };
}

function gather(argv: readonly string[]): { words: string[]; options: Map<OptionName, string> } {
  const { tokens } = parseArgs({
    args: [...argv],
    // Not strict, because its errors know no suggestions.
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(Object.entries(optionTypes).map(([name, type]) => [name, { type }])),
  });
  const words: string[] = [];
  const options = new Map<OptionName, string>();
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    if (!isOption(name)) {
      const meant = nearest(name, Object.keys(optionTypes));
      throw new UsageError(`There is no option ${rawName}`, meant === undefined ? undefined : `--${meant}`);
    }
    const wantsValue = optionTypes[name] === 'string';
    // A value that begins with a hyphen is the next option, after a forgotten value.
    const isMissing = value === undefined || value === '' || (!token.inlineValue && value.startsWith('-'));
    if (wantsValue && isMissing) throw new UsageError(`${rawName} needs a value`);
    if (!wantsValue && value !== undefined) throw new UsageError(`${rawName} takes no value`);
    if (options.has(name)) throw new UsageError(`${rawName} is there twice`);
    options.set(name, value ?? '');
  }
  return { words, options };
}

function images([action, image, ...rest]: readonly string[], common: Common): Command {
  if (rest[0] !== undefined) throw new UsageError(`images does not take ${quoted(rest[0])}`);
  if (action === undefined) throw new UsageError('images needs one of: list, build NAME, verify NAME');
  if (action === 'list') {
    if (image !== undefined) throw new UsageError(`images list does not take ${quoted(image)}`);
    return { name: 'images', action, ...common };
  }
  if (action !== 'build' && action !== 'verify') {
    throw new UsageError(`images does not know ${quoted(action)}`, nearest(action, ['list', 'build', 'verify']));
  }
  if (image === undefined) throw new UsageError(`images ${action} needs the name of an image`);
  return { name: 'images', action, image, ...common };
}

function portOf(text: string | undefined): number {
  if (text === undefined) return defaultPort;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new UsageError(`--port needs a number from 0 to 65535, not ${quoted(text)}`);
}

function isOption(name: string): name is OptionName {
  return Object.hasOwn(optionTypes, name);
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
