import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { z } from 'zod';
import { chromium } from './chromium.ts';
import type { DevtoolsSession } from './devtools.ts';
import { type DownMessage, type UpMessage, worldScripts } from './worlds.ts';

export const electronVersion = '45.4.1-double';

export interface PageOptions {
  width: number;
  height: number;
  /** Text of the preload, a CommonJS file. */
  preload: string;
}

export interface Frame {
  id: string;
  parentId: string | undefined;
  /** As Chromium has it. */
  url: string;
}

/** A request that waits to be answered or let go. */
export interface PausedRequest {
  requestId: string;
  frameId: string;
  resourceType: string;
  request: { url: string; method: string; headers: Record<string, string> };
}

interface PageEvents {
  message: [UpMessage, Frame];
  navigated: [Frame];
  loaded: [];
  crashed: [];
  request: [PausedRequest];
}

const context = z.object({
  id: z.int(),
  name: z.string(),
  auxData: z.object({ frameId: z.string() }).optional(),
});
const frame = z.object({ id: z.string(), parentId: z.string().optional(), url: z.string() });
const attached = z.object({ frameId: z.string(), parentFrameId: z.string() });
const paused = z.object({
  requestId: z.string(),
  frameId: z.string(),
  resourceType: z.string(),
  request: z.object({ url: z.string(), method: z.string(), headers: z.record(z.string(), z.string()) }),
});
const upMessage = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('invoke'), n: z.int(), channel: z.string(), args: z.unknown() }),
  z.object({ kind: z.literal('send'), channel: z.string(), args: z.unknown() }),
  z.object({ kind: z.literal('open'), url: z.string() }),
  z.object({ kind: z.literal('preload-error'), message: z.string() }),
]);

/** One target of Chromium with the two worlds of an Electron page. Knows the DevTools protocol and nothing of windows. */
export class Page extends EventEmitter<PageEvents> {
  readonly targetId: string;
  readonly #session: DevtoolsSession;
  readonly #deliver: string;
  readonly #frames = new Map<string, Frame>();
  /** The frame of each isolated world that lives. */
  readonly #worlds = new Map<number, string>();

  static async open(options: PageOptions): Promise<Page> {
    const { connection } = await chromium();
    const { width, height } = options;
    const target = { url: 'about:blank', newWindow: true, width, height };
    const { targetId } = await connection.browser.ask(
      'Target.createTarget',
      target,
      z.object({ targetId: z.string() }),
    );
    const { sessionId } = await connection.browser.ask(
      'Target.attachToTarget',
      { targetId, flatten: true },
      z.object({ sessionId: z.string() }),
    );
    const page = new Page(targetId, connection.session(sessionId));
    await page.#start(options.preload);
    return page;
  }

  private constructor(targetId: string, session: DevtoolsSession) {
    super();
    this.targetId = targetId;
    this.#session = session;
    this.#deliver = `electronDoubleDeliver${randomBytes(8).toString('hex')}`;
  }

  async #start(preload: string): Promise<void> {
    const secret = `electron-double-${randomBytes(16).toString('hex')}`;
    const binding = 'electronDoubleSend';
    const world = 'electron-double-isolated';
    const session = this.#session;
    session.listen('Runtime.executionContextCreated', z.object({ context }), ({ context: { id, name, auxData } }) => {
      if (name === world && auxData !== undefined) this.#worlds.set(id, auxData.frameId);
    });
    session.listen('Runtime.executionContextDestroyed', z.object({ executionContextId: z.int() }), (gone) =>
      this.#worlds.delete(gone.executionContextId),
    );
    session.on('Runtime.executionContextsCleared', () => this.#worlds.clear());
    session.listen(
      'Runtime.bindingCalled',
      z.object({ name: z.string(), payload: z.string(), executionContextId: z.int() }),
      ({ name, payload, executionContextId }) => {
        const sender = this.#frames.get(this.#worlds.get(executionContextId) ?? '');
        if (name === binding && sender !== undefined)
          this.emit('message', upMessage.parse(JSON.parse(payload)), sender);
      },
    );
    session.listen('Page.frameNavigated', z.object({ frame }), ({ frame: { id, parentId, url } }) => {
      const known: Frame = { id, parentId, url };
      this.#frames.set(id, known);
      this.emit('navigated', known);
    });
    session.listen('Page.frameAttached', attached, ({ frameId: id, parentFrameId: parentId }) =>
      this.#frames.set(id, { id, parentId, url: '' }),
    );
    session.listen('Page.frameDetached', z.object({ frameId: z.string() }), (gone) =>
      this.#frames.delete(gone.frameId),
    );
    session.on('Page.loadEventFired', () => this.emit('loaded'));
    session.on('Inspector.targetCrashed', () => this.emit('crashed'));
    session.listen('Fetch.requestPaused', paused, (request) => this.emit('request', request));

    const settings = { secret, binding, deliver: this.#deliver, electronVersion };
    const { main, isolated } = worldScripts(settings, preload);
    await Promise.all([
      session.send('Page.enable'),
      session.send('Runtime.enable'),
      session.send('Inspector.enable'),
      session.send('Fetch.enable', { patterns: [{ urlPattern: '*' }] }),
      session.send('Runtime.addBinding', { name: binding, executionContextName: world }),
      // The page's own world first: it has to listen when the preload exposes something to it.
      session.send('Page.addScriptToEvaluateOnNewDocument', { source: main }),
      session.send('Page.addScriptToEvaluateOnNewDocument', { source: isolated, worldName: world }),
    ]);
  }

  /** @returns Chromium's own text of what went wrong, if anything did. */
  async navigate(url: string): Promise<string | undefined> {
    const answer = z.object({ errorText: z.string().optional() });
    const { errorText } = await this.#session.ask('Page.navigate', { url }, answer);
    return errorText;
  }

  /** Hands a message to the isolated world of the main frame; nobody gets it while a page is being replaced. */
  deliver(message: DownMessage): void {
    for (const [contextId, frameId] of this.#worlds) {
      if (this.#frames.get(frameId)?.parentId !== undefined) continue;
      const expression = `${this.#deliver}(${JSON.stringify(message)})`;
      this.#session.send('Runtime.evaluate', { expression, contextId }).catch(ignoreGone);
    }
  }

  isSubFrame(frameId: string): boolean {
    return this.#frames.get(frameId)?.parentId !== undefined;
  }

  /** Lets a paused request go on as if nobody had looked. */
  letPass({ requestId }: PausedRequest): void {
    this.#session.send('Fetch.continueRequest', { requestId }).catch(ignoreGone);
  }

  refuse({ requestId }: PausedRequest, errorReason: 'Aborted' | 'BlockedByClient' | 'Failed'): void {
    this.#session.send('Fetch.failRequest', { requestId, errorReason }).catch(ignoreGone);
  }

  async fulfill({ requestId }: PausedRequest, response: Response): Promise<void> {
    const body = Buffer.from(await response.arrayBuffer()).toString('base64');
    const responseHeaders = [...response.headers].map(([name, value]) => ({ name, value }));
    const answer = { requestId, responseCode: response.status, responseHeaders, body };
    await this.#session.send('Fetch.fulfillRequest', answer).catch(ignoreGone);
  }

  /** Ends the renderer's process. Never answered. */
  crash(): void {
    this.#session.send('Page.crash').catch(ignoreGone);
  }

  async close(): Promise<void> {
    const { connection } = await chromium();
    await connection.browser.send('Target.closeTarget', { targetId: this.targetId }).catch(ignoreGone);
  }
}

/** A page may go at any moment, and what was meant for it with it. */
function ignoreGone(): void {}
