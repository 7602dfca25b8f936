import { describe, expect, it } from 'vitest';
import type { EpochMs } from '../../../electron/contract/ids.ts';
import type { Resources, RunnerStatus, RunView } from '../../../electron/contract/state.ts';
import {
  type CapacityDraft,
  type DraftEvent,
  nextDraft,
  shownLent,
} from '../../../renderer/features/capacity/capacity-draft.ts';
import {
  capacityScales,
  fromStep,
  shareOfHost,
  stepCount,
  toStep,
} from '../../../renderer/features/capacity/capacity-scale.ts';
import { noOutputSentence, phaseSteps, runDurationMs } from '../../../renderer/features/machines/phases.ts';
import { runnerWords } from '../../../renderer/features/runners/runner-words.ts';
import { formatBytes, formatDuration, formatInstant } from '../../../renderer/ui/format.ts';
import { aRun } from '../../fakes/bench-state.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const gib = 1024 ** 3;
const noon = Date.parse('2026-11-23T12:00:00Z');
const error = { code: 'gitlab/unreachable', message: 'GitLab does not answer', remedy: 'Check the network.' };

describe('formatDuration', () => {
  it.each([
    [-5, '0 s'],
    [999, '0 s'],
    [12.9 * second, '12 s'],
    [4 * minute + 5 * second, '4 min 05 s'],
    [hour + 4 * minute + 59 * second, '1 h 04 min'],
    [51 * hour, '2 d 3 h'],
  ])('says %d ms as %s', (durationMs, words) => {
    expect(formatDuration(durationMs)).toBe(words);
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [12.48 * 1024, '12.4 KiB'],
    [8 * gib, '8 GiB'],
    [480.9 * gib, '480 GiB'],
    [2 * 1024 * gib, '2 TiB'],
  ])('says %d bytes as %s', (sizeBytes, words) => {
    expect(formatBytes(sizeBytes)).toBe(words);
  });
});

describe('formatInstant', () => {
  it('leaves the date out today', () => {
    const at = (day: string) => formatInstant(Date.parse(`${day}T09:05:00Z`), noon, 'UTC');
    expect([at('2026-11-23'), at('2026-11-22')]).toEqual(['09:05', '2026-11-22 09:05']);
  });
});

describe('phases of a run', () => {
  it('have the time they took; the current one goes on', () => {
    expect(phaseSteps(aRun(), noon + 9_000)).toEqual([
      { phase: 'reserved', state: 'done', durationMs: 10 },
      { phase: 'accepted', state: 'done', durationMs: 4_990 },
      { phase: 'preparing', state: 'skipped', durationMs: null },
      { phase: 'booting', state: 'skipped', durationMs: null },
      { phase: 'ready', state: 'skipped', durationMs: null },
      { phase: 'running', state: 'current', durationMs: 4_000 },
      { phase: 'finishing', state: 'coming', durationMs: null },
    ]);
  });

  it('stop counting at the end', () => {
    const { pid: _pid, isCanceling: _isCanceling, ...common } = aRun();
    const timeline = [...common.timeline, { phase: 'finished' as const, at: (noon + 60_000) as EpochMs }];
    const outcome = { state: 'success' as const, failureReason: null, exitCode: 0, why: '', error: null };
    const run: RunView = { ...common, timeline, phase: 'finished', outcome };
    expect(runDurationMs(run, noon + 99 * hour)).toBe(60_000);
  });

  it('explain an empty trace', () => {
    const { isCanceling: _isCanceling, ...common } = aRun();
    const timeline = [{ phase: 'booting' as const, at: noon as EpochMs }];
    expect(noOutputSentence({ ...common, timeline, phase: 'booting' }, noon + 12_345)).toBe(
      'No output yet: the machine is booting (12 s)',
    );
  });
});

