import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answerDialogs, askedDialogs, type BenchTest, clickTray, eventually, trayMenu } from './bench-test.ts';
import { chosenElectron } from './electron-executable.ts';
import { buildFixtureApp, launchApp, type RunningApp } from './launch.ts';

const chosen = chosenElectron();

describe(`the window, on ${chosen?.kind ?? 'electron'}`, () => {
  let app: RunningApp;
  let page: Page;

  beforeAll(async () => {
    if (chosen === undefined) return;
    app = await launchApp({ electron: chosen, appDirectory: await buildFixtureApp() });
    page = await app.electron.firstWindow();
  });
  beforeEach((context) => {
    if (chosen === undefined) context.skip('no Electron executable here');
  });
  afterAll(async () => {
    await app?.[Symbol.asyncDispose]();
  });

  const status = () => page.getByRole('status').textContent();
  const windowCount = () => app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length);
  const isVisible = () => app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.isVisible());

  it('shows the page, which hears of the bench state over IPC', async () => {
    await eventually(async () => expect(await status()).toBe('lending: true, events: 1'));
    expect(await page.title()).toBe('Forrest Bench');
    // The style sheet is a file of its own: it shows that pages get more than their HTML.
    expect(await page.getByRole('heading').evaluate((heading) => getComputedStyle(heading).color)).toBe('rgb(1, 2, 3)');
  });

  it('hands the page the two functions of the contract and nothing of Electron or Node', async () => {
    const reachable = await page.evaluate(() => ({
      bench: Object.keys(Reflect.get(globalThis, 'bench') as object).sort(),
      others: ['require', 'process', 'module', 'electron', 'ipcRenderer', 'Buffer'].filter(
        (name) => name in globalThis,
      ),
    }));
    expect(reachable).toEqual({ bench: ['call', 'listen'], others: [] });
  });

  it('switches lending from the tray, in the core and on the page', async () => {
    expect(await trayMenu(app.electron)).toEqual([
      'No job running, lending 0 CPUs',
      '[x] Lend this machine',
      'Open',
      'Quit…',
    ]);
    await clickTray(app.electron, 'lend');
    await eventually(async () => expect(await status()).toBe('lending: false, events: 2'));
    const lending = await app.electron.evaluate(
      () => (globalThis as unknown as BenchTest).benchTest.bench.state.lending.isEnabled,
    );
    expect(lending).toBe(false);
    expect(await trayMenu(app.electron)).toEqual([
      'No job running, not lending',
      '[ ] Lend this machine',
      'Open',
      'Quit…',
    ]);
    await clickTray(app.electron, 'lend');
    await eventually(async () => expect(await status()).toBe('lending: true, events: 3'));
  });

  it('says so when lending cannot be switched, and shows what is true', async () => {
    await answerDialogs(app.electron, 'Close');
    await app.electron.evaluate(() => {
      const { bench } = (globalThis as unknown as BenchTest).benchTest;
      const setLending = bench.setLending.bind(bench);
      bench.setLending = async () => {
        bench.setLending = setLending;
        throw new Error('the config file cannot be written');
      };
    });
    await clickTray(app.electron, 'lend');
    await eventually(async () =>
      expect(await askedDialogs(app.electron)).toEqual(['Lending could not be switched [Close]']),
    );
    expect(await trayMenu(app.electron)).toContain('[x] Lend this machine');
  });

  it('runs no script that is not one of its files', async () => {
    const ran = await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'globalThis.injected = true';
      document.body.append(script);
      return 'injected' in globalThis;
    });
    expect(ran).toBe(false);
    await eventually(() => expect(app.pageErrors).toEqual([expect.stringContaining('Content Security Policy')]));
    app.pageErrors.length = 0;
  });

  it('lets the page fetch nothing from elsewhere', async () => {
    const fetched = await page.evaluate(() =>
      fetch('https://elsewhere.invalid/').then(
        () => 'fetched',
        (error: unknown) => (error instanceof Error ? error.name : 'failed'),
      ),
    );
    expect(fetched).toBe('TypeError');
    await eventually(() => expect(app.pageErrors.join()).toContain('Content Security Policy'));
    app.pageErrors.length = 0;
  });

  it('denies new windows', async () => {
    expect(await page.evaluate(() => window.open('https://elsewhere.invalid/page'))).toBeNull();
    await page.locator('#new-window').click();
    await eventually(async () => expect(await app.log()).toContain('window refused'));
    expect(await windowCount()).toBe(1);
  });

  it('denies navigation', async () => {
    const before = page.url();
    await page.locator('#elsewhere').click();
    await eventually(async () => expect(await app.log()).toContain('navigation refused'));
    expect(page.url()).toBe(before);
    expect(await status()).toContain('lending: true');
  });

  it('hands links to configured GitLab instances to the browser, and no others', async () => {
    await app.electron.evaluate(({ shell }) => {
      const opened: string[] = [];
      Object.assign(globalThis, { openedLinks: opened });
      shell.openExternal = async (url) => {
        opened.push(url);
      };
      const { bench } = (globalThis as unknown as BenchTest).benchTest;
      bench.apply({
        kind: 'runner',
        runner: {
          id: 'work/build' as (typeof bench.state.runnersById)[string]['id'],
          connection: 'work',
          name: 'build',
          gitlabUrl: 'https://gitlab.example.com',
          machine: 'debian-build',
          status: { kind: 'idle', why: 'no room' },
          lastAnswerAt: null,
        },
      });
    });
    await page.evaluate(() => window.open('https://elsewhere.invalid/page'));
    await page.locator('#new-window').click();
    await eventually(async () => {
      const opened = await app.electron.evaluate(
        () => (globalThis as unknown as { openedLinks: string[] }).openedLinks,
      );
      expect(opened).toEqual(['https://gitlab.example.com/lab/firmware/-/jobs/7']);
    });
  });

  it('grants the clipboard for writing and no other permission', async () => {
    const states = await page.evaluate(async () => {
      const names = ['geolocation', 'notifications', 'camera', 'clipboard-read', 'clipboard-write'] as PermissionName[];
      return Promise.all(names.map(async (name) => `${name}: ${(await navigator.permissions.query({ name })).state}`));
    });
    expect(states).toEqual([
      'geolocation: denied',
      'notifications: denied',
      'camera: denied',
      'clipboard-read: denied',
      'clipboard-write: granted',
    ]);
  });

  it('answers no page but its own, even one with the same preload', async () => {
    const preload = join(await buildFixtureApp(), 'preload.cjs');
    const [stranger] = await Promise.all([
      app.electron.waitForEvent('window'),
      app.electron.evaluate(async ({ BrowserWindow }, path) => {
        const window = new BrowserWindow({ show: false, webPreferences: { preload: path, sandbox: true } });
        await window.loadURL('data:text/html,<title>stranger</title>');
      }, preload),
    ]);
    await stranger.waitForURL(/^data:/);
    const refused = await stranger.evaluate(() => {
      const bench = Reflect.get(globalThis, 'bench') as { call(name: string, input: unknown): Promise<unknown> };
      return bench.call('lending.set', { isEnabled: false });
    });
    const window = await app.electron.browserWindow(stranger);
    await window.evaluate((strangeWindow) => strangeWindow.destroy());
    expect(refused).toEqual({
      ok: false,
      error: {
        code: 'app/foreign-sender',
        message: 'Only the main window may speak to the bench',
        remedy: 'Open the window from the tray.',
      },
    });
    expect(await status()).toContain('lending: true');
  });

  it('goes on in the tray when the window is closed, and shows it when the app is started again', async () => {
    await app.electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
    await eventually(async () => expect(await isVisible()).toBe(false));
    expect(await app.startAgain()).toBe(0);
    await eventually(async () => expect(await isVisible()).toBe(true));
    expect(await windowCount()).toBe(1);
    await clickTray(app.electron, 'open');
    expect(await isVisible()).toBe(true);
  });

  it('builds the window again when its page has crashed, and ends the streams of the old one', async () => {
    const [rebuilt] = await Promise.all([
      app.electron.waitForEvent('window'),
      app.electron.evaluate(({ BrowserWindow }) =>
        BrowserWindow.getAllWindows()[0]?.webContents.forcefullyCrashRenderer(),
      ),
    ]);
    page = rebuilt;
    await eventually(async () => expect(await status()).toContain('events: 1'));
    expect(await windowCount()).toBe(1);
    const streamCount = await app.electron.evaluate(
      () => (globalThis as unknown as BenchTest).benchTest.bench.streamCount,
    );
    expect(streamCount).toBe(1);
    expect(await app.log()).toContain('page crashed');
  });

  it('has had no error on any page that no test asked for', async () => {
    expect(app.pageErrors).toEqual([]);
  });
});
