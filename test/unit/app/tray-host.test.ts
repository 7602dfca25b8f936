import { describe, expect, it } from 'vitest';
import { hasTrayHost } from '../../../electron/app/tray-host.ts';
import { type Processes, systemProcesses } from '../../../electron/core/platform/processes.ts';
import { FakeClock } from '../../fakes/clock.ts';

function processesAnswering(answer: { exitCode: number; stdout: string } | Error): Processes {
  return {
    ...systemProcesses,
    run: async (program, args) => {
      expect([program, args.at(-1)]).toEqual(['gdbus', 'IsStatusNotifierHostRegistered']);
      if (answer instanceof Error) throw answer;
      return { ...answer, signal: null, stderr: '' };
    },
  };
}

describe('hasTrayHost', () => {
  it.each([
    ['a panel that shows items', { exitCode: 0, stdout: '(<true>,)\n' }, true],
    ['a watcher without a panel', { exitCode: 0, stdout: '(<false>,)\n' }, false],
    ['a desktop without a watcher', { exitCode: 1, stdout: '' }, false],
    ['a machine without gdbus', Object.assign(new Error('spawn gdbus ENOENT'), { code: 'ENOENT' }), false],
  ])('%s', async (_name, answer, expected) => {
    expect(await hasTrayHost({ clock: new FakeClock(), processes: processesAnswering(answer) }, 'linux')).toBe(
      expected,
    );
  });

  it.each(['darwin', 'win32'] as const)('%s always has a tray', async (platform) => {
    const processes = processesAnswering(new Error('not asked'));
    expect(await hasTrayHost({ clock: new FakeClock(), processes }, platform)).toBe(true);
  });

  it('waits for a panel that is still starting', async () => {
    const clock = new FakeClock();
    const asked: number[] = [];
    const processes: Processes = {
      ...systemProcesses,
      run: async () => {
        asked.push(clock.monotonicMs());
        return { exitCode: 0, signal: null, stdout: asked.length < 3 ? '(<false>,)' : '(<true>,)', stderr: '' };
      },
    };
    const isThere = hasTrayHost({ clock, processes }, 'linux', 4_000);
    await clock.advance(4_000);
    expect(await isThere).toBe(true);
    expect(asked).toEqual([0, 500, 1_000]);
  });

  it('gives up when no panel has come in time', async () => {
    const clock = new FakeClock();
    const processes = processesAnswering({ exitCode: 1, stdout: '' });
    const isThere = hasTrayHost({ clock, processes }, 'linux', 4_000);
    await clock.advance(4_000);
    expect(await isThere).toBe(false);
    expect(clock.pendingCount).toBe(0);
  });
});
