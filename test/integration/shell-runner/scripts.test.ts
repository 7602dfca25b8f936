import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { systemProcesses } from '../../../electron/core/platform/processes.ts';
import { shellNames, shells } from './shell-runner.ts';

it.each(shellNames)('every script of the machines is understood by %s', async (shell) => {
  const directory = resolve('vm-images');
  const names = await readdir(directory, { recursive: true });
  const scripts = names.filter((name) => name.endsWith('.sh') || name.endsWith('/init'));
  expect(scripts.length).toBeGreaterThan(10);
  const [program, ...args] = shells[shell];
  for (const script of scripts) {
    const { exitCode, stderr } = await systemProcesses.run(program, [...args, '-n', join(directory, script)]);
    expect([script, exitCode, stderr]).toEqual([script, 0, '']);
  }
});
