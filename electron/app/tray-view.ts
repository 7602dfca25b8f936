import type { BenchState } from '../contract/state.ts';

/** What the tray shows at a glance, the most urgent first: a problem, running jobs, lending, nothing. */
export const trayLooks = ['problem', 'running', 'lending', 'off'] as const;
export type TrayLook = (typeof trayLooks)[number];

/** Whether the app is on its way out; see `Leaving`. */
export type LeavingStatus = 'staying' | 'asking' | 'waiting' | 'stopping' | 'gone';

export interface TrayView {
  look: TrayLook;
  /** One line: the first of the menu, and the tooltip. */
  status: string;
  /** The owner's switch, as the menu's check mark shows it. */
  isEnabled: boolean;
}

export function trayView(state: BenchState, leaving: LeavingStatus): TrayView {
  const runCount = Object.keys(state.runsById).length;
  return { look: look(state, runCount), status: status(state, runCount, leaving), isEnabled: state.lending.isEnabled };
}

function look(state: BenchState, runCount: number): TrayLook {
  if (state.problems.length > 0) return 'problem';
  if (runCount > 0) return 'running';
  return state.lending.isLending ? 'lending' : 'off';
}

function status(state: BenchState, runCount: number, leaving: LeavingStatus): string {
  if (leaving === 'waiting') return `Quitting when ${jobs(runCount)} ended`;
  if (leaving === 'stopping') return `Stopping ${counted(runCount, 'job')}`;
  const running = runCount === 0 ? 'No job running' : `${counted(runCount, 'job')} running`;
  const problems = state.problems.length === 0 ? [] : [counted(state.problems.length, 'problem')];
  return [running, lending(state), ...problems].join(', ');
}

function lending({ lending: { isEnabled, isLending, reasons }, capacity }: BenchState): string {
  if (isLending) return `lending ${counted(capacity.lent.cpus, 'CPU')}`;
  if (!isEnabled) return 'not lending';
  const [reason] = reasons;
  return reason === undefined ? 'not lending now' : `not lending: ${reason.replace(/\.$/, '')}`;
}

function jobs(count: number): string {
  return count === 1 ? '1 job has' : `${count} jobs have`;
}

/** `2 jobs`, `1 job`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
