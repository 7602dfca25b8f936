import { describe, expect, it, vi } from 'vitest';
import { Leaving, type LeavingChoice, type LeavingQuestion, stopDeadlineMs } from '../../../electron/app/leaving.ts';
import type { RunId } from '../../../electron/contract/ids.ts';
import { silentLog } from '../../../electron/core/platform/log.ts';
import { aRun } from '../../fakes/bench-state.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { FakeBench } from '../../fakes/fake-bench.ts';

/** An owner who answers when the test says so. */
function aLeaving({ runCount = 1 } = {}) {
  const bench = new FakeBench();
  const runs = Array.from({ length: runCount }, (_, index) => aRun({ id: `0000000${index}` as RunId }));
  for (const run of runs) bench.begin(run);
  const clock = new FakeClock();
  const questions: LeavingQuestion[] = [];
  let answer: (choice: LeavingChoice) => void = () => {};
  const left = vi.fn(async () => {});
  const statuses: string[] = [];
  const leaving: Leaving = new Leaving({
    deps: { clock, log: silentLog },
    bench,
    ask: (question) => {
      questions.push(question);
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
    leave: left,
    onChange: () => statuses.push(leaving.status),
  });
  const finishAll = () => {
    for (const run of runs) bench.finish(run, 'success', 'It ended.');
  };
  return {
    bench,
    clock,
    leaving,
    left,
    questions,
    statuses,
    finishAll,
    answer: (choice: LeavingChoice) => answer(choice),
  };
}

describe('Leaving', () => {
  it('leaves at once when nothing runs', async () => {
    const { leaving, left, questions } = aLeaving({ runCount: 0 });
    await leaving.request();
    expect(left).toHaveBeenCalledOnce();
    expect(questions).toEqual([]);
  });

  it('asks when jobs run, and says what each choice does to them', async () => {
    const { leaving, questions } = aLeaving({ runCount: 2 });
    void leaving.request();
    expect(questions).toEqual([
      {
        message: '2 jobs are running on this machine',
        detail: [
          'Wait: no new job is taken, and Forrest Bench quits when these have ended.',
          'Stop now: they end here and GitLab is told that this machine stopped them.',
          'Cancel: all goes on as it is.',
        ].join('\n'),
        choices: [
          { choice: 'wait', label: 'Wait' },
          { choice: 'stop', label: 'Stop now' },
          { choice: 'stay', label: 'Cancel' },
        ],
      },
    ]);
  });

  it('asks one question at a time', () => {
    const { leaving, questions } = aLeaving();
    void leaving.request();
    void leaving.request();
    expect(questions).toHaveLength(1);
  });

  it('goes on as before when the owner cancels', async () => {
    const { answer, bench, leaving, left, statuses } = aLeaving();
    const requested = leaving.request();
    answer('stay');
    await requested;
    expect(statuses).toEqual(['asking', 'staying']);
    expect(bench.deeds).toEqual(['opened']);
    expect(left).not.toHaveBeenCalled();
  });

  it('drains, and leaves when the last job has ended', async () => {
    const { answer, bench, finishAll, leaving, left, statuses } = aLeaving();
    const requested = leaving.request();
    answer('wait');
    await vi.waitFor(() => expect(bench.deeds).toEqual(['opened', 'drain-began']));
    expect(left).not.toHaveBeenCalled();
    finishAll();
    await requested;
    expect(left).toHaveBeenCalledOnce();
    expect(statuses).toEqual(['asking', 'waiting', 'gone']);
  });

  it('takes jobs again when the owner does not want to quit after all', async () => {
    const { answer, bench, leaving, left, questions } = aLeaving();
    const requested = leaving.request();
    answer('wait');
    await vi.waitFor(() => expect(leaving.status).toBe('waiting'));
    const again = leaving.request();
    expect(questions.at(-1)?.choices.map(({ label }) => label)).toEqual(['Keep waiting', 'Stop now', 'Do not quit']);
    answer('stay');
    await Promise.all([requested, again]);
    expect(bench.deeds).toEqual(['opened', 'drain-began', 'drain-aborted']);
    expect(leaving.status).toBe('staying');
    expect(left).not.toHaveBeenCalled();
  });

  it('keeps the drain that goes on when the owner keeps waiting', async () => {
    const { answer, bench, finishAll, leaving, left } = aLeaving();
    const requested = leaving.request();
    answer('wait');
    await vi.waitFor(() => expect(leaving.status).toBe('waiting'));
    const again = leaving.request();
    answer('wait');
    await again;
    expect(bench.deeds).toEqual(['opened', 'drain-began']);
    finishAll();
    await requested;
    expect(left).toHaveBeenCalledOnce();
  });

  it('leaves although a question still stands, when the drain has come to its end', async () => {
    const { answer, finishAll, leaving, left } = aLeaving();
    const requested = leaving.request();
    answer('wait');
    await vi.waitFor(() => expect(leaving.status).toBe('waiting'));
    const again = leaving.request();
    finishAll();
    await requested;
    answer('stay');
    await again;
    expect(left).toHaveBeenCalledOnce();
    expect(leaving.status).toBe('gone');
  });

  it('stops every run, and leaves when they are gone', async () => {
    const { answer, bench, leaving, left } = aLeaving({ runCount: 2 });
    const requested = leaving.request();
    answer('stop');
    await requested;
    expect(bench.state.runsById).toEqual({});
    expect(bench.state.history.map((run) => run.phase === 'finished' && run.outcome.state)).toEqual([
      'canceled',
      'canceled',
    ]);
    expect(left).toHaveBeenCalledOnce();
  });

  it('leaves after a deadline when a run does not end', async () => {
    const { answer, bench, clock, leaving, left } = aLeaving();
    bench.handlers.calls['run.stop'] = async () => {
      throw new Error('QEMU does not answer');
    };
    const requested = leaving.request();
    answer('stop');
    await clock.advance(stopDeadlineMs - 1);
    expect(left).not.toHaveBeenCalled();
    await clock.advance(1);
    await requested;
    expect(left).toHaveBeenCalledOnce();
    expect(clock.pendingCount).toBe(0);
  });

  it('stays when draining fails', async () => {
    const { answer, bench, leaving, left } = aLeaving();
    bench.drain = async () => {
      throw new Error('unexpected');
    };
    const requested = leaving.request();
    answer('wait');
    await requested;
    expect(leaving.status).toBe('staying');
    expect(left).not.toHaveBeenCalled();
  });

  it('leaves without a question when nobody can answer', async () => {
    const { leaving, left, questions } = aLeaving();
    await leaving.abandon();
    await leaving.abandon();
    await leaving.request();
    expect(left).toHaveBeenCalledOnce();
    expect(questions).toEqual([]);
  });
});
