import { readFile } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import type { CustomScheme } from 'electron';

/** The page of the window; `app:` is a scheme of our own, so it is no `file:` and has an origin. */
export const pageScheme = 'app';
export const pageHost = 'bench';
export const pageUrl = `${pageScheme}://${pageHost}/index.html`;

/** To be registered before the app is ready. */
export const pageSchemes: CustomScheme[] = [
  { scheme: pageScheme, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
];

/** Whether a frame's address is one of our pages. */
export function isPageUrl(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed !== null && parsed.protocol === `${pageScheme}:` && parsed.host === pageHost;
}

/** Nothing but what is listed; scripts only from our own files, never inline. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const typesByExtension: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

const segment = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** Answers requests for `app://bench/...` with the files of one folder. */
export function createPageHandler(folder: string): (request: { method: string; url: string }) => Promise<Response> {
  return async ({ method, url }) => {
    if (method !== 'GET') return refusal(405);
    const path = isPageUrl(url) ? filePath(folder, new URL(url).pathname) : undefined;
    const type = path === undefined ? undefined : typesByExtension[extname(path)];
    if (path === undefined || type === undefined) return refusal(404);
    try {
      const body = await readFile(path);
      return new Response(new Uint8Array(body), { headers: { ...guards, 'Content-Type': type } });
    } catch {
      return refusal(404);
    }
  };
}

/** @returns undefined for a path that leaves the folder or has characters none of our files has. */
function filePath(folder: string, pathname: string): string | undefined {
  const segments = pathname.split('/').slice(1);
  if (segments.length === 0 || !segments.every((name) => segment.test(name))) return undefined;
  const path = join(folder, ...segments);
  return relative(folder, path).startsWith('..') ? undefined : path;
}

const guards = {
  'Content-Security-Policy': contentSecurityPolicy,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  // Files change only with the program, and a new version must not meet pages of the old one.
  'Cache-Control': 'no-store',
};

function refusal(status: 404 | 405): Response {
  return new Response(null, { status, headers: guards });
}
