import { isAbsolute, join } from 'node:path';
import type { Files } from '../platform/files.ts';

/** @param env Usually `process.env`; only `PATH` is read. */
export interface ProgramSearch {
  env: Readonly<Record<string, string | undefined>>;
  /** Where the owner says it is; then nothing else is tried. Absolute. */
  path?: string;
}

/**
 * Looks for a program as a shell would, then at well-known places that are in nobody's PATH. Parts of PATH that are
 * not absolute are passed over: what runs must not depend on the folder we were started in.
 * @returns Its absolute path, or undefined.
 */
export async function findProgram(
  files: Pick<Files, 'isExecutable'>,
  names: readonly string[],
  search: ProgramSearch,
  wellKnownPaths: readonly string[] = [],
): Promise<string | undefined> {
  if (search.path !== undefined) return (await files.isExecutable(search.path)) ? search.path : undefined;
  const folders = (search.env['PATH'] ?? '').split(':').filter((folder) => isAbsolute(folder));
  const candidates = [...names.flatMap((name) => folders.map((folder) => join(folder, name))), ...wellKnownPaths];
  for (const candidate of candidates) {
    if (await files.isExecutable(candidate)) return candidate;
  }
  return undefined;
}

/** How to install a program on the distributions we know, as one sentence. */
export function installRemedy(packages: { apt: string; dnf: string; pacman: string }): string {
  const { apt, dnf, pacman } = packages;
  return `Install it: "sudo apt install ${apt}" (Debian, Ubuntu), "sudo dnf install ${dnf}" (Fedora, RHEL) or "sudo pacman -S ${pacman}" (Arch).`;
}
