import type { Delta } from '../contract/deltas.ts';
import type { RunnerView, RunPhase, RunView } from '../contract/state.ts';
import type { Log } from '../core/platform/log.ts';
import { printable, type Shell } from './shell.ts';

/**
 * Says what happens on a bench, a line an event: text for a person at a terminal, log lines with fields otherwise.
 * Deltas that a person need not see (a poll that began, a trace that grew) say nothing.
 */
export class RunLines {
  readonly #say: (line: Line) => void;
  readonly #phases = new Map<string, RunPhase>();
  readonly #runnerKinds = new Map<string, RunnerView['status']['kind']>();
  #isLending: boolean | undefined;

  /** @param timeZone For the clock at the head of each line; the PC's own by default. */
  constructor(shell: Pick<Shell, 'isTerminal' | 'out'>, log: Pick<Log, 'info'>, now: () => number, timeZone?: string) {
    const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium', ...(timeZone ? { timeZone } : {}) });
    this.#say = shell.isTerminal
      ? ({ text }) => shell.out(`${clock.format(now())}  ${printable(text).replace(/[\n\t]+/g, ' ')}`)
      : ({ fields, message }) => log.info(fields, message);
  }

  /** Takes the next delta of a bench. */
  tell(delta: Delta): void {
    switch (delta.kind) {
      case 'run':
        this.#run(delta.run);
        break;
      case 'run-dropped':
        this.#phases.delete(delta.id);
        break;
      case 'runner':
        this.#runner(delta.runner);
        break;
      case 'lending': {
        const { isLending, reasons } = delta.lending;
        if (this.#isLending === isLending) break;
        this.#isLending = isLending;
        const text = isLending ? 'lending this machine' : `not lending: ${reasons.join('; ') || 'switched off'}`;
        this.#say({ text, message: 'lending changed', fields: { isLending, reasons } });
        break;
      }
      case 'problem': {
        const { code, message, remedy } = delta.problem;
        this.#say({
          text: `problem: ${message} ${remedy} (${code})`,
          message: 'problem',
          fields: { code, why: message },
        });
        break;
      }
      case 'problem-solved':
        this.#say({ text: `solved: ${delta.id}`, message: 'problem solved', fields: { problem: delta.id } });
        break;
      case 'host': {
        const { accelerator, egress } = delta.host;
        if (accelerator === null) break;
        const text = `machines run under ${accelerator.kind}: ${accelerator.why}`;
        this.#say({ text, message: 'host', fields: { accelerator: accelerator.kind, egress: egress?.kind ?? null } });
        break;
      }
      case 'capacity':
      case 'trace-grown':
        break;
    }
  }

  #run(run: RunView): void {
    // A reservation for a poll comes and goes without a job.
    if (this.#phases.get(run.id) === run.phase || run.phase === 'reserved') return;
    this.#phases.set(run.id, run.phase);
    if (run.phase === 'finished') this.#phases.delete(run.id);
    const { job } = run;
    const fields = { runId: run.id, phase: run.phase, jobId: job.id, project: job.projectPath, machine: run.machine };
    const head = `${run.id}  ${run.phase.padEnd(9)}  ${job.projectPath} ${job.name} #${job.id}`;
    if (run.phase !== 'finished') {
      const last = run.timeline.at(-2);
      const tookMs = last === undefined ? null : sinceMs(last.at, run.timeline.at(-1)?.at);
      const ending = last === undefined || tookMs === null ? '' : `, ${last.phase} took ${seconds(tookMs)}`;
      this.#say({ text: `${head} on ${run.machine}${ending}`, message: 'run phase', fields: { ...fields, tookMs } });
      return;
    }
    const { state, failureReason, exitCode, why } = run.outcome;
    const tookMs = sinceMs(run.timeline[0]?.at, run.timeline.at(-1)?.at);
    const reason = failureReason === null ? '' : ` (${failureReason})`;
    const text = `${head} ${state}${reason} after ${seconds(tookMs)}: ${why}`;
    this.#say({ text, message: 'run finished', fields: { ...fields, state, failureReason, exitCode, why, tookMs } });
  }

  #runner({ id, status }: RunnerView): void {
    const before = this.#runnerKinds.get(id);
    this.#runnerKinds.set(id, status.kind);
    if (status.kind === 'backing-off' || status.kind === 'stopped') {
      if (before === status.kind) return;
      const { code, message, remedy } = status.error;
      const what = status.kind === 'stopped' ? 'stopped' : 'will try again';
      const fields = { runner: id, status: status.kind, code, why: message };
      this.#say({ text: `runner ${id} ${what}: ${message} ${remedy} (${code})`, message: 'runner trouble', fields });
    } else if (before === undefined || before === 'backing-off' || before === 'stopped') {
      this.#say({ text: `runner ${id} asks for jobs`, message: 'runner well', fields: { runner: id } });
    }
  }
}

interface Line {
  text: string;
  message: string;
  fields: Record<string, unknown>;
}

function sinceMs(from: number | undefined, to: number | undefined): number {
  return from === undefined || to === undefined ? 0 : Math.max(0, to - from);
}

function seconds(durationMs: number): string {
  return durationMs < 100_000 ? `${(durationMs / 1000).toFixed(1)} s` : `${Math.round(durationMs / 1000)} s`;
}
