import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Resources } from '../../../electron/contract/state.ts';
import { nothing, whyNoRoom } from '../../../electron/core/scheduler/capacity.ts';
import { type Reservation, Reservations } from '../../../electron/core/scheduler/reservations.ts';

const gib = 2 ** 30;
const lent: Resources = { cpus: 4, memoryBytes: 8 * gib, diskBytes: 40 * gib, slotCount: 2 };
const one: Resources = { cpus: 2, memoryBytes: 4 * gib, diskBytes: 20 * gib, slotCount: 1 };
const never = new AbortController().signal;

function reservations(refusals: () => readonly string[] = () => []): Reservations {
  return new Reservations({ lent, refusals, onChange: () => {} });
}
const quiet = () => {};

describe('whyNoRoom', () => {
  it.each<[string, Partial<Resources>, Partial<Resources>, string | null]>([
    ['fits exactly', { cpus: 2, slotCount: 1 }, { cpus: 2, slotCount: 1 }, null],
    ['no slot left', { slotCount: 2 }, { slotCount: 1 }, 'All lent runs are in use.'],
    ['no CPU left', { cpus: 3 }, { cpus: 2 }, 'All lent CPUs are in use.'],
    ['no memory left', { memoryBytes: 8 * gib }, { memoryBytes: 1 }, 'All lent memory is in use.'],
    ['can never fit', {}, { memoryBytes: 16 * gib }, 'The machine wants 16.0 GiB memory, 8.0 GiB are lent.'],
    ['too many CPUs for ever', {}, { cpus: 9 }, 'The machine wants 9 CPUs, 4 are lent.'],
  ])('%s', (_name, held, request, expected) => {
    expect(whyNoRoom(lent, { ...nothing, ...held }, { ...nothing, ...request })).toBe(expected);
  });
});

describe('Reservations', () => {
  it('lets a request wait until room is given back, and says why', async () => {
    const room = reservations();
    const first = await room.reserve(one, quiet, never);
    await room.reserve(one, quiet, never);
    const reasons: string[] = [];
    const third = room.reserve(one, (why) => reasons.push(why), never);
    expect(reasons).toEqual(['All lent runs are in use.']);
    first.release();
    await third;
    expect(room.held).toEqual({ cpus: 4, memoryBytes: 8 * gib, diskBytes: 40 * gib, slotCount: 2 });
  });

  it('serves those who wait in the order they came', async () => {
    const room = reservations();
    const held = [await room.reserve(one, quiet, never), await room.reserve(one, quiet, never)];
    const order: number[] = [];
    const waiting = [1, 2].map(async (number) => {
      const reservation = await room.reserve(one, quiet, never);
      order.push(number);
      return reservation;
    });
    held[0]?.release();
    await waiting[0];
    held[1]?.release();
    await waiting[1];
    expect(order).toEqual([1, 2]);
  });

  it('gives nothing while there is a reason not to lend, and goes on when it is gone', async () => {
    let refusals = ['Lending is switched off.'];
    const room = reservations(() => refusals);
    const reasons: string[] = [];
    const waiting = room.reserve(one, (why) => reasons.push(why), never);
    refusals = [];
    room.review();
    await waiting;
    expect(reasons).toEqual(['Lending is switched off.']);
  });

  it('forgets a request that was aborted while it waited', async () => {
    const room = reservations(() => ['no']);
    const controller = new AbortController();
    const waiting = room.reserve(one, quiet, controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(room.held).toEqual(nothing);
  });

  it('gives room back once, however often it is released', async () => {
    const room = reservations();
    const reservation = await room.reserve(one, quiet, never);
    reservation.release();
    reservation.release();
    expect(room.held).toEqual(nothing);
  });

  it('tells a poll that it has rivals when the last room is taken and another claimant exists', async () => {
    const room = reservations();
    using _first = room.addClaimant();
    const a = await room.reserve(one, quiet, never);
    const b = await room.reserve(one, quiet, never);
    expect([a.isContended, b.isContended]).toEqual([false, false]);
    using _second = room.addClaimant();
    expect(b.isContended).toBe(true);
  });

  it('never holds more than is lent, whatever is asked, given back and lowered', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('ask' as const), cpus: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ kind: fc.constant('release' as const), index: fc.nat(5) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const room = reservations();
        const granted: Reservation[] = [];
        for (const next of steps) {
          if (next.kind === 'release') granted.splice(next.index, 1)[0]?.release();
          else void room.reserve({ ...one, cpus: next.cpus }, quiet, never).then((taken) => granted.push(taken));
          await Promise.resolve();
          await Promise.resolve();
          expect(whyNoRoom(lent, room.held, nothing)).toBeNull();
        }
        for (const reservation of granted) expect(reservation.resources.cpus).toBeLessThanOrEqual(lent.cpus);
      }),
    );
  });
});
