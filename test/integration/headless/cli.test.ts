import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { systemProcesses } from '../../../electron/core/platform/processes.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const program = fileURLToPath(new URL('../../../electron/headless/cli.ts', import.meta.url));
const run = (...args: string[]) => systemProcesses.run(process.execPath, [program, ...args]);

describe('the program forrest-bench', () => {
  it('runs from its source and ends with the exit code of its command', async () => {
    await using folder = await temporaryDirectory();
    const version = await run('--version');
    expect([version.exitCode, version.stdout]).toEqual([0, expect.stringMatching(/^forrest-bench \d+\.\d+\.\d+\n$/)]);
    expect(await run('--confg')).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining('--config'),
    });
    await writeFile(join(folder.path, 'c.yaml'), 'lending: { enabled: 1 }\n');
    expect(await run('check', '--config', join(folder.path, 'c.yaml'), '--data', folder.path)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('c.yaml:1:21 lending.enabled: expected true or false, found 1'),
    });
  });
});
