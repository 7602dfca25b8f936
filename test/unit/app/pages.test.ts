import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPageHandler, isPageUrl } from '../../../electron/app/pages.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

describe('createPageHandler', () => {
  let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
  let answer: ReturnType<typeof createPageHandler>;

  beforeAll(async () => {
    folder = await temporaryDirectory();
    const pages = join(folder.path, 'pages');
    await mkdir(join(pages, 'assets'), { recursive: true });
    await writeFile(join(pages, 'index.html'), '<title>Forrest Bench</title>');
    await writeFile(join(pages, 'assets/index-Ab_1.js'), 'export {};');
    await writeFile(join(pages, 'assets/index-Ab_1.js.map'), '{}');
    await writeFile(join(folder.path, 'secret.html'), 'secret');
    answer = createPageHandler(pages);
  });
  afterAll(() => folder[Symbol.asyncDispose]());

  const get = (url: string) => answer({ method: 'GET', url });

  it.each([
    ['app://bench/index.html', 'text/html; charset=utf-8', '<title>Forrest Bench</title>'],
    ['app://bench/index.html?v=1#top', 'text/html; charset=utf-8', '<title>Forrest Bench</title>'],
    ['app://bench/assets/index-Ab_1.js', 'text/javascript; charset=utf-8', 'export {};'],
  ])('answers %s', async (url, type, text) => {
    const response = await get(url);
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([200, type, text]);
  });

  it('allows scripts and styles from its own files, and everything else by name or not at all', async () => {
    const { headers } = await get('app://bench/index.html');
    expect(headers.get('content-security-policy')?.split('; ').sort()).toEqual([
      "base-uri 'none'",
      "default-src 'none'",
      "font-src 'self'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "img-src 'self'",
      "script-src 'self'",
      "style-src 'self'",
      "worker-src 'self'",
    ]);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it.each([
    'app://bench/',
    'app://bench/missing.html',
    'app://bench/assets',
    'app://bench/assets/index-Ab_1.js.map',
    'app://bench/../secret.html',
    'app://bench/%2e%2e/secret.html',
    'app://bench/..%2fsecret.html',
    'app://bench/assets//index-Ab_1.js',
    'app://bench/.hidden.html',
    'app://elsewhere/index.html',
    'https://bench/index.html',
    'no address',
  ])('has nothing at %s', async (url) => {
    expect((await get(url)).status).toBe(404);
  });

  it('answers nothing but GET', async () => {
    expect((await answer({ method: 'POST', url: 'app://bench/index.html' })).status).toBe(405);
  });
});

describe('isPageUrl', () => {
  it.each([
    ['app://bench/index.html', true],
    ['app://bench/', true],
    ['app://bench.elsewhere/index.html', false],
    ['https://bench/index.html', false],
    ['data:text/html,app://bench/', false],
    ['about:blank', false],
    ['', false],
  ])('%s: %s', (url, expected) => {
    expect(isPageUrl(url)).toBe(expected);
  });
});
