import { z } from 'zod';
import { epochMsSchema } from '../../contract/ids.ts';
import type { PlatformDeps } from '../platform/deps.ts';
import type { RunPaths } from './run-directory.ts';

/** Who a run's QEMU is, written when it was started, so that the next process of ours can find it again. */
export const processRecordSchema = z.object({
  pid: z.int().positive(),
  /** The kernel's, in clock ticks after its boot; with the pid it names one process. */
  startTime: z.string().regex(/^\d{1,20}$/),
  qemuPath: z.string().max(4096),
  startedAt: epochMsSchema,
});
export type ProcessRecord = z.infer<typeof processRecordSchema>;

const sizeLimitBytes = 16 * 1024;

export async function writeProcessRecord(
  deps: Pick<PlatformDeps, 'files'>,
  paths: RunPaths,
  record: ProcessRecord,
): Promise<void> {
  await deps.files.writeAtomically(paths.processRecord, `${JSON.stringify(record)}\n`);
}

/** @returns undefined where there is none that can be read: then nothing is known of a process, and none is touched. */
export async function readProcessRecord(
  deps: Pick<PlatformDeps, 'files'>,
  paths: RunPaths,
): Promise<ProcessRecord | undefined> {
  if (((await deps.files.sizeBytes(paths.processRecord)) ?? Infinity) > sizeLimitBytes) return undefined;
  try {
    return processRecordSchema.parse(JSON.parse(await deps.files.readText(paths.processRecord)));
  } catch {
    return undefined;
  }
}

/**
 * Whether the recorded process still runs and is ours. Pids are used again, after a reboot with the same start times
 * even; so pid, start time and a command line that names the run's sockets must all match.
 */
export async function isOurs(
  deps: Pick<PlatformDeps, 'processes'>,
  paths: RunPaths,
  record: Pick<ProcessRecord, 'pid' | 'startTime'>,
): Promise<boolean> {
  if ((await deps.processes.startTime(record.pid)) !== record.startTime) return false;
  const commandLine = await deps.processes.commandLine(record.pid);
  return commandLine?.some((argument) => argument.includes(optionPath(paths.qmpSocket))) ?? false;
}

/** As it stands among QEMU's arguments, where a comma is written twice. */
function optionPath(path: string): string {
  return path.replaceAll(',', ',,');
}
