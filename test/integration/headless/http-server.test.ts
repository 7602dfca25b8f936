import { once } from 'node:events';
import { mkdir, symlink } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../electron/core/platform/clock.ts';
import { silentLog } from '../../../electron/core/platform/log.ts';
import { serveHeadless } from '../../../electron/headless/http-server.ts';
import { FakeBench } from '../../fakes/fake-bench.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { accessToken, aRenderer, servedBench } from './served-bench.ts';

const deps = { clock: systemClock, log: silentLog };

describe('the pages of the interface', () => {
  it('are the index, never kept by a browser, with a policy that allows nothing from elsewhere', async () => {
    await using served = await servedBench();
    for (const path of ['/', '/index.html']) {
      const response = await served.get(path);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe('<!doctype html><title>bench</title>');
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'content-security-policy':
          "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
    }
  });

  it.each([
    ['/assets/index-AbCd1234.js', 'text/javascript; charset=utf-8', 'private, max-age=31536000, immutable'],
    ['/assets/index-AbCd1234.css', 'text/css; charset=utf-8', 'private, max-age=31536000, immutable'],
    ['/favicon.svg', 'image/svg+xml', 'private, no-cache'],
  ])('have %s as %s, kept as %s', async (path, type, caching) => {
    await using served = await servedBench();
    const response = await served.get(path);
    expect([response.status, response.headers.get('content-type'), response.headers.get('cache-control')]).toEqual([
      200,
      type,
      caching,
    ]);
  });

  it('are not sent again to who has them', async () => {
    await using served = await servedBench();
    const first = await served.get('/favicon.svg');
    const again = await served.get('/favicon.svg', { 'if-none-match': first.headers.get('etag') ?? '' });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  it('are answered to HEAD without a body', async () => {
    await using served = await servedBench();
    const headers = { authorization: `Bearer ${accessToken}` };
    const response = await fetch(`${served.origin}/`, { method: 'HEAD', headers });
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([200, '35', '']);
  });

  it('are nothing but what was built, whatever the path', async () => {
    await using served = await servedBench();
    const paths = [
      '/secret.html',
      '/../secret.html',
      '/..%2fsecret.html',
      '/%2e%2e/secret.html',
      '/assets/../../secret.html',
      '/assets/..%5c..%5csecret.html',
      '//secret.html',
      '/assets',
      '/assets/',
      '/assets/index-AbCd1234.js.map',
      '/index.html%00',
      '/constructor',
      '/etc/passwd',
      '/%zz',
    ];
    for (const path of paths) {
      // A raw request: fetch would tidy the path up.
      expect([path, (await raw(served.server.port, `GET ${path} HTTP/1.1`)).split(' ')[1]]).toEqual([path, '404']);
    }
  });

  it('do not follow symbolic links out of the folder', async () => {
    await using folder = await temporaryDirectory();
    const rendererDirectory = await aRenderer(folder.path);
    await symlink(join(folder.path, 'secret.html'), join(rendererDirectory, 'linked.html'));
    await using bench = new FakeBench();
    await using server = await serveHeadless(deps, {
      handlers: bench.handlers,
      rendererDirectory,
      accessToken,
      host: '127.0.0.1',
      port: 0,
    });
    expect((await raw(server.port, 'GET /linked.html HTTP/1.1')).split(' ')[1]).toBe('404');
  });
});

describe('the door of the interface', () => {
  it('opens with the address, then with the cookie, and keeps the token out of the address bar', async () => {
    await using served = await servedBench();
    const login = await fetch(served.server.url, { redirect: 'manual' });
    expect([login.status, login.headers.get('location'), login.headers.get('cache-control')]).toEqual([
      303,
      '/',
      'no-store',
    ]);
    const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
    expect((await fetch(`${served.origin}/`, { headers: { cookie } })).status).toBe(200);
  });

  it('says in plain text how to get the address', async () => {
    await using served = await servedBench();
    const response = await fetch(`${served.origin}/`);
    expect([response.status, response.headers.get('content-type')]).toEqual([401, 'text/plain; charset=utf-8']);
    expect(await response.text()).toContain('forrest-bench address');
  });

  it('is shut for other pages and other names, also with the token', async () => {
    await using served = await servedBench();
    expect((await served.get('/', { origin: 'http://evil.example' })).status).toBe(403);
    const named = await raw(served.server.port, 'GET / HTTP/1.1', 'evil.example');
    expect(named.split(' ')[1]).toBe('403');
  });

  it('takes no other method', async () => {
    await using served = await servedBench();
    const headers = { authorization: `Bearer ${accessToken}` };
    const response = await fetch(`${served.origin}/`, { method: 'POST', headers, body: 'x' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

describe('starting to serve', () => {
  it('says that a port is taken and what to do', async () => {
    await using served = await servedBench();
    await using folder = await temporaryDirectory();
    const starting = serveHeadless(deps, {
      handlers: served.bench.handlers,
      rendererDirectory: await aRenderer(folder.path),
      accessToken,
      host: '127.0.0.1',
      port: served.server.port,
    });
    await expect(starting).rejects.toMatchObject({
      code: 'headless/port-taken',
      remedy: 'Choose another one with --port N, or --port 0 for any that is free.',
    });
  });

  it('listens on loopback and nowhere else', async () => {
    await using served = await servedBench();
    // The whole of 127/8 is loopback, and only one address of it is ours.
    const elsewhere = createServer();
    elsewhere.listen(served.server.port, '127.0.0.2');
    await once(elsewhere, 'listening');
    elsewhere.close();
    await once(elsewhere, 'close');
  });

  it('refuses a folder without a renderer', async () => {
    await using folder = await temporaryDirectory();
    await using bench = new FakeBench();
    const empty = join(folder.path, 'empty');
    await mkdir(empty);
    for (const rendererDirectory of [empty, join(folder.path, 'missing')]) {
      const starting = serveHeadless(deps, {
        handlers: bench.handlers,
        rendererDirectory,
        accessToken,
        host: '127.0.0.1',
        port: 0,
      });
      await expect(starting).rejects.toMatchObject({ code: 'headless/renderer-missing' });
    }
  });
});

/** Sends a request line as it is, and reads the whole answer. */
async function raw(port: number, requestLine: string, host = `127.0.0.1:${port}`): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${requestLine}\r\nHost: ${host}\r\nAuthorization: Bearer ${accessToken}\r\nConnection: close\r\n\r\n`);
  return await readText(socket);
}
