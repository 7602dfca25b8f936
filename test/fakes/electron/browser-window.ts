import { EventEmitter } from 'node:events';
import { isAbsolute } from 'node:path';
import type { BrowserWindowConstructorOptions, BrowserWindow as ElectronWindow, WebContents } from 'electron';
import { z } from 'zod';
import { app, appDouble } from './app.ts';
import { chromium } from './chromium.ts';
import { DoubleEvent, faceOf, standIn, strict, strictClass } from './strict.ts';
import { DoubleWebContents } from './web-contents.ts';

const windows = new Map<number, DoubleWindow>();
let idCount = 0;
let isWatching = false;

type Implemented = 'id' | 'loadURL' | 'show' | 'hide' | 'minimize' | 'restore' | 'focus' | 'close' | 'destroy';
type Asked = 'isVisible' | 'isMinimized' | 'isDestroyed' | 'getTitle';

/** A window: no frame and no place on a screen, but Electron's life of one around a page of Chromium. */
class DoubleWindow extends EventEmitter implements Pick<ElectronWindow, Implemented | Asked> {
  readonly id: number;
  readonly webContents: DoubleWebContents;
  readonly contents: DoubleWebContents;
  readonly #title: string;
  #isVisible: boolean;
  #isMinimized = false;
  #isDestroyed = false;
  #wasReady = false;

  constructor(options: BrowserWindowConstructorOptions = {}) {
    super();
    const { preload, sandbox, contextIsolation, nodeIntegration } = options.webPreferences ?? {};
    if (nodeIntegration === true || contextIsolation === false || sandbox === false) {
      throw new Error('electron double: only isolated, sandboxed windows are supported');
    }
    if (preload !== undefined && !isAbsolute(preload)) throw new Error('preload must be an absolute path');
    idCount += 1;
    this.id = idCount;
    this.#isVisible = options.show !== false;
    this.#title = options.title ?? app.getName();
    this.contents = new DoubleWebContents({
      id: this.id,
      width: options.width ?? 800,
      height: options.height ?? 600,
      preloadPath: preload,
      close: () => this.close(),
    });
    this.webContents = strict('webContents', this.contents);
    windows.set(this.id, this);
    watchTargets();
    app.emit('web-contents-created', new DoubleEvent(), this.webContents);
  }

  async loadURL(url: string): Promise<void> {
    await this.contents.loadURL(url);
    if (this.#wasReady || this.#isDestroyed) return;
    this.#wasReady = true;
    this.emit('ready-to-show');
  }

  show(): void {
    this.#isMinimized = false;
    if (!this.#isVisible) {
      this.#isVisible = true;
      this.emit('show');
    }
    this.focus();
  }

  hide(): void {
    if (!this.#isVisible) return;
    this.#isVisible = false;
    this.emit('hide');
  }

  minimize(): void {
    this.#isMinimized = true;
    this.emit('minimize');
  }

  restore(): void {
    this.#isMinimized = false;
    this.emit('restore');
  }

  focus(): void {
    this.emit('focus');
  }

  isVisible(): boolean {
    return this.#isVisible && !this.#isMinimized;
  }

  isMinimized(): boolean {
    return this.#isMinimized;
  }

  isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  getTitle(): string {
    return this.#title;
  }

  close(): void {
    if (this.#isDestroyed) return;
    const event = new DoubleEvent();
    this.emit('close', event);
    if (!event.defaultPrevented) this.destroy();
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    windows.delete(this.id);
    void this.contents.destroy();
    this.emit('closed');
    if (windows.size === 0) appDouble.allWindowsClosed();
  }

  static getAllWindows(): ElectronWindow[] {
    return [...windows.values()].map((window) => standIn<ElectronWindow>(window));
  }

  static fromWebContents(contents: WebContents): ElectronWindow | null {
    const window = windows.get(contents.id);
    return window === undefined ? null : standIn<ElectronWindow>(window);
  }
}
appDouble.closeWindows = () => {
  for (const window of [...windows.values()]) {
    window.close();
    if (!window.isDestroyed()) return false;
  }
  return true;
};

/** A page that Chromium itself closed takes its window along. */
function watchTargets(): void {
  if (isWatching) return;
  isWatching = true;
  void chromium().then(({ connection }) => {
    connection.browser.listen('Target.targetDestroyed', z.object({ targetId: z.string() }), ({ targetId }) => {
      for (const window of windows.values()) if (window.contents.targetId === targetId) window.destroy();
    });
  });
}

export const BrowserWindow = strictClass('BrowserWindow', DoubleWindow);

/** Playwright finds windows by the targets of Chromium it knows. */
export const webContents = strict('webContents', {
  fromDevToolsTargetId: (targetId: string) =>
    [...windows.values()].find((window) => window.contents.targetId === targetId)?.webContents,
  getAllWebContents: () => [...windows.values()].map((window) => faceOf(window.contents)),
});
