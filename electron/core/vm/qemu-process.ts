import type { PlatformDeps } from '../platform/deps.ts';
import { errorCode } from '../platform/files.ts';
import { lastLinesOfFile } from './console.ts';
import type { MachineStart } from './machine-start.ts';
import { isOurs, type ProcessRecord } from './process-record.ts';
import { qemuCommand } from './qemu-arguments.ts';
import type { RunPaths } from './run-directory.ts';
import { VmError } from './vm-error.ts';

type ProcessDeps = Pick<PlatformDeps, 'clock' | 'files' | 'processes'>;

/** How a process ended; both null where we were not its parent and cannot know. */
export interface ProcessEnd {
  exitCode: number | null;
  signal: string | null;
}

/** A QEMU process, whether we started it or an earlier process of ours did. */
export interface QemuProcess {
  readonly pid: number;
  readonly startTime: string;
  readonly exited: Promise<ProcessEnd>;
  /** SIGKILL, if it is still the same process. */
  kill(): Promise<void>;
}

/** How often an adopted process is asked whether it still runs; the end of its QMP connection says it sooner. */
const adoptedPollMs = 250;

/**
 * Starts QEMU so that it outlives us; what it prints is appended to the run's `qemu.log`.
 * @throws VmError `vm/qemu-missing` or `vm/start-failed` where the program cannot be run at all.
 */
export async function startQemu(deps: ProcessDeps, start: MachineStart): Promise<QemuProcess> {
  const { program, args } = qemuCommand(start);
  try {
    const { pid, startTime, exited } = await deps.processes.startDetached(program, args, start.paths.qemuLog);
    return { pid, startTime, exited, kill: () => killSame(deps, pid, startTime) };
  } catch (cause) {
    const isMissing = errorCode(cause) === 'ENOENT';
    throw new VmError(isMissing ? 'vm/qemu-missing' : 'vm/start-failed', `${program} cannot be started`, {
      remedy: 'See that QEMU is installed and may be run by you, and that the disk of the run directories is not full.',
      cause,
    });
  }
}

/**
 * Takes over a process of an earlier process of ours.
 * @param signal Ends the watching; then `exited` never resolves.
 * @returns undefined where it runs no more, or is not ours.
 */
export async function adoptQemu(
  deps: ProcessDeps,
  paths: RunPaths,
  record: ProcessRecord,
  signal: AbortSignal,
): Promise<QemuProcess | undefined> {
  if (!(await isOurs(deps, paths, record))) return undefined;
  const { pid, startTime } = record;
  return {
    pid,
    startTime,
    exited: whenGone(deps, pid, startTime, signal),
    kill: () => killSame(deps, pid, startTime),
  };
}

/** Resolves when the process is gone; never after `signal`. */
async function whenGone(deps: ProcessDeps, pid: number, startTime: string, signal: AbortSignal): Promise<ProcessEnd> {
  while (!signal.aborted) {
    if ((await deps.processes.startTime(pid)) !== startTime) return { exitCode: null, signal: null };
    await deps.clock.sleep(adoptedPollMs, signal).catch(() => {});
  }
  return new Promise<never>(() => {});
}

async function killSame(deps: ProcessDeps, pid: number, startTime: string): Promise<void> {
  if ((await deps.processes.startTime(pid)) === startTime) deps.processes.kill(pid, 'SIGKILL');
}

/** What QEMU printed last, for an error message. */
export function qemuLastLines(deps: Pick<PlatformDeps, 'files'>, paths: RunPaths): Promise<string[]> {
  return lastLinesOfFile(deps, paths.qemuLog, 5);
}
