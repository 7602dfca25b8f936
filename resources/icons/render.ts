/** Renders the drawings beside it into PNGs, with Chromium: `node resources/icons/render.ts`. Run after changing one. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { chromiumFlags, chromiumPath } from '../../test/fakes/chromium-flags.ts';

/** Edges in pixels. The packaging tool takes a set of `<edge>x<edge>.png` as it is. */
const iconEdges = [16, 22, 24, 32, 48, 64, 128, 256, 512];
const trayEdges = [16, 22, 24, 32, 48];
/** Electron takes it by itself where the screen has two pixels for one. */
const doubled = { edgePx: 44, suffix: '22@2x' };
const trayLooks = ['lending', 'running', 'problem', 'off'];

async function render(page: Page, drawing: string, edgePx: number, file: string): Promise<void> {
  const svg = await readFile(join(import.meta.dirname, drawing), 'utf8');
  await page.setViewportSize({ width: edgePx, height: edgePx });
  await page.setContent(`<style>body { margin: 0 } svg { display: block; width: 100vw; height: 100vh }</style>${svg}`);
  await writeFile(join(import.meta.dirname, file), await page.screenshot({ omitBackground: true }));
}

const browser = await chromium.launch({ executablePath: chromiumPath, args: [...chromiumFlags] });
try {
  const page = await browser.newPage();
  for (const edge of iconEdges) await render(page, 'icon.svg', edge, `${edge}x${edge}.png`);
  await render(page, 'icon.svg', 256, 'icon-256.png');
  for (const look of trayLooks) {
    for (const edge of trayEdges) await render(page, `tray-${look}.svg`, edge, `tray-${look}-${edge}.png`);
    await render(page, `tray-${look}.svg`, doubled.edgePx, `tray-${look}-${doubled.suffix}.png`);
  }
} finally {
  await browser.close();
}
