import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/** A folder that holds an Electron executable, and whether it is the real one. */
export interface ElectronDist {
  kind: 'electron' | 'double';
  directory: string;
  executablePath: string;
}

const doubleDirectory = join(root, 'test/fakes/electron/dist');

/** The double: always there, as long as Chromium is. */
export const electronDouble: ElectronDist = {
  kind: 'double',
  directory: doubleDirectory,
  executablePath: join(doubleDirectory, 'electron'),
};

/**
 * The real Electron, where it was downloaded. Not asked by `require('electron')`, which would start the download.
 * @returns undefined where there is none.
 */
export function realElectron(): ElectronDist | undefined {
  const folder = join(root, 'node_modules/electron');
  const pathFile = join(folder, 'path.txt');
  const name = existsSync(pathFile) ? readFileSync(pathFile, 'utf8') : 'electron';
  const directories = [process.env['ELECTRON_OVERRIDE_DIST_PATH'], join(folder, 'dist')];
  for (const directory of directories) {
    if (directory === undefined || directory === doubleDirectory) continue;
    const executablePath = join(directory, name);
    if (existsSync(executablePath)) return { kind: 'electron', directory, executablePath };
  }
  return undefined;
}

/** What the specs run on: `FORREST_BENCH_ELECTRON=electron` asks for the real one. */
export function chosenElectron(): ElectronDist | undefined {
  return process.env['FORREST_BENCH_ELECTRON'] === 'electron' ? realElectron() : electronDouble;
}
