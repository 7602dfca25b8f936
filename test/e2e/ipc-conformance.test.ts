import { afterAll, beforeAll, beforeEach, describe } from 'vitest';
import { aBenchState } from '../fakes/bench-state.ts';
import { type BenchControl, type Carried, itCarriesTheContract } from '../integration/contract/conformance.ts';
import { type BenchTest, clickTray } from './bench-test.ts';
import { chosenElectron } from './electron-executable.ts';
import { buildFixtureApp, launchApp, type RunningApp } from './launch.ts';
import { pageTransport } from './page-transport.ts';

const chosen = chosenElectron();

describe(`the contract over Electron IPC, on ${chosen?.kind ?? 'electron'}`, () => {
  let app: RunningApp;

  beforeAll(async () => {
    if (chosen === undefined) return;
    app = await launchApp({ electron: chosen, appDirectory: await buildFixtureApp() });
    await app.electron.firstWindow();
  });
  beforeEach((context) => {
    if (chosen === undefined) context.skip('no Electron executable here');
  });
  afterAll(async () => {
    await app?.[Symbol.asyncDispose]();
  });

  const closeWindows = () =>
    app.electron.evaluate(({ BrowserWindow }) => {
      for (const window of BrowserWindow.getAllWindows()) window.destroy();
    });

  /** A window of its own for each test, around the bench of one app. */
  itCarriesTheContract(async (): Promise<Carried> => {
    await closeWindows();
    await app.electron.evaluate(
      (_electron, state) => (globalThis as unknown as BenchTest).benchTest.bench.reset(state),
      aBenchState(),
    );
    const [page] = await Promise.all([app.electron.waitForEvent('window'), clickTray(app.electron, 'open')]);
    await page.getByRole('status').filter({ hasText: 'events: 1' }).waitFor();
    // The page's own stream would be counted with those of the test.
    await page.evaluate(() => (globalThis as unknown as { stopListening(): void }).stopListening());
    return {
      bench: remoteControl(app),
      transport: await pageTransport(page),
      cut: closeWindows,
      [Symbol.asyncDispose]: closeWindows,
    };
  });
});

/** The bench within the app's main process. */
function remoteControl({ electron }: RunningApp): BenchControl {
  return {
    state: () => electron.evaluate(() => (globalThis as unknown as BenchTest).benchTest.bench.state),
    streamCount: () => electron.evaluate(() => (globalThis as unknown as BenchTest).benchTest.bench.streamCount),
    begin: (run) =>
      electron.evaluate((_electron, value) => (globalThis as unknown as BenchTest).benchTest.bench.begin(value), run),
    apply: (delta) =>
      electron.evaluate((_electron, value) => (globalThis as unknown as BenchTest).benchTest.bench.apply(value), delta),
    setTrace: (runId, text) =>
      electron.evaluate(
        (_electron, [id, value]) => {
          const { tracesById } = (globalThis as unknown as BenchTest).benchTest.bench;
          tracesById.set(id, new TextEncoder().encode(value));
        },
        [runId, text] as const,
      ),
  };
}
