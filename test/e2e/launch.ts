import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import { buildApp } from '../../electron/build.ts';
import { readStamps, sourceHash, writeStamp } from '../../electron/build-stamp.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { type ElectronDist, root } from './electron-executable.ts';

const closeDeadlineMs = 10_000;

export interface AppOptions {
  electron: ElectronDist;
  /** Folder with the app's package.json. */
  appDirectory: string;
  args?: string[];
  env?: Record<string, string>;
  /** Whether the desktop shows tray items (it does, unless said otherwise). */
  hasTray?: boolean;
}

/** An app that runs, with folders of its own. Disposal ends it, whatever state it is in, and removes the folders. */
export interface RunningApp extends AsyncDisposable {
  electron: ElectronApplication;
  /** Where the app's XDG folders lie. */
  home: string;
  /** What pages complained about on their console, and what they threw. */
  pageErrors: string[];
  /** The app's own log. */
  log(): Promise<string>;
  /** Starts the same app a second time and waits for it to end. */
  startAgain(...args: string[]): Promise<number | null>;
  /** Resolves with the exit code when the app has ended by itself. */
  ended: Promise<number | null>;
}

export async function launchApp(options: AppOptions): Promise<RunningApp> {
  const home = await temporaryDirectory();
  const path = process.env['PATH'] ?? '';
  const env = {
    ...environment(home.path),
    PATH: options.hasTray === false ? path : `${join(root, 'test/fakes/tray-host')}:${path}`,
    ...options.env,
  };
  // Read by the package `electron`, which Playwright asks where the executable is. Handing Playwright the path itself
  // would make it leave out the script that holds the app back until it is attached.
  process.env['ELECTRON_OVERRIDE_DIST_PATH'] = options.electron.directory;
  const args = [options.appDirectory, ...(options.args ?? [])];
  const electron = await _electron.launch({ cwd: home.path, args, env });
  const child = electron.process();
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const pageErrors: string[] = [];
  const watch = (page: Page) => {
    page.on('pageerror', (error) => pageErrors.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') pageErrors.push(message.text());
    });
  };
  electron.windows().forEach(watch);
  electron.on('window', watch);
  return {
    electron,
    home: home.path,
    pageErrors,
    log: () => readFile(join(home.path, 'state/forrest-bench/app.log'), 'utf8'),
    ended,
    startAgain: (...more) =>
      new Promise((resolve, reject) => {
        const { executablePath } = options.electron;
        const second = spawn(executablePath, ['--no-sandbox', ...args, ...more], { env, cwd: home.path });
        second.once('error', reject);
        second.once('exit', resolve);
      }),
    async [Symbol.asyncDispose]() {
      // Not by quitting: an app with a running job would ask first.
      const timer = setTimeout(() => child.kill('SIGKILL'), closeDeadlineMs);
      if (child.exitCode === null && child.signalCode === null) {
        electron.evaluate(({ app }) => app.exit(0)).catch(() => {});
      }
      await ended;
      clearTimeout(timer);
      await home[Symbol.asyncDispose]();
    },
  };
}

function environment(home: string): Record<string, string> {
  const { DISPLAY = '', XAUTHORITY = '' } = process.env;
  return {
    ...(DISPLAY === '' ? {} : { DISPLAY, XAUTHORITY }),
    HOME: home,
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_CACHE_HOME: join(home, 'cache'),
    XDG_DATA_HOME: join(home, 'data'),
    XDG_STATE_HOME: join(home, 'state'),
    XDG_RUNTIME_DIR: join(home, 'run'),
    TMPDIR: home,
    ELECTRON_DOUBLE_NODE: process.execPath,
    FORREST_BENCH_TEST: '1',
    FORREST_BENCH_ROOT: root,
  };
}

/**
 * The shell around a core and a page of the tests' own, built when something of it has changed.
 * @returns Its folder.
 */
export async function buildFixtureApp(): Promise<string> {
  const directory = join(root, 'node_modules/.cache/forrest-bench/e2e');
  const sources = ['package-lock.json', 'electron/build.ts', 'electron/contract', 'electron/app', 'electron/core'];
  const hash = sourceHash(root, [...sources, 'test/fakes/fake-bench.ts', 'test/fakes/bench-state.ts', 'test/e2e']);
  if (readStamps(root)['e2e'] === hash) return directory;
  await mkdir(directory, { recursive: true });
  await buildApp(join(root, 'test/e2e/fixtures/main.ts'), directory);
  const manifest = { name: 'forrest-bench-e2e', version: '0.1.0', type: 'module', main: 'main.mjs' };
  await writeFile(join(directory, 'package.json'), JSON.stringify(manifest));
  writeStamp(root, 'e2e', hash);
  return directory;
}
