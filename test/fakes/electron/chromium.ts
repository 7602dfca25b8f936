import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromiumFlags, chromiumPath } from '../chromium-flags.ts';
import { DevtoolsConnection } from './devtools.ts';

export interface Chromium {
  /** What Chromium prints to be found; Playwright waits for the line. */
  devtoolsUrl: string;
  connection: DevtoolsConnection;
}

let started: Promise<Chromium> | undefined;

/** The one Chromium behind all windows, started when it is first wanted. It ends with this process, however that ends. */
export function chromium(): Promise<Chromium> {
  started ??= start();
  return started;
}

async function start(): Promise<Chromium> {
  const profile = mkdtempSync(join(tmpdir(), 'electron-double-'));
  const headed = process.env['ELECTRON_DOUBLE_HEADED'] === '1';
  const flags = [
    ...chromiumFlags,
    ...(headed ? [] : ['--headless']),
    // A page that nobody asked for would be Playwright's first window.
    '--no-startup-window',
    '--remote-debugging-port=0',
    // Nothing passes through this pipe; Chromium ends when its other end is closed, even by a SIGKILL of ours.
    '--remote-debugging-pipe',
    `--user-data-dir=${profile}`,
  ];
  const stdio = ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] as const;
  const child = spawn(chromiumPath, flags, { stdio: [...stdio], detached: true });
  process.on('exit', () => {
    if (child.pid !== undefined) killGroup(child.pid);
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  });
  const devtoolsUrl = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-20_000);
      const url = /^DevTools listening on (ws:\/\/\S+)$/m.exec(text)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`Chromium ended with ${code}:\n${text}`)));
  });
  const connection = await DevtoolsConnection.connect(devtoolsUrl);
  await connection.browser.send('Target.setDiscoverTargets', { discover: true });
  connection.closed.then(() => {
    process.stderr.write('electron double: Chromium is gone\n');
    process.exit(1);
  }, undefined);
  return { devtoolsUrl, connection };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended already
  }
}