describe('runnerWords', () => {
  it.each<[RunnerStatus, ReturnType<typeof runnerWords>]>([
    [
      { kind: 'idle', why: 'No slot is free.' },
      { tone: 'neutral', text: 'Idle: no slot is free.', remedy: '' },
    ],
    [
      { kind: 'idle', why: 'GitLab was asked too often.' },
      { tone: 'neutral', text: 'Idle: GitLab was asked too often.', remedy: '' },
    ],
    [
      { kind: 'polling', isLongPoll: true },
      { tone: 'good', text: 'Waiting at GitLab for a job', remedy: '' },
    ],
    [
      { kind: 'polling', isLongPoll: false },
      { tone: 'good', text: 'Asking GitLab for a job', remedy: '' },
    ],
    [
      { kind: 'backing-off', until: (noon + 12_500) as EpochMs, error },
      { tone: 'warning', text: 'GitLab does not answer; trying again in 12 s', remedy: 'Check the network.' },
    ],
    [
      { kind: 'backing-off', until: noon as EpochMs, error },
      { tone: 'warning', text: 'GitLab does not answer; trying again now', remedy: 'Check the network.' },
    ],
    [
      { kind: 'stopped', error },
      { tone: 'danger', text: 'Stopped: GitLab does not answer', remedy: 'Check the network.' },
    ],
  ])('of %j', (status, words) => {
    expect(runnerWords(status, noon)).toEqual(words);
  });
});

const lent: Resources = { cpus: 2, memoryBytes: 8 * gib, diskBytes: 60 * gib, slotCount: 1 };
const more: Resources = { ...lent, cpus: 4 };

describe('capacity', () => {
  const host: Resources = { cpus: 16, memoryBytes: 31.3 * gib, diskBytes: 480.5 * gib, slotCount: 8 };

  it('moves in whole steps up to what the host has', () => {
    expect(capacityScales.map((scale) => stepCount(scale, host))).toEqual([16, 62, 480, 8]);
  });

  it('goes from amounts to steps and back', () => {
    const back = capacityScales.map((scale) => fromStep(scale, toStep(scale, lent[scale.key], host)));
    expect(back).toEqual([2, 8 * gib, 60 * gib, 1]);
  });

  it('never stands beyond the end, also when more is lent than there is', () => {
    const [cpus] = capacityScales;
    expect(cpus && [toStep(cpus, 99, host), shareOfHost(cpus, 99, host)]).toEqual([16, 100]);
  });

  it('has no share of a host that is not known', () => {
    const none: Resources = { cpus: 0, memoryBytes: 0, diskBytes: 0, slotCount: 0 };
    expect(capacityScales.map((scale) => shareOfHost(scale, 0, none))).toEqual([0, 0, 0, 0]);
  });

  it('is said in words', () => {
    expect(capacityScales.map((scale) => scale.say(lent[scale.key]))).toEqual(['2 CPUs', '8 GiB', '60 GiB', '1 run']);
  });
});

describe('a change of capacity', () => {
  const draftAfter = (...events: DraftEvent[]) => events.reduce<CapacityDraft>(nextDraft, { kind: 'none' });
  const sent: DraftEvent = { kind: 'sent', wanted: more, attempt: 1 };
  const mirrored: DraftEvent = { kind: 'mirrored', lent: more };

  it('is shown at once, and until the core says it', () => {
    const drafts = [
      draftAfter({ kind: 'dragged', wanted: more }),
      draftAfter(sent),
      draftAfter(sent, { kind: 'saved', attempt: 1 }),
      draftAfter(sent, mirrored),
    ];
    expect(drafts.map((draft) => shownLent(lent, draft))).toEqual([more, more, more, more]);
  });

  it('gives way to what the core says after its answer', () => {
    expect(draftAfter(sent, { kind: 'saved', attempt: 1 }, mirrored)).toEqual({ kind: 'none' });
  });

  it('is taken back when it is refused, with the reason', () => {
    const draft = draftAfter(sent, { kind: 'refused', attempt: 1, error });
    expect([draft, shownLent(lent, draft)]).toEqual([{ kind: 'failed', error }, lent]);
  });

  it('is still being saved when the slider says once more where it is', () => {
    const draft = draftAfter(sent, { kind: 'dragged', wanted: { ...more } });
    expect(draft).toEqual({ kind: 'saving', wanted: more, attempt: 1 });
  });

  it('is not taken back by the late answer of an older one', () => {
    const draft = draftAfter(sent, { kind: 'sent', wanted: lent, attempt: 2 }, { kind: 'refused', attempt: 1, error });
    expect(draft).toEqual({ kind: 'saving', wanted: lent, attempt: 2 });
  });

  it('is not ended by the answer of an older one either', () => {
    const draft = draftAfter(sent, { kind: 'sent', wanted: lent, attempt: 2 }, { kind: 'saved', attempt: 1 });
    expect(draft).toEqual({ kind: 'saving', wanted: lent, attempt: 2 });
  });
});
