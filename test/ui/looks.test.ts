import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contrast, type Rgb } from '../../renderer/features/trace/palette.ts';
import { builtRenderer } from '../fakes/built-renderer.ts';
import { launchChromium } from '../fakes/chromium.ts';
import { decodePng, type Picture } from '../fakes/png.ts';
import { openScreen } from './screen.ts';

const folder = fileURLToPath(new URL('../../test-results/', import.meta.url));
let chromium: Awaited<ReturnType<typeof launchChromium>>;
let browser: Browser;

beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  await builtRenderer();
  chromium = await launchChromium();
  browser = chromium.browser;
}, 120_000);
afterAll(() => chromium?.[Symbol.asyncDispose]());

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** How many pixels of a part of a picture are within a few steps of a colour. */
function countNear(picture: Picture, { x, y, width, height }: Box, [red, green, blue]: Rgb): number {
  let count = 0;
  for (let row = Math.ceil(y); row < Math.min(picture.height, y + height); row += 1) {
    for (let column = Math.ceil(x); column < Math.min(picture.width, x + width); column += 1) {
      const [r, g, b] = picture.pixel(column, row);
      if (Math.abs(r - red) + Math.abs(g - green) + Math.abs(b - blue) < 12) count += 1;
    }
  }
  return count;
}

async function boxOf(page: Page, selector: string): Promise<Box> {
  const box = await page.locator(selector).first().boundingBox();
  if (box === null) throw new Error(`${selector} is not drawn`);
  return box;
}

const views = [
  { scheme: 'light', size: 'wide', width: 1280, height: 800, surface: [255, 255, 255] },
  { scheme: 'light', size: 'narrow', width: 390, height: 844, surface: [255, 255, 255] },
  { scheme: 'dark', size: 'wide', width: 1280, height: 800, surface: [24, 28, 25] },
  { scheme: 'dark', size: 'narrow', width: 390, height: 844, surface: [24, 28, 25] },
] as const;

describe.each(views)('the window in $scheme and $size', ({ scheme, size, width, height, surface }) => {
  it('is drawn, with the colours of the trace in it', async () => {
    await using screen = await openScreen(browser, {
      context: { viewport: { width, height }, colorScheme: scheme, reducedMotion: 'reduce' },
    });
    const { page } = screen;
    await page.getByText('error budget').waitFor();
    const path = `${folder}${scheme}-${size}.png`;
    const picture = decodePng(await page.screenshot({ path, fullPage: size === 'narrow' }));
    const trace = await boxOf(page, '.trace-scroller');
    const header = await boxOf(page, '.header');
    const seen = {
      background: countNear(picture, trace, [22, 26, 24]) > 0.7 * trace.width * trace.height,
      green: countNear(picture, trace, [124, 199, 128]) > 100,
      yellow: countNear(picture, trace, [222, 180, 94]) > (size === 'wide' ? 100 : -1),
      trueColourOrange: countNear(picture, trace, [255, 140, 0]) > 20,
      paletteBlue: countNear(picture, trace, [0, 95, 135]) > 200,
      header: countNear(picture, header, surface) > 0.6 * header.width * header.height,
    };
    expect(seen).toEqual({
      background: true,
      green: true,
      yellow: true,
      trueColourOrange: true,
      paletteBlue: true,
      header: true,
    });
    expect(screen.complaints).toEqual([]);
  });

  it('has nothing that is cut off at the side', async () => {
    await using screen = await openScreen(browser, { context: { viewport: { width, height }, colorScheme: scheme } });
    const { page } = screen;
    await page.getByText('error budget').waitFor();
    const cut = await page.evaluate(() =>
      [...document.querySelectorAll('#root *')]
        .filter((element) => element.closest('.trace-scroller, .sample, .visually-hidden, svg') === null)
        .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
        .map((element) => element.className),
    );
    const isWiderThanWindow = await page.evaluate(
      () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
    );
    expect({ cut, isWiderThanWindow }).toEqual({ cut: [], isWiderThanWindow: false });
  });
});

describe('the narrowest window', () => {
  it('fits into 360 pixels', async () => {
    await using screen = await openScreen(browser, { context: { viewport: { width: 360, height: 640 } } });
    await screen.page.getByText('error budget').waitFor();
    expect(await screen.page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  });
});

interface Pair {
  ink: string;
  paper: string;
  least: number;
}

/** What stands on what; 4.5 is what WCAG AA asks for text, 3 for the edges of controls. */
const text: Record<string, string[]> = {
  '--text': ['--canvas', '--surface', '--sunken', '--accent-soft', '--danger-soft', '--warning-soft'],
  '--muted': ['--canvas', '--surface', '--accent-soft', '--danger-soft', '--warning-soft'],
  '--accent': ['--accent-soft'],
  '--good': ['--good-soft'],
  '--info': ['--info-soft', '--surface'],
  '--warning': ['--warning-soft'],
  '--danger': ['--danger-soft', '--surface'],
};
const edges: Record<string, string[]> = {
  '--edge': ['--surface'],
  '--accent': ['--surface', '--canvas'],
  '--warning': ['--surface'],
};
const pairs: Pair[] = [...pairsOf(text, 4.5), ...pairsOf(edges, 3)];

function pairsOf(papersByInk: Record<string, string[]>, least: number): Pair[] {
  return Object.entries(papersByInk).flatMap(([ink, papers]) => papers.map((paper) => ({ ink, paper, least })));
}

describe.each(['light', 'dark'] as const)('colours in %s', (colorScheme) => {
  it('have the contrast that WCAG AA asks for', async () => {
    await using screen = await openScreen(browser, { context: { colorScheme } });
    const names = [...new Set(pairs.flatMap(({ ink, paper }) => [ink, paper]))];
    const values = await screen.page.evaluate((tokens) => {
      const probe = document.createElement('div');
      document.body.append(probe);
      return tokens.map((token) => {
        probe.style.color = `var(${token})`;
        return getComputedStyle(probe).color;
      });
    }, names);
    const colours = new Map(names.map((name, at) => [name, parseColour(values[at] ?? '')]));
    const low = pairs
      .map((pair) => ({ ...pair, is: contrastOf(colours, pair.ink, pair.paper) }))
      .filter(({ least, is }) => is < least);
    expect(low).toEqual([]);
  });
});

function parseColour(text: string): Rgb {
  const [red = 0, green = 0, blue = 0] = (text.match(/\d+/g) ?? []).map(Number);
  return [red, green, blue];
}

function contrastOf(colours: Map<string, Rgb>, ink: string, paper: string): number {
  const [one, other] = [colours.get(ink), colours.get(paper)];
  if (one === undefined || other === undefined) throw new Error(`No colour for ${ink} or ${paper}`);
  return Math.round(contrast(one, other) * 100) / 100;
}
