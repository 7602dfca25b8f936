import { describe, expect, it } from 'vitest';
import type { EpochMs, RunnerId } from '../../../electron/contract/ids.ts';
import type { RunnerView, RunView } from '../../../electron/contract/state.ts';
import { RunLines } from '../../../electron/headless/run-lines.ts';
import { printable } from '../../../electron/headless/shell.ts';
import { aRun } from '../../fakes/bench-state.ts';

const noon = Date.parse('2026-11-23T12:00:00Z');
const error = { code: 'gitlab/unreachable', message: 'GitLab does not answer.', remedy: 'Check the network.' };

function atTerminal() {
  const lines: string[] = [];
  const shell = { isTerminal: true, out: (text: string) => lines.push(text) };
  return { lines, runLines: new RunLines(shell, { info: () => {} }, () => noon, 'UTC') };
}

function inLog() {
  const entries: unknown[] = [];
  const shell = { isTerminal: false, out: () => {} };
  const log = { info: (fields: object, message: string) => entries.push({ message, ...fields }) };
  return { entries, runLines: new RunLines(shell, log, () => noon) };
}

function finished(why = 'The job ended well.'): RunView {
  const { phase: _, pid: __, isCanceling: ___, ...run } = aRun();
  const outcome = { state: 'success', failureReason: null, exitCode: 0, why, error: null } as const;
  const timeline = [...run.timeline, { phase: 'finished' as const, at: (noon + 12_300) as EpochMs }];
  return { ...run, timeline, phase: 'finished', outcome };
}

function aRunner(status: RunnerView['status']): RunnerView {
  return {
    id: 'work/build' as RunnerId,
    connection: 'work',
    name: 'build',
    gitlabUrl: 'https://gitlab.example.com',
    machine: 'debian-build',
    status,
    lastAnswerAt: null,
  };
}

describe('what happens, at a terminal', () => {
  it('is one line for each phase of a run', () => {
    const { lines, runLines } = atTerminal();
    runLines.tell({ kind: 'run', run: aRun() });
    runLines.tell({ kind: 'trace-grown', id: aRun().id, traceBytes: 5 });
    runLines.tell({ kind: 'run', run: aRun({ isCanceling: true }) });
    runLines.tell({ kind: 'run', run: finished() });
    expect(lines).toEqual([
      '12:00:00  0a1b2c3d  running    lab/firmware build #7 on debian-build, accepted took 5.0 s',
      '12:00:00  0a1b2c3d  finished   lab/firmware build #7 success after 12.3 s: The job ended well.',
    ]);
  });

  it('names the reason of a failure', () => {
    const { lines, runLines } = atTerminal();
    const run = finished();
    if (run.phase !== 'finished') throw new Error('not finished');
    const outcome = {
      ...run.outcome,
      state: 'failed',
      failureReason: 'runner_system_failure',
      why: 'No disk.',
    } as const;
    runLines.tell({ kind: 'run', run: { ...run, outcome } });
    expect(lines).toEqual([
      '12:00:00  0a1b2c3d  finished   lab/firmware build #7 failed (runner_system_failure) after 12.3 s: No disk.',
    ]);
  });

  it('says nothing of a reservation for a poll', () => {
    const { lines, runLines } = atTerminal();
    const { pid: _, isCanceling: __, ...run } = aRun();
    runLines.tell({ kind: 'run', run: { ...run, phase: 'reserved' } });
    runLines.tell({ kind: 'run-dropped', id: run.id });
    expect(lines).toEqual([]);
  });

  it('says once that a runner is in trouble, and once that it is well again', () => {
    const { lines, runLines } = atTerminal();
    const polling = { kind: 'polling', isLongPoll: true } as const;
    const trouble = { kind: 'backing-off', until: noon as EpochMs, error } as const;
    for (const status of [polling, { kind: 'idle', why: 'x' } as const, trouble, trouble, polling, polling]) {
      runLines.tell({ kind: 'runner', runner: aRunner(status) });
    }
    expect(lines).toEqual([
      '12:00:00  runner work/build asks for jobs',
      '12:00:00  runner work/build will try again: GitLab does not answer. Check the network. (gitlab/unreachable)',
      '12:00:00  runner work/build asks for jobs',
    ]);
  });

  it('says when lending begins and ends, with the reasons', () => {
    const { lines, runLines } = atTerminal();
    const lending = (isLending: boolean, reasons: string[]) =>
      runLines.tell({ kind: 'lending', lending: { isEnabled: true, isLending, reasons } });
    lending(true, []);
    lending(true, []);
    lending(false, ['The disk is nearly full.']);
    expect(lines).toEqual(['12:00:00  lending this machine', '12:00:00  not lending: The disk is nearly full.']);
  });

  it('says problems with what to do, and that they are solved', () => {
    const { lines, runLines } = atTerminal();
    runLines.tell({ kind: 'problem', problem: { ...error, id: 'gitlab', since: noon as EpochMs } });
    runLines.tell({ kind: 'problem-solved', id: 'gitlab' });
    expect(lines).toEqual([
      '12:00:00  problem: GitLab does not answer. Check the network. (gitlab/unreachable)',
      '12:00:00  solved: gitlab',
    ]);
  });

  it('stays one line and harmless, whatever a job is called', () => {
    const { lines, runLines } = atTerminal();
    const name = 'a\u001b[2Jb\r\nc\u0007\u009bd\u202e';
    runLines.tell({ kind: 'run', run: aRun({ job: { ...aRun().job, name } }) });
    expect(lines).toEqual([
      '12:00:00  0a1b2c3d  running    lab/firmware a\u{fffd}[2Jb\u{fffd} c\u{fffd}\u{fffd}d\u{fffd} #7 on debian-build, accepted took 5.0 s',
    ]);
  });
});

describe('what happens, in a log', () => {
  it('is a fixed message with fields', () => {
    const { entries, runLines } = inLog();
    runLines.tell({ kind: 'run', run: aRun() });
    runLines.tell({ kind: 'run', run: finished() });
    const fields = { runId: '0a1b2c3d', jobId: 7, project: 'lab/firmware', machine: 'debian-build' };
    expect(entries).toEqual([
      { message: 'run phase', ...fields, phase: 'running', tookMs: 4990 },
      {
        message: 'run finished',
        ...fields,
        phase: 'finished',
        state: 'success',
        failureReason: null,
        exitCode: 0,
        why: 'The job ended well.',
        tookMs: 12_300,
      },
    ]);
  });
});

describe('text for a terminal', () => {
  it('keeps letters of every language, lines and tabs', () => {
    expect(printable('grün 日本\n\tö')).toBe('grün 日本\n\tö');
  });
});
