import { toWireError } from '../contract/errors.ts';

/** Where a command writes. */
export interface Shell {
  /** True where a person reads along; else what is written are JSON lines for a log. */
  isTerminal: boolean;
  out(text: string): void;
  err(text: string): void;
}

export function processShell(): Shell {
  return {
    isTerminal: process.stdout.isTTY === true,
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(`${text}\n`),
  };
}

/** Any error as a person reads it: what is wrong, what to do, and the code to search for. */
export function formatError(error: unknown): string {
  const { code, message, remedy } = toWireError(error);
  return `${printable(message)}\n  ${printable(remedy)}\n  (${code})`;
}

/** Text from outside without what a terminal would obey: control characters, and marks that turn the direction of writing. */
export function printable(text: string): string {
  return text.replace(/[^\P{C}\n\t]/gu, '\u{fffd}');
}
