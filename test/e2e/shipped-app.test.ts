import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildAll } from '../../electron/build.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { clickTray, eventually, trayMenu } from './bench-test.ts';
import { chosenElectron, root } from './electron-executable.ts';
import { launchApp, type RunningApp } from './launch.ts';

const chosen = chosenElectron();

/** The files of `dist/` as they are shipped: real core, real interface, a config without a GitLab instance. */
describe(`the app as it is shipped, on ${chosen?.kind ?? 'electron'}`, () => {
  let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
  let configPath: string;
  let app: RunningApp;
  let page: Page;

  beforeAll(async () => {
    if (chosen === undefined) return;
    await buildAll({ isQuiet: true });
    folder = await temporaryDirectory();
    configPath = join(folder.path, 'config.yaml');
    await writeFile(configPath, '# mine\nlending: { enabled: true }\nconnections: []\n');
    app = await launchApp({ electron: chosen, appDirectory: root, args: ['--config', configPath] });
    page = await app.electron.firstWindow();
  });
  beforeEach((context) => {
    if (chosen === undefined) context.skip('no Electron executable here');
  });
  afterAll(async () => {
    await app?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  it('shows the interface with the state of the core', async () => {
    await page.getByRole('heading', { name: 'Forrest Bench' }).waitFor();
    await page.getByText('No GitLab instance is connected yet.').waitFor();
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    await page.getByText(version, { exact: true }).waitFor();
  });

  it('switches lending from the tray: in the interface, and in the config file with its comments kept', async () => {
    const lending = page.getByRole('switch').first();
    await eventually(async () => expect(await lending.getAttribute('aria-checked')).toBe('true'));
    await clickTray(app.electron, 'lend');
    await eventually(async () => expect(await lending.getAttribute('aria-checked')).toBe('false'));
    expect(await trayMenu(app.electron)).toContain('[ ] Lend this machine');
    const written = await readFile(configPath, 'utf8');
    expect(written).toContain('# mine\n');
    expect(written).toMatch(/enabled: false/);
  });

  it('switches lending from the interface, and the tray follows', async () => {
    await page.getByRole('switch').first().click();
    await eventually(async () => expect(await trayMenu(app.electron)).toContain('[x] Lend this machine'));
  });

  it('loads, runs and shows all of it without an error on the page', () => {
    expect(app.pageErrors).toEqual([]);
  });

  it('starts without an error in its log', async () => {
    const log = await app.log();
    expect(log).toContain('shell started');
    expect(log).not.toContain('"level":50');
  });

  it('quits when it is told to, the core closed', async () => {
    await clickTray(app.electron, 'quit');
    expect(await app.ended).toBe(0);
    expect(await app.log()).not.toContain('core did not close');
  });
});
