import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { HeadlessError } from './headless-error.ts';

/** A file as it is answered. */
export interface StaticFile {
  bytes: Uint8Array;
  type: string;
  etag: string;
  cacheControl: string;
}

const typesByExtension: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};
const fileLimit = 500;
const totalLimitBytes = 64 * 1024 * 1024;

/**
 * Reads the built renderer into memory: what is answered is what was there at the start, by its exact path, and no
 * request reaches the file system. Files of other kinds (source maps, for instance) are left out.
 * @returns Files by URL path; `/` is `index.html`.
 * @throws HeadlessError `headless/renderer-missing`.
 */
export async function readStaticFiles(directory: string): Promise<ReadonlyMap<string, StaticFile>> {
  const filesByPath = new Map<string, StaticFile>();
  let totalBytes = 0;
  for (const path of await plainFilesBelow(directory)) {
    const type = typesByExtension[extname(path)];
    if (type === undefined) continue;
    totalBytes += (await stat(path)).size;
    if (filesByPath.size >= fileLimit || totalBytes > totalLimitBytes) throw missing(directory, 'holds too much');
    const bytes = await readFile(path);
    const urlPath = `/${relative(directory, path).split(sep).join('/')}`;
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    filesByPath.set(urlPath, { bytes, type, etag, cacheControl: cacheControlOf(urlPath) });
  }
  const index = filesByPath.get('/index.html');
  if (index === undefined) throw missing(directory, 'has no index.html');
  return filesByPath.set('/', index);
}

function cacheControlOf(urlPath: string): string {
  if (urlPath === '/index.html') return 'no-store';
  // Vite puts a hash of the content into these names. Private: they were answered to somebody with a token.
  const isNamedByContent = /^\/assets\/.*-[\w-]{8}\.\w+$/.test(urlPath);
  return isNamedByContent ? 'private, max-age=31536000, immutable' : 'private, no-cache';
}

async function plainFilesBelow(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    // Symbolic links are neither files nor folders here, so nothing outside of the folder is served.
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch (cause) {
    throw missing(directory, 'cannot be read', cause);
  }
}

function missing(directory: string, what: string, cause?: unknown): HeadlessError {
  return new HeadlessError('headless/renderer-missing', `The folder of the interface ${what}: ${directory}`, {
    remedy: 'Build the interface with: npm run build',
    cause,
  });
}
