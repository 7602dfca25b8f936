import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RunId } from '../../electron/contract/ids.ts';
import { builtRenderer } from '../fakes/built-renderer.ts';
import { launchChromium } from '../fakes/chromium.ts';
import { bootingId, buildId, failedId, stamped } from './scene.ts';
import { drawnRows, openScreen, pixelsFromEnd } from './screen.ts';

const esc = '\u001b';
let chromium: Awaited<ReturnType<typeof launchChromium>>;
let browser: Browser;

beforeAll(async () => {
  await builtRenderer();
  chromium = await launchChromium();
  browser = chromium.browser;
}, 120_000);
afterAll(() => chromium?.[Symbol.asyncDispose]());

describe('the trace of a live run', () => {
  it('is watched line by line as it grows', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    await page.getByText('error budget').waitFor();
    for (const count of [1, 2, 3]) {
      bench.appendTrace(buildId, stamped(`new line ${count}`));
      await vi.waitFor(async () => expect((await drawnRows(page)).at(-1)).toBe(`new line ${count}`));
    }
    expect([await pixelsFromEnd(page), screen.complaints]).toEqual([0, []]);
  });

  it('shows letters that came in two pieces, and a line before it is ended', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    await page.getByText('error budget').waitFor();
    const line = Buffer.from(stamped('zwölf 木').trimEnd());
    bench.appendTrace(buildId, line.subarray(0, -2));
    bench.appendTrace(buildId, line.subarray(-2));
    await vi.waitFor(async () => expect((await drawnRows(page)).at(-1)).toBe('zwölf 木'));
  });

  it('shows a progress line as it stands', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    await page.getByText('error budget').waitFor();
    bench.appendTrace(buildId, stamped('').slice(0, -1));
    for (const percent of ['10 %', '55 %', '99 %']) {
      bench.appendTrace(buildId, `\r${percent}`);
      await vi.waitFor(async () => expect((await drawnRows(page)).at(-1)).toBe(percent));
    }
  });

  it('reads only what is new', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    await page.getByText('error budget').waitFor();
    bench.appendTrace(buildId, stamped('first'));
    await page.getByText('first', { exact: true }).waitFor();
    bench.appendTrace(buildId, stamped('second'));
    await page.getByText('second', { exact: true }).waitFor();
    const reads = bench.callsOf('trace.read').map((input) => (input as { fromByte: number }).fromByte);
    expect(reads).toEqual([...new Set(reads)].sort((a, b) => a - b));
    expect(reads.length).toBe(3);
  });

  it('is never taken for markup, and its links are inert', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    await page.getByText('error budget').waitFor();
    const hostile = `<img src=x onerror="document.title='owned'"> ${esc}]8;;javascript:alert(1)\u0007click${esc}]8;;\u0007`;
    bench.appendTrace(buildId, stamped(hostile));
    const shown = `<img src=x onerror="document.title='owned'"> click`;
    await vi.waitFor(async () => expect((await drawnRows(page)).at(-1)).toBe(shown));
    const made = await page.locator('.trace-lines :is(img, a, script)').count();
    expect([made, await page.title(), screen.complaints]).toEqual([0, 'Forrest Bench', []]);
  });

  it('waits in words while the machine boots', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    await page
      .getByRole('button', { name: /test: \[linux/ })
      .first()
      .click();
    await page.getByText(/No output yet: the machine is booting \(\d min \d\d s\)/).waitFor();
    bench.appendTrace(bootingId, 'Running with gitlab-runner\n');
    await vi.waitFor(async () => expect(await drawnRows(page)).toEqual(['Running with gitlab-runner']));
  });
});

describe('sections', () => {
  it('fold and open by mouse, with their time beside the title', async () => {
    await using screen = await openScreen(browser);
    const { page } = screen;
    await page.getByText('error budget').waitFor();
    await page.keyboard.press('f');
    await page.locator('.trace-scroller').evaluate((scroller) => scroller.scrollTo(0, 0));
    const sources = page.getByRole('button', { name: 'Section get_sources' });
    await sources.click();
    expect(await sources.getAttribute('aria-expanded')).toBe('false');
    const row = page.locator('.trace-row', { hasText: 'Getting source from Git repository' });
    expect(await row.locator('.trace-note').textContent()).toBe('2 lines · 3 s');
    expect((await drawnRows(page)).filter((text) => /Fetching|Checking out/.test(text))).toEqual([]);
    await sources.click();
    expect((await drawnRows(page)).filter((text) => /Fetching|Checking out/.test(text)).length).toBe(2);
  });

  it('are folded from the start when the job says so, and open by keyboard', async () => {
    await using screen = await openScreen(browser);
    const { page } = screen;
    await page.getByText('error budget').waitFor();
    await page.keyboard.press('f');
    await page.locator('.trace-scroller').evaluate((scroller) => scroller.scrollTo(0, 0));
    const cache = page.getByRole('button', { name: 'Section restore_cache' });
    expect(await cache.getAttribute('aria-expanded')).toBe('false');
    expect(await page.getByText('Successfully extracted cache').count()).toBe(0);
    await cache.focus();
    await page.keyboard.press('Enter');
    await page.getByText('Successfully extracted cache').waitFor();
  });

  it('keep the numbers of their lines when they are folded', async () => {
    await using screen = await openScreen(browser);
    const { page } = screen;
    await page.getByText('error budget').waitFor();
    const last = page.locator('.trace-row', { hasText: 'error budget' }).locator('.trace-number');
    const before = await last.textContent();
    await page.keyboard.press('f');
    await page.locator('.trace-scroller').evaluate((scroller) => scroller.scrollTo(0, 0));
    await page.getByRole('button', { name: 'Section restore_cache' }).click();
    await page.keyboard.press('f');
    expect(await last.textContent()).toBe(before);
  });
});

