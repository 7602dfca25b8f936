import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFile } from '../../electron/core/platform/file-lock.ts';
import { aRun } from '../fakes/bench-state.ts';
import type { BenchDeed } from '../fakes/fake-bench.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';
import { answerDialogs, askedDialogs, type BenchTest, clickTray, eventually, trayMenu } from './bench-test.ts';
import { chosenElectron } from './electron-executable.ts';
import { type AppOptions, buildFixtureApp, launchApp, type RunningApp } from './launch.ts';

const chosen = chosenElectron();

describe(`starting and leaving, on ${chosen?.kind ?? 'electron'}`, () => {
  let app: RunningApp | undefined;

  beforeEach((context) => {
    if (chosen === undefined) context.skip('no Electron executable here');
  });
  afterEach(async () => {
    await app?.[Symbol.asyncDispose]();
    app = undefined;
  });

  async function start(options: Partial<AppOptions> = {}): Promise<RunningApp> {
    if (chosen === undefined) throw new Error('no Electron executable here');
    app = await launchApp({ electron: chosen, appDirectory: await buildFixtureApp(), ...options });
    const running = app;
    const isStarted = () => running.electron.evaluate(() => 'benchTest' in globalThis);
    await eventually(async () => expect(await isStarted()).toBe(true));
    return app;
  }

  async function startWithJob(): Promise<RunningApp> {
    const started = await start();
    await started.electron.evaluate(
      (_electron, run) => (globalThis as unknown as BenchTest).benchTest.bench.begin(run),
      aRun(),
    );
    return started;
  }

  const deeds = ({ electron }: RunningApp): Promise<readonly BenchDeed[]> =>
    electron.evaluate(() => [...(globalThis as unknown as BenchTest).benchTest.bench.deeds]);
  const statusLine = async ({ electron }: RunningApp) => (await trayMenu(electron))[0];
  const question = '1 job is running on this machine [Wait] [Stop now] [Cancel]';

  it('quits at once when no job runs, closing the core', async () => {
    const { electron, ended } = await start();
    await clickTray(electron, 'quit');
    expect(await ended).toBe(0);
  });

  it('asks when a job runs, and goes on when the owner cancels', async () => {
    const running = await startWithJob();
    await answerDialogs(running.electron, 'Cancel');
    await clickTray(running.electron, 'quit');
    await eventually(async () => expect(await askedDialogs(running.electron)).toEqual([question]));
    expect(await deeds(running)).toEqual(['opened']);
    expect(await statusLine(running)).toBe('1 job running, lending 0 CPUs');
  });

  it('asks as well when the desktop tells it to quit', async () => {
    const running = await startWithJob();
    await answerDialogs(running.electron, 'Cancel');
    await running.electron.evaluate(({ app: electronApp }) => electronApp.quit());
    await eventually(async () => expect(await askedDialogs(running.electron)).toEqual([question]));
    expect(await deeds(running)).toEqual(['opened']);
  });

  it('waits for a running job when the owner chooses so, and then quits', async () => {
    const running = await startWithJob();
    await answerDialogs(running.electron, 'Wait');
    await clickTray(running.electron, 'quit');
    await eventually(async () => expect(await statusLine(running)).toBe('Quitting when 1 job has ended'));
    expect(await deeds(running)).toEqual(['opened', 'drain-began']);
    await finishJob(running);
    expect(await running.ended).toBe(0);
  });

  it('takes jobs again when the owner thinks better of it while waiting', async () => {
    const running = await startWithJob();
    await answerDialogs(running.electron, 'Wait');
    await clickTray(running.electron, 'quit');
    await eventually(async () => expect(await deeds(running)).toContain('drain-began'));
    await answerDialogs(running.electron, 'Do not quit');
    await clickTray(running.electron, 'quit');
    await eventually(async () => expect(await deeds(running)).toEqual(['opened', 'drain-began', 'drain-aborted']));
    expect(await statusLine(running)).toBe('1 job running, lending 0 CPUs');
  });

  it('stops a running job when the owner chooses so, and then quits', async () => {
    const running = await startWithJob();
    await answerDialogs(running.electron, 'Stop now');
    await clickTray(running.electron, 'quit');
    expect(await running.ended).toBe(0);
  });

  it('closes the core without a question when the session ends', async () => {
    const running = await startWithJob();
    running.electron.process().kill('SIGTERM');
    expect(await running.ended).toBe(0);
  });

  it('asks at an interrupt, and leaves at a second one', async () => {
    const running = await startWithJob();
    await answerDialogs(running.electron, 'Wait');
    running.electron.process().kill('SIGINT');
    await eventually(async () => expect(await deeds(running)).toContain('drain-began'));
    running.electron.process().kill('SIGINT');
    expect(await running.ended).toBe(0);
  });

  it('shows no window with --hidden where there is a tray', async () => {
    const running = await start({ args: ['--hidden'] });
    expect(running.electron.windows()).toEqual([]);
    const [, exitCode] = await Promise.all([running.electron.waitForEvent('window'), running.startAgain()]);
    expect(exitCode).toBe(0);
  });

  it('shows its window in spite of --hidden where there is no tray, and closing puts it into the task bar', async () => {
    const running = await start({ args: ['--hidden'], hasTray: false });
    const page = await running.electron.firstWindow();
    await page.getByRole('status').filter({ hasText: 'events: 1' }).waitFor();
    const minimized = await running.electron.evaluate(({ BrowserWindow }) => {
      const [window] = BrowserWindow.getAllWindows();
      window?.close();
      return window?.isMinimized();
    });
    expect(minimized).toBe(true);
  });

  it('shows what is wrong with a core that cannot open, and tries again when asked to', async () => {
    const running = await start({ env: { FORREST_BENCH_BROKEN: '1', FORREST_BENCH_ANSWERS: 'Try again' } });
    expect(await askedDialogs(running.electron)).toEqual([
      [
        'Forrest Bench cannot start',
        'config.yaml: line 3: not a number\n\nCorrect the line.\n\nconfig/broken',
        '[Try again] [Quit]',
      ].join('\n'),
    ]);
    const page = await running.electron.firstWindow();
    await page.getByRole('status').filter({ hasText: 'events: 1' }).waitFor();
  });

  it('does not start beside a bench without a window that works with the same state', async () => {
    if (chosen === undefined) return;
    await using state = await temporaryDirectory();
    await mkdir(join(state.path, 'forrest-bench'));
    using _held = lockFile(join(state.path, 'forrest-bench/instance.lock'));
    const env = { XDG_STATE_HOME: state.path, FORREST_BENCH_ANSWERS: 'Quit' };
    app = await launchApp({ electron: chosen, appDirectory: await buildFixtureApp(), env });
    expect(await app.ended).toBe(0);
    const log = await readFile(join(state.path, 'forrest-bench/app.log'), 'utf8');
    expect(log).toContain('app/already-running');
    expect(log).not.toContain('shell started');
  });

  it('ends when the owner gives up on a core that cannot open', async () => {
    if (chosen === undefined) return;
    const env = { FORREST_BENCH_BROKEN: '2', FORREST_BENCH_ANSWERS: 'Try again,Quit' };
    app = await launchApp({ electron: chosen, appDirectory: await buildFixtureApp(), env });
    expect(await app.ended).toBe(0);
    const log = await app.log();
    expect(log.match(/core did not open/g)).toHaveLength(2);
    expect(log).not.toContain('shell started');
  });
});

function finishJob({ electron }: RunningApp): Promise<void> {
  return electron.evaluate(() => {
    const { bench } = (globalThis as unknown as BenchTest).benchTest;
    for (const run of Object.values(bench.state.runsById)) bench.finish(run, 'success', 'It ended by itself.');
  });
}
