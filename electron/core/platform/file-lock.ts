import { DatabaseSync } from 'node:sqlite';

/**
 * Locks a file for this process until it is disposed of, or the process ends in whatever way: the kernel drops the lock
 * then. The file is created empty and stays. SQLite knows how to lock a file on every system we run on, which Node by
 * itself does not.
 * @returns undefined while somebody else holds it.
 */
export function lockFile(path: string): Disposable | undefined {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
    return {
      [Symbol.dispose]: () => {
        if (database.isOpen) database.close();
      },
    };
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

/** @see https://www.sqlite.org/rescode.html#busy */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5;
}
