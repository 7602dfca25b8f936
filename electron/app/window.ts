import { join } from 'node:path';
import { BrowserWindow, type WebContents } from 'electron';
import type { EpochMs } from '../contract/ids.ts';
import type { PlatformDeps } from '../core/platform/deps.ts';
import { pageUrl } from './pages.ts';

/** A page that crashes more often than this within `crashSpanMs` is not built again by itself. */
export const crashLimit = 3;
export const crashSpanMs = 60_000;

export interface MainWindowOptions {
  deps: Pick<PlatformDeps, 'clock' | 'log'>;
  preloadPath: string;
  iconsDirectory: string;
  hasDeveloperTools: boolean;
  /** What closing does: into the tray where there is one, else into the task bar, so that a way back remains. */
  onClose: 'hide' | 'minimize';
  /** The page crashed too often. */
  onGivenUp(): void;
}

/** The one window. Closing it only puts it away; jobs, tray and core do not depend on it. */
export class MainWindow implements Disposable {
  readonly #options: MainWindowOptions;
  #window: BrowserWindow | undefined;
  #crashes: EpochMs[] = [];
  #isClosing = false;

  constructor(options: MainWindowOptions) {
    this.#options = options;
  }

  /** Shows the window, building it where there is none. */
  show(): void {
    const window = this.#window;
    if (window === undefined) {
      this.#build(true);
      return;
    }
    if (window.isMinimized()) window.restore();
    window.show();
    window.focus();
  }

  isOurs(contents: WebContents): boolean {
    return this.#window?.webContents === contents;
  }

  /** From now on closing is closing. */
  [Symbol.dispose](): void {
    this.#isClosing = true;
    this.#window?.destroy();
  }

  #build(isShown: boolean): void {
    const { deps, hasDeveloperTools, iconsDirectory, preloadPath } = this.#options;
    const window = new BrowserWindow({
      title: 'Forrest Bench',
      icon: join(iconsDirectory, 'icon-256.png'),
      width: 1180,
      height: 780,
      minWidth: 640,
      minHeight: 420,
      show: false,
      autoHideMenuBar: true,
      webPreferences: {
        preload: preloadPath,
        sandbox: true,
        contextIsolation: true,
        webSecurity: true,
        nodeIntegration: false,
        webviewTag: false,
        devTools: hasDeveloperTools,
        // Its dictionaries would be fetched from a server of Chromium's maker.
        spellcheck: false,
      },
    });
    this.#window = window;
    window.once('ready-to-show', () => {
      if (isShown) window.show();
    });
    window.on('close', (event) => {
      if (this.#isClosing) return;
      event.preventDefault();
      if (this.#options.onClose === 'hide') window.hide();
      else window.minimize();
    });
    window.once('closed', () => {
      if (this.#window === window) this.#window = undefined;
    });
    window.webContents.on('render-process-gone', (_event, { reason, exitCode }) => {
      deps.log.error({ reason, exitCode }, 'page crashed');
      this.#rebuild(window);
    });
    window.webContents.on('preload-error', (_event, _path, error) => deps.log.error({ error }, 'preload failed'));
    window.loadURL(pageUrl).catch((error: unknown) => deps.log.error({ error }, 'page did not load'));
  }

  #rebuild(crashed: BrowserWindow): void {
    const wasVisible = crashed.isVisible();
    crashed.destroy();
    if (this.#isClosing) return;
    const now = this.#options.deps.clock.now();
    this.#crashes = [...this.#crashes.filter((at) => now - at < crashSpanMs), now];
    if (this.#crashes.length <= crashLimit) this.#build(wasVisible);
    else this.#options.onGivenUp();
  }
}