describe('following', () => {
  it('ends when the user scrolls up, and comes back with the button', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    await page.getByText('error budget').waitFor();
    bench.appendTrace(buildId, Array.from({ length: 40 }, (_, at) => stamped(`more ${at}`)).join(''));
    await page.getByText('more 39').waitFor();
    const follow = page.getByRole('button', { name: 'Follow' });
    expect(await follow.getAttribute('aria-pressed')).toBe('true');
    await page.locator('.trace-scroller').hover();
    await page.mouse.wheel(0, -300);
    await vi.waitFor(async () => expect(await follow.getAttribute('aria-pressed')).toBe('false'));
    const before = await page.locator('.trace-scroller').evaluate((scroller) => scroller.scrollTop);
    bench.appendTrace(buildId, stamped('unseen'));
    await page.getByText('70 lines').waitFor();
    expect(await page.locator('.trace-scroller').evaluate((scroller) => scroller.scrollTop)).toBe(before);
    await page.getByRole('button', { name: 'Jump to end' }).click();
    await page.getByText('unseen').waitFor();
    expect([await pixelsFromEnd(page), await follow.getAttribute('aria-pressed')]).toEqual([0, 'true']);
  });

  it('is switched by the key f, but not while something is asked', async () => {
    await using screen = await openScreen(browser);
    const { page } = screen;
    await page.getByText('error budget').waitFor();
    const follow = page.getByRole('button', { name: 'Follow', includeHidden: true });
    await page.keyboard.press('f');
    expect(await follow.getAttribute('aria-pressed')).toBe('false');
    await page.keyboard.press('f');
    expect(await follow.getAttribute('aria-pressed')).toBe('true');
    await page.getByRole('button', { name: 'Stop build:firmware' }).click();
    await page.getByRole('alertdialog').waitFor();
    await page.keyboard.press('f');
    expect(await follow.getAttribute('aria-pressed')).toBe('true');
  });
});

describe('taking a trace away', () => {
  it('copies all of it as text without colours and times', async () => {
    await using screen = await openScreen(browser, {
      context: { permissions: ['clipboard-read', 'clipboard-write'] },
    });
    const { page } = screen;
    await page.getByText('error budget').waitFor();
    await page.getByRole('button', { name: 'Copy the whole trace as text' }).click();
    await page.getByText('Copied').waitFor({ state: 'attached' });
    const text = await page.evaluate(() => navigator.clipboard.readText());
    const lines = text.split('\n');
    expect([lines.length, lines[0], lines.at(-2)]).toEqual([
      30,
      'Running with gitlab-runner 18.7.1 (4a0e1c2b)',
      'flash 61 %  ram 23 %  error budget 0',
    ]);
  });

  it('downloads it byte by byte', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    await page.getByText('error budget').waitFor();
    bench.appendTrace(buildId, Uint8Array.of(0xff, 0x0d, 0x0a));
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download the whole trace' }).click(),
    ]);
    const parts: Buffer[] = [];
    for await (const part of await download.createReadStream()) parts.push(part as Buffer);
    const { base64 } = await bench.server
      .answer('trace.read', { runId: buildId, fromByte: 0 })
      .then((answer) => (answer.ok ? (answer.value as { base64: string }) : { base64: '' }));
    expect(download.suggestedFilename()).toBe('build-firmware-4711-trace.log');
    expect(Buffer.concat(parts).toString('base64')).toBe(base64);
  });
});

describe('the console', () => {
  it('is plain text and grows while it is shown', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    await page.getByText('error budget').waitFor();
    expect(bench.callsOf('console.read')).toEqual([]);
    await page.getByRole('tab', { name: 'Console' }).click();
    const booted = ['[    0.000000] Linux version 6.1.0', '[    0.512345] System is up'];
    await vi.waitFor(async () => expect(await drawnRows(page)).toEqual(booted));
    expect(await page.locator('.trace-text [style]').count()).toBe(0);
    bench.appendConsole(buildId, 'login: ');
    await vi.waitFor(async () => expect(await drawnRows(page)).toEqual([...booted, 'login: ']), { timeout: 5_000 });
  });
});

describe('a trace of the history', () => {
  it('is shown when its run is chosen, and stays when another run begins', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    await page.getByRole('button', { name: /lint.*Failed/ }).click();
    await vi.waitFor(async () => expect((await drawnRows(page)).at(-1)).toBe('ERROR: Job failed: exit code 2'));
    const run = bench.state.runsById[buildId];
    if (run === undefined) throw new Error('The scene has no build');
    bench.push({ kind: 'run', run: { ...run, id: 'b0000009' as RunId } });
    await page.getByText('3 of 4 running').waitFor();
    expect(await page.getByRole('heading', { level: 2, name: 'lint' }).count()).toBe(1);
  });

  it('says why it cannot be read, and tries again', async () => {
    await using screen = await openScreen(browser);
    const { page, bench } = screen;
    await page.getByText('error budget').waitFor();
    const { BenchError } = await import('../../electron/contract/errors.ts');
    bench.refuseNext(
      'trace.read',
      new BenchError('trace/missing', 'The trace file is gone', { remedy: 'Read it at GitLab.' }),
    );
    await page.getByRole('button', { name: /lint.*Failed/ }).click();
    await page.getByText('The trace file is gone').waitFor();
    await page.getByText('Read it at GitLab.').waitFor();
    await page.getByRole('button', { name: 'Try again' }).click();
    await vi.waitFor(async () => expect((await drawnRows(page)).length).toBe(3));
    expect(bench.callsOf('trace.read').at(-1)).toEqual({ runId: failedId, fromByte: 0, maxBytes: 524_288 });
  });
});
