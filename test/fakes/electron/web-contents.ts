import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IpcMainEvent, IpcMainInvokeEvent, OnBeforeRequestListenerDetails, WebContents } from 'electron';
import { createCodec } from './codec.ts';
import { ipcMainDouble } from './ipc-main.ts';
import { type Frame, Page, type PausedRequest } from './page.ts';
import { grantPermissions } from './permissions.ts';
import { schemes } from './schemes.ts';
import { protocolDouble, session, sessionDouble } from './session.ts';
import { DoubleEvent, faceOf, standIn, strict } from './strict.ts';
import type { UpMessage } from './worlds.ts';

const { encode, decode } = createCodec();

export interface ContentsOptions {
  id: number;
  width: number;
  height: number;
  preloadPath: string | undefined;
  /** `close()` of the contents closes the window. */
  close(): void;
}

/** The contents of one window: a page of Chromium under Electron's names. */
export class DoubleWebContents
  extends EventEmitter
  implements Pick<WebContents, 'id' | 'getURL' | 'send' | 'setWindowOpenHandler' | 'isDestroyed' | 'close'>
{
  readonly id: number;
  readonly session = session.defaultSession;
  readonly #options: ContentsOptions;
  readonly #page: Promise<Page>;
  #targetId: string | undefined;
  #url = '';
  #isDestroyed = false;
  #isCrashed = false;
  /** What `loadURL` is on its way to; any other navigation is the page's own. */
  #expectedUrl: string | undefined;
  #openHandler: Parameters<WebContents['setWindowOpenHandler']>[0] | undefined;
  #requestCount = 0;

  constructor(options: ContentsOptions) {
    super();
    this.id = options.id;
    this.#options = options;
    this.#page = this.#start();
    // Whoever loads something hears of a failure; without that it is a fault of Chromium's and ends us there.
    this.#page.catch(() => {});
  }

  async #start(): Promise<Page> {
    const { width, height, preloadPath } = this.#options;
    const preload = preloadPath === undefined ? '' : readFileSync(preloadPath, 'utf8');
    const page = await Page.open({ width, height, preload });
    this.#targetId = page.targetId;
    page.on('message', (message, frame) => this.#receive(page, message, frame));
    page.on('navigated', (frame) => {
      if (frame.parentId !== undefined) return;
      this.#url = schemes.fromChromium(frame.url);
      this.emit('did-navigate', new DoubleEvent(), this.#url, 200, 'OK');
    });
    page.on('loaded', () => {
      if (this.#url !== '' && this.#url !== 'about:blank') this.emit('did-finish-load');
    });
    page.on('crashed', () => {
      this.#isCrashed = true;
      this.emit('render-process-gone', new DoubleEvent(), { reason: 'crashed', exitCode: 5 });
    });
    page.on('request', (request) => void this.#pass(page, request));
    return page;
  }

  get targetId(): string | undefined {
    return this.#targetId;
  }

  getURL(): string {
    return this.#url;
  }

  isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  isCrashed(): boolean {
    return this.#isCrashed;
  }

  close(): void {
    this.#options.close();
  }

  setWindowOpenHandler(handler: Parameters<WebContents['setWindowOpenHandler']>[0]): void {
    this.#openHandler = handler;
  }

  send(channel: string, ...args: unknown[]): void {
    const encoded = encode(args);
    void this.#page.then((page) => page.deliver({ kind: 'push', channel, args: encoded }));
  }

  forcefullyCrashRenderer(): void {
    void this.#page.then((page) => page.crash());
  }

  async loadURL(url: string): Promise<void> {
    const page = await this.#page;
    const target = schemes.toChromium(url);
    if (target !== url) await grantPermissions(new URL(target).origin, url);
    const loaded = new Promise<void>((resolve) => this.once('did-finish-load', () => resolve()));
    this.#expectedUrl = target;
    const problem = await page.navigate(target);
    if (problem !== undefined) {
      this.emit('did-fail-load', new DoubleEvent(), -2, problem, url, true);
      throw new Error(`${problem} loading '${url}'`);
    }
    await loaded;
  }

  /** The window is gone. */
  async destroy(): Promise<void> {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.emit('destroyed');
    await this.#page.then((page) => page.close());
  }

  #receive(page: Page, message: UpMessage, frame: Frame): void {
    if (this.#isDestroyed) return;
    switch (message.kind) {
      case 'open':
        this.#refuseWindow(message.url, frame);
        return;
      case 'preload-error':
        this.emit('preload-error', new DoubleEvent(), this.#options.preloadPath, new Error(message.message));
        return;
      case 'send':
        ipcMainDouble.emit(message.channel, standIn<IpcMainEvent>(this.#event(frame)), ...(decode(message.args) as []));
        return;
      case 'invoke':
        void this.#answer(page, message, frame);
    }
  }

  async #answer(page: Page, { n, channel, args }: Extract<UpMessage, { kind: 'invoke' }>, frame: Frame): Promise<void> {
    try {
      const event = standIn<IpcMainInvokeEvent>(this.#event(frame));
      const value = encode(await ipcMainDouble.answer(channel, event, decode(args) as unknown[]));
      page.deliver({ kind: 'answer', n, value });
    } catch (error) {
      page.deliver({ kind: 'failure', n, message: String(error) });
    }
  }

  #event(frame: Frame): object {
    return strict('event', { sender: faceOf(this), senderFrame: senderFrame(frame), type: 'frame', processId: 1 });
  }

  #refuseWindow(url: string, frame: Frame): void {
    const referrer = { url: schemes.fromChromium(frame.url), policy: 'default' as const };
    const details = { url, frameName: '', features: '', disposition: 'new-window' as const, referrer };
    const action = this.#openHandler?.(details).action;
    if (action !== 'deny') throw new Error('electron double: a page opened a window and nothing denied it');
  }

  /** What Electron does with each request: asks the app about navigations, then about the request, then answers it. */
  async #pass(page: Page, paused: PausedRequest): Promise<void> {
    const url = schemes.fromChromium(paused.request.url);
    // Chromium's own wish for an icon in its tab strip, which Electron does not have.
    if (new URL(url).pathname === '/favicon.ico') return page.fulfill(paused, new Response(null, { status: 204 }));
    const isMainFrame = paused.resourceType === 'Document' && !page.isSubFrame(paused.frameId);
    if (paused.resourceType === 'Document') {
      const isOurs = isMainFrame && this.#expectedUrl === paused.request.url;
      this.#expectedUrl = undefined;
      if (!isOurs && this.#isRefusedNavigation(url, isMainFrame)) return page.refuse(paused, 'Aborted');
    }
    if (!(await sessionDouble.isAllowed(this.#details(paused, url, isMainFrame)))) {
      return page.refuse(paused, 'BlockedByClient');
    }
    if (url === paused.request.url) return page.letPass(paused);
    const handler = protocolDouble.handlerOf(url);
    if (handler === undefined) return page.refuse(paused, 'Failed');
    const { method, headers } = paused.request;
    try {
      await page.fulfill(paused, await handler(new Request(url, { method, headers })));
    } catch (error) {
      process.stderr.write(`electron double: the handler of ${url} failed: ${String(error)}\n`);
      page.refuse(paused, 'Failed');
    }
  }

  #isRefusedNavigation(url: string, isMainFrame: boolean): boolean {
    const details = Object.assign(new DoubleEvent(), { url, isMainFrame, isSameDocument: false });
    this.emit('will-frame-navigate', details);
    if (isMainFrame) this.emit('will-navigate', details);
    return details.defaultPrevented;
  }

  #details(paused: PausedRequest, url: string, isMainFrame: boolean): OnBeforeRequestListenerDetails {
    this.#requestCount += 1;
    return standIn<OnBeforeRequestListenerDetails>(
      strict('details', {
        id: this.#requestCount,
        url,
        method: paused.request.method,
        webContentsId: this.id,
        resourceType: isMainFrame ? 'mainFrame' : paused.resourceType.toLowerCase(),
      }),
    );
  }
}

/** A preload runs in main frames alone, so no other ever speaks. */
function senderFrame({ url }: Frame): object {
  const address = schemes.fromChromium(url);
  const { protocol, host } = new URL(address);
  return strict('senderFrame', { url: address, origin: host === '' ? 'null' : `${protocol}//${host}`, parent: null });
}
