import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { chromiumFlags, chromiumPath } from './chromium-flags.ts';

/** A headless Chromium, ended with its scope. */
export async function launchChromium(): Promise<AsyncDisposable & { browser: Browser }> {
  const browser = await chromium.launch({ executablePath: chromiumPath, args: [...chromiumFlags] });
  return { browser, [Symbol.asyncDispose]: () => browser.close() };
}

/** A page with a profile of its own, and every complaint that the page made. */
export interface WatchedPage extends AsyncDisposable {
  context: BrowserContext;
  page: Page;
  /** Errors and warnings on the console, uncaught errors, and requests that failed; in order. */
  complaints: string[];
}

/** @param isExpected Tells complaints that belong to the test, such as those of a connection that it cut. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  isExpected: (complaint: string) => boolean = () => false,
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  const complain = (text: string) => {
    if (!isExpected(text)) complaints.push(text);
  };
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complain(message.text());
  });
  page.on('pageerror', (error) => complain(error.stack ?? error.message));
  page.on('requestfailed', (request) => complain(`${request.url()}: ${request.failure()?.errorText}`));
  await page.goto(url);
  return { context, page, complaints, [Symbol.asyncDispose]: () => context.close() };
}
