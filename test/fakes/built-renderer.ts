import { glob, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The folder with the built renderer; built now if it is missing or older than its sources. */
export async function builtRenderer(): Promise<string> {
  const folder = `${root}dist/renderer`;
  const sources = await newest(['renderer/**/*', 'electron/contract/**/*', 'resources/icons/icon.svg', 'package.json']);
  const built = await changedAt(`${folder}/index.html`);
  if (built < sources) await build({ configFile: `${root}renderer/vite.config.ts`, logLevel: 'warn' });
  return folder;
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
