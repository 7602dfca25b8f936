import { join } from 'node:path';
import { app, dialog } from 'electron';
import { openBench } from '../core/bench.ts';
import { systemClock } from '../core/platform/clock.ts';
import { systemDirectories } from '../core/platform/directories.ts';
import { createLog } from '../core/platform/log.ts';
import { systemProcesses } from '../core/platform/processes.ts';
import { openLogFile } from './log-file.ts';
import { startShell } from './shell.ts';

const directories = systemDirectories(process.env);
const log = createLog({ destination: openLogFile(join(directories.state, 'app.log')) });
/** `dist/app`, in a checkout as in the package. */
const here = import.meta.dirname;
const root = join(here, '..', '..');

// Not awaited: Electron becomes ready only once this module has been evaluated to its end.
startShell({
  openBench,
  directories,
  deps: { clock: systemClock, log, processes: systemProcesses },
  files: {
    preloadPath: join(here, 'preload.cjs'),
    pagesDirectory: join(here, '..', 'renderer'),
    iconsDirectory: join(root, 'resources', 'icons'),
    recipesDirectory: join(app.isPackaged ? process.resourcesPath : root, 'vm-images'),
  },
}).then(
  (shell) => {
    // Trays cannot be listed and their menus cannot be clicked from outside; the end-to-end tests do it here.
    if (process.env['FORREST_BENCH_TEST'] === '1') Object.assign(globalThis, { benchTest: shell });
  },
  (error: unknown) => {
    log.error({ error }, 'shell did not start');
    dialog.showErrorBox('Forrest Bench cannot start', error instanceof Error ? error.message : String(error));
    app.exit(1);
  },
);
