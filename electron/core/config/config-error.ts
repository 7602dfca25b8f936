import { BenchError, type BenchErrorOptions } from '../../contract/errors.ts';

export type ConfigErrorCode =
  | 'config/invalid'
  | 'config/missing'
  | 'config/unreadable'
  | 'config/not-editable'
  | 'config/token-file-open'
  | 'config/token-missing'
  | 'config/token-invalid';

/** One thing that is wrong in a config file. */
export interface ConfigProblem {
  file: string;
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
  /** `machines.debian-build.memory`, `connections[0].url`; empty for the file as a whole. */
  keyPath: string;
  expected: string;
  found: string;
  /** The nearest allowed key or name, or another word of help. */
  hint: string | null;
}

/** Carries all that is wrong with a file, not only the first of it. */
export class ConfigError extends BenchError<ConfigErrorCode> {
  /** In the order of the file; empty for the codes that are not about its content. */
  readonly problems: readonly ConfigProblem[];

  constructor(
    code: ConfigErrorCode,
    message: string,
    options: BenchErrorOptions & { problems?: readonly ConfigProblem[] },
  ) {
    super(code, message, options);
    this.problems = options.problems ?? [];
  }
}

/** `FILE:LINE:COLUMN KEY: expected THIS, found THAT (hint)`, which terminals and editors make a link of. */
export function formatProblem(problem: ConfigProblem): string {
  const key = problem.keyPath === '' ? '' : ` ${problem.keyPath}:`;
  const hint = problem.hint === null ? '' : ` (${problem.hint})`;
  return `${problem.file}:${problem.line}:${problem.column}${key} expected ${problem.expected}, found ${problem.found}${hint}`;
}

/** @param problems At least one. */
export function invalidConfig(problems: readonly ConfigProblem[], cause?: unknown): ConfigError {
  const [first] = problems;
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  const message = [`The config file has ${count}`, ...problems.map(formatProblem)].join('\n');
  return new ConfigError('config/invalid', message, {
    problems,
    remedy: `Correct ${first?.file ?? 'the file'} at the lines named. What was in force before stays in force until then.`,
    cause,
  });
}
