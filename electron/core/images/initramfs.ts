import { join } from 'node:path';
import type { PlatformDeps } from '../platform/deps.ts';
import { type CpioEntry, cpioArchive } from './cpio.ts';
import type { Recipe, RecipeFile } from './recipe.ts';

/** Which drivers the guest loads, from the file `bench/drivers` that its init reads too. */
export interface GuestDrivers {
  /** Before anything else, in any image. */
  early: readonly string[];
  /** Once the runner is started. */
  later: readonly string[];
}

export function guestDrivers(common: readonly RecipeFile[]): GuestDrivers {
  const early = new Set<string>();
  const later = new Set<string>();
  const text = common.find((file) => file.path === 'bench/drivers')?.bytes ?? new Uint8Array();
  for (const line of Buffer.from(text).toString().split('\n')) {
    const [when, ...modules] = line.split(' ').filter((word) => word !== '');
    for (const module of modules) (when === 'later' ? later : early).add(module);
  }
  return { early: [...early], later: [...later] };
}

/**
 * The first file system of a machine: busybox, drivers, and everything of ours that runs in it, under `/bench`. An
 * image with a root disk copies `/bench` into it at each boot, so the disk itself stays plain Debian.
 * @param kernelDirectory A kernel part's folder.
 */
export async function makeInitramfs(
  { files }: Pick<PlatformDeps, 'files'>,
  recipe: Recipe,
  kernelDirectory: string,
): Promise<Uint8Array> {
  const entries: CpioEntry[] = ['bin', 'dev', 'proc', 'sys', 'newroot', 'modules', 'bench', 'bench/modules'].map(
    (path) => ({ kind: 'directory', path, mode: 0o755 }),
  );
  const read = (path: string) => files.readRange(join(kernelDirectory, path), 0, 64 * 1024 * 1024);
  const add = (path: string, bytes: Uint8Array, mode = 0o644) => entries.push({ kind: 'file', path, mode, bytes });

  add('bin/busybox', await read('busybox'), 0o755);
  entries.push({ kind: 'link', path: 'bin/sh', target: 'busybox' });
  const available = new Set(await files.list(join(kernelDirectory, 'drivers')));
  const drivers = guestDrivers(recipe.common);
  for (const [folder, names] of [
    ['modules', drivers.early],
    ['bench/modules', drivers.later],
  ] as const) {
    // One that is not there is built into the kernel; loading it is then skipped.
    for (const file of names.map((name) => `${name}.ko`).filter((name) => available.has(name))) {
      add(`${folder}/${file}`, await read(`drivers/${file}`));
    }
  }
  addTree(entries, recipe.common);
  addTree(entries, recipe.own);
  add('bench/image', Buffer.from(imageFacts(recipe)));
  add('bench/runner-info.json', Buffer.from(JSON.stringify(recipe.runner)));
  return cpioArchive(entries);
}

/** Of a recipe's files, those in the machine: `init` and all below `bench`. */
function addTree(entries: CpioEntry[], files: readonly RecipeFile[]): void {
  const known = new Set(entries.map((entry) => entry.path));
  for (const { path, bytes } of files) {
    if (path !== 'init' && !path.startsWith('bench/')) continue;
    const folders = path.split('/').slice(0, -1);
    for (let depth = 1; depth <= folders.length; depth += 1) {
      const folder = folders.slice(0, depth).join('/');
      if (!known.has(folder)) entries.push({ kind: 'directory', path: folder, mode: 0o755 });
      known.add(folder);
    }
    entries.push({ kind: 'file', path, mode: path === 'init' ? 0o755 : 0o644, bytes });
  }
}

/** What the scripts in the guest are told of their image, as assignments for a shell. */
function imageFacts(recipe: Recipe): string {
  return `BENCH_IMAGE='${recipe.name}'\nBENCH_ROOT='${recipe.rootDisk === null ? 'memory' : 'disk'}'\n`;
}
