import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { builtRenderer } from '../fakes/built-renderer.ts';
import { openPage, type WatchedPage } from '../fakes/chromium.ts';
import { type ScreenServer, serveScreen } from '../fakes/screen-server.ts';
import type { ScriptedBench } from '../fakes/scripted-bench.ts';
import { aScriptedScene } from './scene.ts';

/** The built window in a browser, with a scripted core behind it. */
export interface Screen extends AsyncDisposable {
  bench: ScriptedBench;
  server: ScreenServer;
  page: Page;
  complaints: string[];
}

export async function openScreen(
  browser: Browser,
  more: { bench?: ScriptedBench; context?: BrowserContextOptions; isExpected?: (complaint: string) => boolean } = {},
): Promise<Screen> {
  const bench = more.bench ?? aScriptedScene();
  const server = await serveScreen(bench.server, await builtRenderer());
  let watched: WatchedPage;
  try {
    watched = await openPage(browser, server.url, more.context, more.isExpected);
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return {
    bench,
    server,
    page: watched.page,
    complaints: watched.complaints,
    async [Symbol.asyncDispose]() {
      await watched[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** The texts of the rows that are drawn now, from top to bottom. */
export async function drawnRows(page: Page): Promise<string[]> {
  return await page.evaluate(() =>
    [...document.querySelectorAll('.trace-row')]
      .map((row) => ({
        top: row.getBoundingClientRect().top,
        text: row.querySelector('.trace-text')?.textContent ?? '',
      }))
      .sort((a, b) => a.top - b.top)
      .map((row) => row.text),
  );
}

/** How far the trace is scrolled, in pixels from its end. */
export async function pixelsFromEnd(page: Page): Promise<number> {
  return await page.evaluate(() => {
    const scroller = document.querySelector('.trace-scroller');
    return scroller === null ? -1 : scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop;
  });
}
