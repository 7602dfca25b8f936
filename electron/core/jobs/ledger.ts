import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { epochMsSchema, jobIdSchema, runIdSchema, runnerIdSchema } from '../../contract/ids.ts';
import { jobViewSchema, phaseMarkSchema } from '../../contract/state.ts';
import { JobError } from './job-error.ts';

/** What must survive a crash to end a job honestly (protocol document 8.1). */
export const ledgerRecordSchema = z.object({
  runId: runIdSchema,
  runner: runnerIdSchema,
  machine: z.string(),
  image: z.string(),
  /** URL of the GitLab instance, as the config had it. */
  gitlabUrl: z.string(),
  jobId: jobIdSchema,
  jobToken: z.string(),
  job: jobViewSchema,
  failureReasons: z.array(z.string()),
  receivedAt: epochMsSchema,
  timeoutSeconds: z.int().positive(),
  timeline: z.array(phaseMarkSchema),
});
export type LedgerRecord = z.infer<typeof ledgerRecordSchema>;

/** Another process that is just ending may hold the lock a little longer. */
const lockWaitMs = 2_000;
/** More than a record takes. */
const checkedBytes = 16 * 1024;

/**
 * Jobs we have accepted and GitLab does not yet know the end of. A record is on the disk when `add` returns, before
 * anything else is done about the job. The file holds job tokens: mode 0600, in a folder of mode 0700.
 */
export class Ledger implements Disposable {
  readonly #database: DatabaseSync;

  /** @throws JobError `jobs/ledger-in-use` where another process has it: two would take each other's jobs for abandoned. */
  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: lockWaitMs });
    try {
      // The lock is the kernel's: it goes with the process, however that ends.
      this.#database.exec(`
        PRAGMA locking_mode = EXCLUSIVE;
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA secure_delete = ON;
        CREATE TABLE IF NOT EXISTS jobs (run_id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT;
        BEGIN IMMEDIATE;
        COMMIT;
      `);
    } catch (cause) {
      this.#database.close();
      throw new JobError('jobs/ledger-in-use', `The ledger ${path} cannot be used by this process`, {
        remedy:
          'Forrest Bench is probably running already, in the tray or without a screen: end that one, or use it. ' +
          'If it is not, check the permissions and the space of the folder.',
        cause,
      });
    }
  }

  /** @throws JobError `jobs/ledger-unwritable`, usually a full disk. */
  add(record: LedgerRecord): void {
    this.#write('INSERT', record.runId, JSON.stringify(record));
  }

  /**
   * Writes something and takes it back: whether a job that came now could be written down.
   * @throws JobError `jobs/ledger-unwritable`
   */
  check(): void {
    // A check that was cut short may have left its row.
    this.#write('INSERT OR REPLACE', 'check', ' '.repeat(checkedBytes));
    this.#database.prepare("DELETE FROM jobs WHERE run_id = 'check'").run();
  }

  /** Removes the record: GitLab knows the end of the job. */
  remove(runId: LedgerRecord['runId']): void {
    this.#database.prepare('DELETE FROM jobs WHERE run_id = ?').run(runId);
  }

  /** All records, oldest first. One that cannot be read is skipped and counted: it cannot be ended any more. */
  all(): { records: LedgerRecord[]; unreadableCount: number } {
    const rows = this.#database.prepare("SELECT record FROM jobs WHERE run_id <> 'check' ORDER BY rowid").all();
    const parsed = rows.map((row) => ledgerRecordSchema.safeParse(JSON.parse(String(row['record']))));
    const records = parsed.flatMap((result) => (result.success ? [result.data] : []));
    return { records, unreadableCount: parsed.length - records.length };
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #write(verb: 'INSERT' | 'INSERT OR REPLACE', key: string, text: string): void {
    try {
      this.#database.prepare(`${verb} INTO jobs (run_id, record) VALUES (?, ?)`).run(key, text);
    } catch (cause) {
      throw new JobError('jobs/ledger-unwritable', 'The record of an accepted job cannot be written', {
        remedy:
          'Free some space on the disk that holds the state folder, or check its permissions. No job is taken meanwhile.',
        cause,
      });
    }
  }
}
