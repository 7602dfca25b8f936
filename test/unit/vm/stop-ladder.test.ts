import { expect, it } from 'vitest';
import type { ProcessEnd } from '../../../electron/core/vm/qemu-process.ts';
import { resolvesWithin, type StopDeadlines, stopQemu } from '../../../electron/core/vm/stop-ladder.ts';
import { FakeClock } from '../../fakes/clock.ts';

/** A QEMU that ends at what `endsAt` names, and notes when each thing was done to it. */
function aQemu(clock: FakeClock, endsAt: 'system_powerdown' | 'quit' | 'kill') {
  const done: string[] = [];
  const { promise: exited, resolve: exit } = Promise.withResolvers<ProcessEnd>();
  const take = (what: string) => {
    done.push(`${what} at ${clock.monotonicMs()}`);
    if (what === endsAt) exit({ exitCode: 0, signal: null });
  };
  return {
    done,
    exit,
    process: { pid: 42, startTime: '1', exited, kill: async () => take('kill') },
    qmp: {
      execute: async (command: string) => {
        take(command);
        throw new Error('QEMU hangs');
      },
    },
  };
}

const deadlines: StopDeadlines = { powerOffGraceMs: 100, powerdownMs: 1_000, quitMs: 500 };

it('goes from waiting to the power button, to quit, to kill, each after its deadline', async () => {
  const clock = new FakeClock();
  const qemu = aQemu(clock, 'kill');
  const steps: string[] = [];
  const stopped = stopQemu({ clock }, qemu, deadlines, (step) => steps.push(step));
  await clock.advance(10_000);
  await stopped;
  expect(steps).toEqual(['guest', 'powerdown', 'quit', 'kill']);
  expect(qemu.done).toEqual(['system_powerdown at 100', 'quit at 1100', 'kill at 1600']);
  expect(clock.pendingCount).toBe(0);
});

it('does nothing to a guest that ends by itself in its grace', async () => {
  const clock = new FakeClock();
  const qemu = aQemu(clock, 'kill');
  const steps: string[] = [];
  const stopped = stopQemu({ clock }, qemu, deadlines, (step) => steps.push(step));
  await clock.advance(99);
  qemu.exit({ exitCode: 0, signal: null });
  await stopped;
  expect({ steps, done: qemu.done, pending: clock.pendingCount }).toEqual({ steps: ['guest'], done: [], pending: 0 });
});

it('leaves out steps without a deadline', async () => {
  const clock = new FakeClock();
  const qemu = aQemu(clock, 'quit');
  const steps: string[] = [];
  await stopQemu({ clock }, qemu, { powerOffGraceMs: 0, powerdownMs: 0, quitMs: 500 }, (step) => steps.push(step));
  expect({ steps, done: qemu.done }).toEqual({ steps: ['quit'], done: ['quit at 0'] });
});

it('kills at once where there is no control connection', async () => {
  const clock = new FakeClock();
  const qemu = aQemu(clock, 'kill');
  const steps: string[] = [];
  const noGrace = { ...deadlines, powerOffGraceMs: 0 };
  await stopQemu({ clock }, { process: qemu.process, qmp: undefined }, noGrace, (step) => steps.push(step));
  expect({ steps, done: qemu.done }).toEqual({ steps: ['kill'], done: ['kill at 0'] });
});

it('tells a promise that resolves in time from one that does not, and passes on a rejection', async () => {
  const clock = new FakeClock();
  expect(await resolvesWithin({ clock }, Promise.resolve(), 10)).toBe(true);
  const late = resolvesWithin({ clock }, new Promise(() => {}), 10);
  await clock.advance(10);
  expect(await late).toBe(false);
  await expect(resolvesWithin({ clock }, Promise.reject(new Error('broken')), 10)).rejects.toThrow('broken');
  expect(clock.pendingCount).toBe(0);
});
