import { DatabaseSync } from 'node:sqlite';
import type { RunId } from '../../contract/ids.ts';
import { historyLimit, type RunView, runViewSchema } from '../../contract/state.ts';
import type { Log } from '../platform/log.ts';

export type FinishedRun = Extract<RunView, { phase: 'finished' }>;

/** Rows kept on disk; the oldest go first. */
const keptRows = 5_000;

/** Finished runs on disk, in SQLite. A row that cannot be read any more is left out and logged, never a crash. */
export class History implements Disposable {
  readonly #database: DatabaseSync;
  readonly #log: Log;

  /** @param path The database file; made where there is none. */
  constructor(deps: { log: Log }, path: string) {
    this.#log = deps.log;
    this.#database = new DatabaseSync(path);
    this.#database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      CREATE TABLE IF NOT EXISTS runs (id TEXT PRIMARY KEY, finished_at INTEGER NOT NULL, run TEXT NOT NULL) STRICT;
      CREATE INDEX IF NOT EXISTS runs_by_end ON runs (finished_at DESC);
    `);
  }

  /** @returns Runs that fell off the end, whose traces may be removed. */
  add(run: FinishedRun): RunId[] {
    const finishedAt = run.timeline.at(-1)?.at ?? 0;
    this.#database
      .prepare('INSERT OR REPLACE INTO runs (id, finished_at, run) VALUES (?, ?, ?)')
      .run(run.id, finishedAt, JSON.stringify(run));
    const dropped = this.#database
      .prepare(
        'DELETE FROM runs WHERE id IN (SELECT id FROM runs ORDER BY finished_at DESC LIMIT -1 OFFSET ?) RETURNING id',
      )
      .all(keptRows);
    return dropped.map((row) => row['id'] as RunId);
  }

  /** The newest runs, newest first. */
  latest(limit = historyLimit): FinishedRun[] {
    const rows = this.#database.prepare('SELECT run FROM runs ORDER BY finished_at DESC LIMIT ?').all(limit);
    return rows.flatMap((row) => {
      const parsed = runViewSchema.safeParse(JSON.parse(String(row['run'])));
      if (parsed.success && parsed.data.phase === 'finished') return [parsed.data];
      this.#log.warn({ run: String(row['run']).slice(0, 60) }, 'a history row cannot be read');
      return [];
    });
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
