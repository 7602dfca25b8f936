import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const limitBytes = 5 * 1024 * 1024;

/**
 * Where the log lines of an app without a terminal go: `path`, and `path.1` with what was there before; each has at
 * most 5 MiB. Lines are written at once, because the last ones before a crash are those that matter.
 */
export function openLogFile(path: string): { write(line: string): void } {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  let sizeBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return {
    write(line) {
      if (sizeBytes + line.length > limitBytes) {
        renameSync(path, `${path}.1`);
        sizeBytes = 0;
      }
      appendFileSync(path, line, { mode: 0o600 });
      sizeBytes += Buffer.byteLength(line);
      process.stderr.write(line);
    },
  };
}
