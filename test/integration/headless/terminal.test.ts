import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { spawn } from 'node-pty';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

/** Runs the command line in a terminal of its own, as a person would. */
function inTerminal(args: readonly string[]): Promise<{ output: string; exitCode: number }> {
  const terminal = spawn(process.execPath, [resolve('electron/headless/cli.ts'), ...args], { cols: 100, rows: 30 });
  let output = '';
  terminal.onData((text) => {
    output += text;
  });
  return new Promise((done) => terminal.onExit(({ exitCode }) => done({ output, exitCode })));
}

it('names every mistake of a config with its line, for a person at a terminal', async () => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, 'config.yaml');
  await writeFile(path, 'lending:\n  enabled: maybe\nmachines:\n  debian: { imagee: debian-12 }\n');
  const { output, exitCode } = await inTerminal(['check', '--config', path]);
  expect(exitCode).toBe(1);
  expect(output).toMatch(/config\.yaml:2:\d+ lending\.enabled/);
  expect(output).toMatch(/config\.yaml:4:\d+ machines\.debian\.imagee/);
  expect(output).toMatch(/\(config\/invalid\)/);
});
