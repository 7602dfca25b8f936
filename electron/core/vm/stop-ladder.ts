import type { PlatformDeps } from '../platform/deps.ts';
import type { QemuProcess } from './qemu-process.ts';
import type { Qmp } from './qmp.ts';
import type { StopStep } from './vm-outcome.ts';

/** How long each step of stopping is waited for, in milliseconds; 0 leaves the step out. SIGKILL is the last, always. */
export interface StopDeadlines {
  /** For a guest that is shutting down by itself. */
  powerOffGraceMs: number;
  /** After QMP `system_powerdown`. A guest may ignore it. */
  powerdownMs: number;
  /** After QMP `quit`. */
  quitMs: number;
}

export const defaultStopDeadlines: StopDeadlines = { powerOffGraceMs: 0, powerdownMs: 5_000, quitMs: 3_000 };

/** When SIGKILL comes at the latest, in milliseconds from the beginning. */
export function killAfterMs(deadlines: StopDeadlines): number {
  return deadlines.powerOffGraceMs + deadlines.powerdownMs + deadlines.quitMs;
}

/**
 * Ends a QEMU, from the politest way to the surest.
 * @param onStep Called as each step is taken; the last one called is the one that worked.
 * @returns once the process has ended.
 */
export async function stopQemu(
  deps: Pick<PlatformDeps, 'clock'>,
  qemu: { process: QemuProcess; qmp: Pick<Qmp, 'execute'> | undefined },
  deadlines: StopDeadlines,
  onStep: (step: StopStep) => void,
): Promise<void> {
  const { process, qmp } = qemu;
  const steps: { step: StopStep; waitMs: number; command?: string }[] = [
    { step: 'guest', waitMs: deadlines.powerOffGraceMs },
    { step: 'powerdown', waitMs: deadlines.powerdownMs, command: 'system_powerdown' },
    { step: 'quit', waitMs: deadlines.quitMs, command: 'quit' },
  ];
  for (const { step, waitMs, command } of steps) {
    if (waitMs <= 0 || (command !== undefined && qmp === undefined)) continue;
    onStep(step);
    // The answer is not waited for: QEMU may hang, and `quit` ends the connection. The end of the process is what counts.
    if (command !== undefined) qmp?.execute(command).catch(() => {});
    if (await resolvesWithin(deps, process.exited, waitMs)) return;
  }
  onStep('kill');
  await process.kill();
  await process.exited;
}

/** Whether `promise` resolves within `limitMs`. */
export function resolvesWithin(
  deps: Pick<PlatformDeps, 'clock'>,
  promise: Promise<unknown>,
  limitMs: number,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const limit = deps.clock.after(limitMs, () => resolve(false));
    promise.then(
      () => {
        limit[Symbol.dispose]();
        resolve(true);
      },
      (error: unknown) => {
        limit[Symbol.dispose]();
        reject(error);
      },
    );
  });
}
