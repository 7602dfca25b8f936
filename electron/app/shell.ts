import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { app, dialog, ipcMain, Menu, type MessageBoxOptions, powerMonitor, protocol, session, shell } from 'electron';
import { type BenchError, toWireError } from '../contract/errors.ts';
import type { BenchState } from '../contract/state.ts';
import { type BenchHandlers, serve } from '../contract/transport.ts';
import type { PlatformDeps } from '../core/platform/deps.ts';
import type { Directories } from '../core/platform/directories.ts';
import { lockFile } from '../core/platform/file-lock.ts';
import type { Log } from '../core/platform/log.ts';
import { parseArguments } from './arguments.ts';
import { AppError } from './errors.ts';
import { openIpcDoor } from './ipc.ts';
import { Leaving, type LeavingQuestion } from './leaving.ts';
import { isOpenable } from './links.ts';
import { createPageHandler, pageScheme, pageSchemes } from './pages.ts';
import { type GuardOptions, guardContents, guardSession } from './security.ts';
import { openTray, type TrayItem } from './tray.ts';
import { hasTrayHost } from './tray-host.ts';
import { trayView } from './tray-view.ts';
import { MainWindow } from './window.ts';

/** What the shell needs of the core. */
export interface ShellBench extends AsyncDisposable {
  readonly handlers: BenchHandlers;
  readonly state: BenchState;
  onChange(listener: (state: BenchState) => void): Disposable;
  setLending(isEnabled: boolean): Promise<void>;
  /** Takes no new jobs and resolves when running ones have ended; an abort takes jobs again and rejects. */
  drain(signal?: AbortSignal): Promise<void>;
}

export interface BenchRequest {
  configPath: string;
  directories: Directories;
  version: string;
  recipesDirectory: string;
  log: Log;
}

export interface ShellOptions<Bench extends ShellBench> {
  openBench(request: BenchRequest): Promise<Bench>;
  directories: Directories;
  deps: Pick<PlatformDeps, 'clock' | 'log' | 'processes'>;
  files: {
    preloadPath: string;
    /** The built renderer. */
    pagesDirectory: string;
    iconsDirectory: string;
    recipesDirectory: string;
  };
}

/** A running shell, as tests see it. */
export interface Shell<Bench extends ShellBench> {
  readonly bench: Bench;
  readonly tray: TrayItem;
  readonly leaving: Leaving;
}

const panelPatienceMs = 4_000;
/** How long closing the core may take (it ends what still runs and tells GitLab) before the process ends all the same. */
const closeDeadlineMs = 45_000;

/**
 * Starts the app: one instance, core, window, tray, and the ways out.
 * @returns undefined where another instance runs already, or the owner gave up on a core that cannot open.
 */
