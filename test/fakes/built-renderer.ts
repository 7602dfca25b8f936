import { execFile } from 'node:child_process';
import { glob, rename, rm, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { writeStamp } from '../../electron/build-stamp.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The folder with the built renderer; built now if it is missing or older than its sources. */
export async function builtRenderer(): Promise<string> {
  const folder = `${root}dist/renderer`;
  const sources = await newest(['renderer/**/*', 'electron/contract/**/*', 'resources/icons/icon.svg', 'package.json']);
  if ((await changedAt(`${folder}/index.html`)) < sources) await buildRenderer();
  return folder;
}

/**
 * Builds in a process of its own, because a test runner says NODE_ENV=test, which would build React for development;
 * and aside, so that nobody who reads `dist` meets half a build.
 */
async function buildRenderer(): Promise<void> {
  const vite = `${root}node_modules/vite/bin/vite.js`;
  const aside = `${root}dist/.renderer-test-${process.pid}`;
  try {
    const options = ['--config', 'renderer/vite.config.ts', '--outDir', aside];
    const env = { ...process.env, NODE_ENV: 'production' };
    await promisify(execFile)(process.execPath, [vite, 'build', ...options], { cwd: root, env });
    await rm(`${root}dist/renderer`, { recursive: true, force: true });
    await rename(aside, `${root}dist/renderer`);
    // It is not what the full build left here: let that build it anew when its sources come back.
    writeStamp(root, 'renderer', 'built for a test');
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function newest(patterns: string[]): Promise<number> {
  let latest = 0;
  for await (const path of glob(patterns, { cwd: root })) latest = Math.max(latest, await changedAt(`${root}${path}`));
  return latest;
}

/** Milliseconds since 1970; 0 for what is not there or is a folder. */
async function changedAt(path: string): Promise<number> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() === true ? found.mtimeMs : 0;
}
