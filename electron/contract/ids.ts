import { z } from 'zod';

/** One boot of a machine for one job: 8 lower-case hex digits, short because it names sockets (107-byte paths). */
export const runIdSchema = z
  .string()
  .regex(/^[0-9a-f]{8}$/)
  .brand('RunId');
export type RunId = z.infer<typeof runIdSchema>;

/** GitLab's id of a job, unique within one GitLab instance. */
export const jobIdSchema = z.int().positive().brand('JobId');
export type JobId = z.infer<typeof jobIdSchema>;

/** `<connection>/<runner>` as the config names them, unique within one bench. */
export const runnerIdSchema = z.string().min(3).max(200).brand('RunnerId');
export type RunnerId = z.infer<typeof runnerIdSchema>;

/** Milliseconds since 1970-01-01T00:00:00Z, wall clock. */
export const epochMsSchema = z.int().nonnegative().brand('EpochMs');
export type EpochMs = z.infer<typeof epochMsSchema>;
