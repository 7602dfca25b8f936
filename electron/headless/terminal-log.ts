import { z } from 'zod';
import { createLog, type Log } from '../core/platform/log.ts';
import { printable, type Shell } from './shell.ts';

const lineSchema = z.looseObject({
  level: z.number(),
  msg: z.string().default(''),
  error: z.looseObject({ message: z.string() }).optional(),
});
const ofEveryLine = ['level', 'time', 'pid', 'hostname', 'msg', 'error'];

/** Our own diagnostics: JSON lines for a log, short lines for a person at a terminal. Both to stderr, both redacted. */
export function shellLog(shell: Shell, isVerbose: boolean): Log {
  if (!shell.isTerminal) return createLog({ level: isVerbose ? 'debug' : 'info', destination: lines(shell, (l) => l) });
  // At a terminal the events of runs are printed as text already.
  return createLog({ level: isVerbose ? 'debug' : 'warn', destination: lines(shell, readable) });
}

function lines(shell: Shell, form: (line: string) => string): { write(line: string): void } {
  return { write: (line) => shell.err(form(line.trimEnd())) };
}

function readable(json: string): string {
  const line = lineSchema.parse(JSON.parse(json));
  const level = line.level >= 50 ? 'error' : line.level >= 40 ? 'warning' : line.level >= 30 ? 'info' : 'debug';
  const fields = Object.entries(line)
    .filter(([name]) => !ofEveryLine.includes(name))
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const why = line.error === undefined ? '' : `: ${line.error.message}`;
  return printable(`${level}: ${line.msg}${why}${fields.join('')}`).replace(/\s+/g, ' ');
}
