import { EventEmitter } from 'node:events';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from 'electron';
import { lockInstance } from './instance-lock.ts';
import { DoubleEvent, strict } from './strict.ts';

/** The app that is being run, as its package.json names it. */
export interface AppPackage {
  directory: string;
  name: string;
  version: string;
}

type Implemented =
  | 'isPackaged'
  | 'whenReady'
  | 'isReady'
  | 'getName'
  | 'getVersion'
  | 'getAppPath'
  | 'setPath'
  | 'getPath'
  | 'enableSandbox'
  | 'requestSingleInstanceLock'
  | 'quit'
  | 'exit';

class DoubleApp extends EventEmitter implements Pick<App, Implemented> {
  readonly isPackaged = false;
  /** Closes all windows; false when one of them would not. Set by the windows' own file. */
  closeWindows: () => boolean = () => true;
  /** Playwright appends Chromium's switches here; ours are set where Chromium is started. */
  readonly commandLine = strict('commandLine', { appendSwitch: (_name: string, _value?: string) => {} });
  readonly #paths = new Map<string, string>();
  readonly #ready = Promise.withResolvers<void>();
  #package: AppPackage = { directory: process.cwd(), name: 'Electron', version: '0.0.0' };
  #isReady = false;
  #isQuitting = false;

  /** Says which app this is; before any of its code runs. */
  adopt(appPackage: AppPackage): void {
    this.#package = appPackage;
  }

  /** Becomes ready, once the app's main module has been evaluated to its end. */
  begin(): void {
    this.#isReady = true;
    this.emit('ready', new DoubleEvent(), {});
    this.#ready.resolve();
  }

  whenReady(): Promise<void> {
    return this.#ready.promise;
  }

  isReady(): boolean {
    return this.#isReady;
  }

  getName(): string {
    return this.#package.name;
  }

  getVersion(): string {
    return this.#package.version;
  }

  getAppPath(): string {
    return this.#package.directory;
  }

  setPath(name: string, path: string): void {
    this.#paths.set(name, path);
  }

  getPath(name: string): string {
    const known = this.#paths.get(name);
    if (known !== undefined) return known;
    switch (name) {
      case 'home':
        return homedir();
      case 'temp':
        return tmpdir();
      case 'appData':
        return process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config');
      case 'userData':
        return join(this.getPath('appData'), this.#package.name);
      default:
        throw new Error(`electron double: app.getPath('${name}') is not implemented`);
    }
  }

  enableSandbox(): void {
    if (this.#isReady) throw new Error('app.enableSandbox() can only be called before app is ready');
  }

  requestSingleInstanceLock(): boolean {
    const mine = { argv: process.argv, workingDirectory: process.cwd() };
    return lockInstance(this.getPath('userData'), mine, ({ argv, workingDirectory }) =>
      this.emit('second-instance', new DoubleEvent(), argv, workingDirectory),
    );
  }

  quit(): void {
    if (this.#isQuitting) return;
    const before = new DoubleEvent();
    this.emit('before-quit', before);
    if (before.defaultPrevented) return;
    this.#isQuitting = true;
    const will = new DoubleEvent();
    if (this.closeWindows()) this.emit('will-quit', will);
    else will.preventDefault();
    if (will.defaultPrevented) this.#isQuitting = false;
    else this.exit(0);
  }

  exit(exitCode = 0): void {
    this.emit('quit', new DoubleEvent(), exitCode);
    process.exit(exitCode);
  }

  /** Electron quits by itself with the last window, unless somebody listens to this. */
  allWindowsClosed(): void {
    if (!this.#isQuitting && !this.emit('window-all-closed')) this.quit();
  }
}

export const appDouble = new DoubleApp();
export const app = strict('app', appDouble);
