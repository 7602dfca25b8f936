import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { electronDouble, root } from './electron-executable.ts';

describe('npm start', () => {
  let scope = new AsyncDisposableStack();
  let child: ChildProcess | undefined;

  afterEach(async () => {
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child?.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    await scope.disposeAsync();
    scope = new AsyncDisposableStack();
  });

  /** @returns What it printed up to the first line that matches, and a promise of its exit code. */
  async function start(args: string[], env: Record<string, string>, until: RegExp) {
    const home = scope.use(await temporaryDirectory());
    const configPath = join(home.path, 'config.yaml');
    await writeFile(configPath, 'connections: []\n');
    const started = spawn(process.execPath, [join(root, 'electron/start.ts'), '--config', configPath, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '', HOME: home.path, TMPDIR: home.path, ...env },
    });
    child = started;
    const ended = new Promise<number | null>((resolve) => started.once('exit', resolve));
    const printed = await new Promise<string>((resolve, reject) => {
      let text = '';
      for (const stream of [started.stdout, started.stderr]) {
        stream.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          if (until.test(text)) resolve(text);
        });
      }
      started.once('exit', (code) => reject(new Error(`ended with ${code}:\n${text}`)));
    });
    return { printed, ended, stop: () => started.kill('SIGTERM') };
  }

  it('shows the window where Electron is, and ends with it', async () => {
    const env = { DISPLAY: ':7', ELECTRON_OVERRIDE_DIST_PATH: electronDouble.directory };
    const { ended, printed, stop } = await start(['--no-sandbox'], env, /shell started/);
    expect(printed).not.toContain('without a window');
    stop();
    expect(await ended).toBe(0);
  });

  it('runs without a window where there is no display, and says why', async () => {
    const { ended, printed, stop } = await start(
      ['--port', '0'],
      { ELECTRON_OVERRIDE_DIST_PATH: electronDouble.directory },
      /interface is served/,
    );
    expect(printed).toContain('Running without a window: there is no display');
    stop();
    expect(await ended).toBe(0);
  });
});
