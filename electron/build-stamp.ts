import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const stampsSchema = z.record(z.string(), z.string());

/** Hash of the sources each bundle was last built from, by its name. */
export function readStamps(root: string): Record<string, string> {
  try {
    return stampsSchema.parse(JSON.parse(readFileSync(stampPath(root), 'utf8')));
  } catch {
    return {}; // none yet, or not ours: everything is stale
  }
}

export function writeStamp(root: string, name: string, hash: string): void {
  const path = stampPath(root);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify({ ...readStamps(root), [name]: hash }));
}

/**
 * Hash of the names and bytes of all files in `sources`, and of the Node that builds.
 * @param sources Files and folders, relative to `root`.
 */
export function sourceHash(root: string, sources: readonly string[]): string {
  const hash = createHash('sha256').update(process.version);
  for (const source of sources) {
    for (const path of filesBelow(join(root, source))) {
      hash.update(`\0${path.slice(root.length)}\0`).update(readFileSync(path));
    }
  }
  return hash.digest('hex');
}

function filesBelow(path: string): string[] {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function stampPath(root: string): string {
  return join(root, 'node_modules', '.cache', 'forrest-bench', 'build.json');
}