export async function startShell<Bench extends ShellBench>(
  options: ShellOptions<Bench>,
): Promise<Shell<Bench> | undefined> {
  const { deps, directories, files } = options;
  const { log } = deps;
  // Chromium's profile, away from the config folder, where Electron would put it.
  const profile = join(directories.state, 'electron');
  mkdirSync(profile, { recursive: true, mode: 0o700 });
  app.setPath('userData', profile);
  protocol.registerSchemesAsPrivileged(pageSchemes);
  app.enableSandbox();
  if (!app.requestSingleInstanceLock()) {
    log.info({}, 'another instance runs already; it shows its window');
    app.exit(0);
    return undefined;
  }

  let bench: Bench | undefined;
  const guards: GuardOptions = {
    log,
    hasDeveloperTools: !app.isPackaged,
    onLink: (url) => {
      if (bench === undefined || !isOpenable(url, bench.state)) return;
      shell.openExternal(url).catch((error: unknown) => log.warn({ error }, 'link could not be opened'));
    },
  };
  guardContents(app, guards);
  // Without windows the app goes on: it lives in the tray.
  app.on('window-all-closed', () => {});
  await app.whenReady();
  guardSession(session.defaultSession, guards);
  protocol.handle(pageScheme, createPageHandler(files.pagesDirectory));
  // Linux and Windows have no use for Electron's own menu; on macOS it brings copy and paste.
  if (process.platform !== 'darwin') Menu.setApplicationMenu(null);

  const args = parseArguments(process.argv, process.cwd());
  const opened = await openOrAsk(log, async () => {
    const lock = lockState(directories.state);
    try {
      const request: BenchRequest = {
        configPath: args.configPath ?? join(directories.config, 'config.yaml'),
        directories,
        version: app.getVersion(),
        recipesDirectory: files.recipesDirectory,
        log,
      };
      return { lock, bench: await options.openBench(request) };
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  });
  if (opened === undefined) {
    app.exit(0);
    return undefined;
  }
  bench = opened.bench;
  return runShell({ ...options, ...opened, isHidden: args.isHidden });
}

async function runShell<Bench extends ShellBench>(
  options: ShellOptions<Bench> & { bench: Bench; lock: Disposable; isHidden: boolean },
): Promise<Shell<Bench>> {
  const { bench, deps, files } = options;
  const { log } = deps;
  // Started hidden at login, the panel may be slower than we are; started by hand, it is there or it is not.
  const hasTray = await hasTrayHost(deps, process.platform, options.isHidden ? panelPatienceMs : 0);
  const window = new MainWindow({
    deps,
    preloadPath: files.preloadPath,
    iconsDirectory: files.iconsDirectory,
    hasDeveloperTools: !app.isPackaged,
    onClose: hasTray ? 'hide' : 'minimize',
    onGivenUp: () => tell('The window crashed several times within a minute', 'Jobs go on. Open it from the tray.'),
  });
  const door = openIpcDoor({
    ipcMain,
    server: serve(bench.handlers),
    isOurs: (contents) => window.isOurs(contents),
    log,
  });

  const leaving = new Leaving({
    deps,
    bench,
    ask: askLeaving,
    onChange: () => refresh(),
    leave: async () => {
      changes[Symbol.dispose]();
      door[Symbol.dispose]();
      window[Symbol.dispose]();
      await closeBench(bench, deps);
      options.lock[Symbol.dispose]();
      tray[Symbol.dispose]();
      app.quit();
    },
  });
  const quit = () => {
    leaving.request().catch((error: unknown) => log.error({ error }, 'quitting failed'));
  };
  const view = () => trayView(bench.state, leaving.status);
  const refresh = () => tray.show(view());
  const tray = openTray(
    {
      iconsDirectory: files.iconsDirectory,
      open: () => window.show(),
      quit,
      setLending: (isEnabled) => {
        bench
          .setLending(isEnabled)
          .catch((error: unknown) => tell('Lending could not be switched', told(toWireError(error))))
          .finally(refresh);
      },
    },
    view(),
  );
  const changes = bench.onChange(refresh);

  app.on('second-instance', () => window.show());
  app.on('activate', () => window.show());
  app.on('before-quit', (event) => {
    if (leaving.status === 'gone') return;
    event.preventDefault();
    quit();
  });
  const abandon = () => {
    leaving.abandon().catch((error: unknown) => log.error({ error }, 'leaving failed'));
  };
  // Whoever ends the session does not wait for an answer: the core closes, and says to GitLab what it ended.
  powerMonitor.on('shutdown', abandon);
  // An interrupt is the owner's, at a terminal: asked first, and obeyed when it comes a second time.
  process.on('SIGINT', () => (leaving.status === 'staying' ? quit() : abandon()));
  process.once('SIGTERM', abandon);
  process.once('SIGHUP', abandon);

  if (!options.isHidden || !hasTray) window.show();
  log.info({ hasTray, version: app.getVersion() }, 'shell started');
  return { bench, tray, leaving };
}

/**
 * The state folder has one bench, with or without a window: a second one would end the machines of the first as
 * leftovers. The headless shell locks the same file.
 */
function lockState(state: string): Disposable {
  const lock = lockFile(join(state, 'instance.lock'));
  if (lock !== undefined) return lock;
  throw new AppError('app/already-running', `A bench without a window runs already, with its state in ${state}`, {
    remedy: 'Open its interface at the address that `forrest-bench address` prints, or stop it first.',
  });
}

/** @returns undefined when the owner gives up. */
async function openOrAsk<Bench>(log: Log, open: () => Promise<Bench>): Promise<Bench | undefined> {
  for (;;) {
    try {
      return await open();
    } catch (error) {
      log.error({ error }, 'core did not open');
      const { response } = await dialog.showMessageBox({
        ...box('error', 'Forrest Bench cannot start', told(toWireError(error))),
        buttons: ['Try again', 'Quit'],
        defaultId: 0,
        cancelId: 1,
      });
      if (response !== 0) return undefined;
    }
  }
}

async function askLeaving({ message, detail, choices }: LeavingQuestion) {
  const cancelId = choices.findIndex(({ choice }) => choice === 'stay');
  const buttons = choices.map(({ label }) => label);
  const { response } = await dialog.showMessageBox({
    ...box('question', message, detail),
    buttons,
    defaultId: 0,
    cancelId,
  });
  return choices[response]?.choice ?? 'stay';
}

/** Says something without waiting for it to be read. */
function tell(message: string, detail: string): void {
  void dialog.showMessageBox({ ...box('warning', message, detail), buttons: ['Close'] });
}

function box(type: 'error' | 'question' | 'warning', message: string, detail: string): MessageBoxOptions {
  return { type, title: 'Forrest Bench', message, detail, noLink: true };
}

function told({ code, message, remedy }: Pick<BenchError, 'code' | 'message' | 'remedy'>): string {
  return `${message}\n\n${remedy}\n\n${code}`;
}

async function closeBench(bench: AsyncDisposable, { clock, log }: Pick<PlatformDeps, 'clock' | 'log'>): Promise<void> {
  const deadline = new AbortController();
  const closed = Promise.resolve(bench[Symbol.asyncDispose]()).catch((error: unknown) =>
    log.error({ error }, 'core did not close cleanly'),
  );
  const late = clock.sleep(closeDeadlineMs, deadline.signal).then(
    () => log.error({ closeDeadlineMs }, 'core did not close in time'),
    () => {},
  );
  await Promise.race([closed, late]);
  deadline.abort();
}
