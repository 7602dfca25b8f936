import type { IpcMain, IpcMainEvent, IpcMainInvokeEvent, WebContents } from 'electron';
import type { z } from 'zod';
import { toWireError } from '../contract/errors.ts';
import { ipcChannels } from '../contract/preload.ts';
import type { Answer, Server } from '../contract/transport.ts';
import type { Log } from '../core/platform/log.ts';
import { AppError } from './errors.ts';
import {
  callMessageSchema,
  type EventMessage,
  listenMessageSchema,
  streamMessageSchema,
  takenChannel,
} from './ipc-messages.ts';
import { PageStream } from './page-stream.ts';
import { isPageUrl } from './pages.ts';

/** A page of ours has one or two. */
const streamLimit = 16;

export interface IpcDoorOptions {
  ipcMain: Pick<IpcMain, 'handle' | 'removeHandler' | 'on' | 'off'>;
  /** Checks the name, then the input. */
  server: Server;
  /** Whether these are the contents of a window of ours. */
  isOurs(contents: WebContents): boolean;
  log: Log;
}

/** The streams of one loaded page. */
interface Page {
  id: number;
  streams: Map<number, PageStream>;
}

/**
 * The one place where messages of pages come in. Each is checked for its sender (a window of ours, its main frame, our
 * origin), then for its form; the server then checks the name and the input.
 * @returns Ends every stream and takes no more messages.
 */
export function openIpcDoor({ ipcMain, server, isOurs, log }: IpcDoorOptions): Disposable {
  const pages = new Map<WebContents, Page>();

  function parse<Schema extends z.ZodType>(
    event: IpcMainEvent | IpcMainInvokeEvent,
    schema: Schema,
    message: unknown,
  ): z.output<Schema> {
    const frame = event.senderFrame;
    // Without a frame the page that asked is gone already.
    if (frame === null || frame.parent !== null || !isOurs(event.sender) || !isPageUrl(frame.url)) {
      log.warn({ contentsId: event.sender.id, isMainFrame: frame?.parent === null }, 'message of a stranger refused');
      throw new AppError('app/foreign-sender', 'Only the main window may speak to the bench', {
        remedy: 'Open the window from the tray.',
      });
    }
    const parsed = schema.safeParse(message);
    if (parsed.success) return parsed.data;
    throw new AppError('app/bad-message', 'The window sent a message without the form of one', {
      remedy: 'Close the window and open it again from the tray.',
    });
  }

  function pageOf(contents: WebContents, id: number): Page {
    const known = pages.get(contents);
    if (known?.id === id) return known;
    closePage(contents);
    const page: Page = { id, streams: new Map() };
    pages.set(contents, page);
    // A page that is replaced by another is noticed by the other's first message, one that ends by these.
    if (known === undefined) {
      contents.once('destroyed', () => forget(contents));
      contents.on('render-process-gone', () => closePage(contents));
    }
    return page;
  }

  function closePage(contents: WebContents): void {
    const page = pages.get(contents);
    if (page === undefined) return;
    for (const stream of page.streams.values()) stream[Symbol.dispose]();
    page.streams.clear();
  }

  function forget(contents: WebContents): void {
    closePage(contents);
    pages.delete(contents);
  }

  function streamOf(event: IpcMainEvent, message: unknown): { page: Page; stream: number } | undefined {
    try {
      const { page: id, stream } = parse(event, streamMessageSchema, message);
      const page = pages.get(event.sender);
      return page?.id === id ? { page, stream } : undefined;
    } catch {
      return undefined; // refused and logged; there is nobody to answer
    }
  }

  function listen(event: IpcMainInvokeEvent, message: unknown): void {
    const { page: id, stream: number, name } = parse(event, listenMessageSchema, message);
    const contents = event.sender;
    const { streams } = pageOf(contents, id);
    if (streams.has(number) || streams.size >= streamLimit) {
      throw new AppError('app/too-many-streams', `A window may hold ${streamLimit} streams, each with its own number`, {
        remedy: 'Close the window and open it again from the tray.',
      });
    }
    const stream = new PageStream({
      open: (onEvent) => server.open(name, onEvent),
      send: (benchEvent) => {
        if (contents.isDestroyed()) return;
        contents.send(ipcChannels.event, { page: id, stream: number, event: benchEvent } satisfies EventMessage);
      },
    });
    streams.set(number, stream);
  }

  const onUnlisten = (event: IpcMainEvent, message: unknown) => {
    const found = streamOf(event, message);
    found?.page.streams.get(found.stream)?.[Symbol.dispose]();
    found?.page.streams.delete(found.stream);
  };
  const onTaken = (event: IpcMainEvent, message: unknown) => {
    const found = streamOf(event, message);
    found?.page.streams.get(found.stream)?.taken();
  };

  ipcMain.handle(ipcChannels.call, (event, message: unknown) =>
    answered(() => {
      const { name, input } = parse(event, callMessageSchema, message);
      return server.answer(name, input);
    }),
  );
  ipcMain.handle(ipcChannels.listen, (event, message: unknown) =>
    answered(async () => {
      listen(event, message);
      return { ok: true, value: null };
    }),
  );
  ipcMain.on(ipcChannels.unlisten, onUnlisten);
  ipcMain.on(takenChannel, onTaken);

  return {
    [Symbol.dispose]: () => {
      ipcMain.removeHandler(ipcChannels.call);
      ipcMain.removeHandler(ipcChannels.listen);
      ipcMain.off(ipcChannels.unlisten, onUnlisten);
      ipcMain.off(takenChannel, onTaken);
      for (const contents of [...pages.keys()]) forget(contents);
    },
  };
}

/** An error thrown through Electron's IPC keeps nothing but its message; an answer keeps code and remedy. */
async function answered(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    return { ok: false, error: toWireError(error) };
  }
}
