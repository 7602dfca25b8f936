import { describe, expect, it } from 'vitest';
import { hasTrayHost } from '../../../electron/app/tray-host.ts';
import { type Processes, systemProcesses } from '../../../electron/core/platform/processes.ts';

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
    expect(await hasTrayHost({ processes: processesAnswering(answer) }, 'linux')).toBe(expected);
  });

  it.each(['darwin', 'win32'] as const)('%s always has a tray', async (platform) => {
    expect(await hasTrayHost({ processes: processesAnswering(new Error('not asked')) }, platform)).toBe(true);
  });
});
