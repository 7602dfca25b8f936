import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemProcesses } from '../../electron/core/platform/processes.ts';
import { realElectron, root } from './electron-executable.ts';

const specs = ['window', 'leaving', 'ipc-conformance', 'shipped-app'].map((name) => `test/e2e/${name}.test.ts`);
const limitMs = 300_000;

it('the specs that pass on the double pass on the real Electron', { timeout: limitMs }, async (context) => {
  const electron = realElectron();
  if (electron === undefined) return context.skip('no Electron executable here');
  if (process.platform === 'linux' && !process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']) {
    return context.skip('no display here; xvfb-run -a gives one');
  }
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--config', join(root, 'test/vitest.config.ts'), '--project', 'e2e', ...specs];
  const { exitCode, stderr, stdout } = await systemProcesses.run(process.execPath, args, {
    cwd: root,
    env: { FORREST_BENCH_ELECTRON: 'electron', ELECTRON_OVERRIDE_DIST_PATH: electron.directory },
    timeoutMs: limitMs,
  });
  expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
});
