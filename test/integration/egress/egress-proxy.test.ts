import { once } from 'node:events';
import { rename } from 'node:fs/promises';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import type { EgressOptions } from '../../../electron/core/vm/egress/egress-proxy.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { aProxy, aTcpServer, aWebServer, ended } from './guest.ts';

/** Stands for the internet: one address of loopback that is taken for public, while all others stay closed. */
const internet = '127.0.0.2';
const isAllowedAddress = (address: string) => address === internet;
const names: Record<string, string[]> = {
  'example.com': [internet],
  'lan.example': ['192.168.1.5'],
  'loop.example': ['127.0.0.1'],
  'loop6.example': ['::1'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'meta.example': ['169.254.169.254'],
  'both.example': ['127.0.0.1', internet],
};
const resolve = async (host: string) => {
  const addresses = names[host];
  if (addresses === undefined) throw new Error('ENOTFOUND');
  return addresses;
};
const open: Partial<EgressOptions> = { resolve, isAllowedAddress };

/** Sends back what it gets, and ends when the other side does. */
const anEcho = (host = internet) => aTcpServer((socket) => socket.pipe(socket), host);

describe('the closed doors', () => {
  const own = Object.values(networkInterfaces()).flatMap((infos) => infos ?? []);
  const literals = [
    ...['127.0.0.1', '127.1', '2130706433', '0x7f000001', '0x7f.1', '017700000001', '0177.0.0.1', '0.0.0.0', '0'],
    ...['[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]', '[64:ff9b::127.0.0.1]'],
    ...['[2002:7f00:1::]', '[2001:0:7f00:1::]', '[fec0::2]', '[fe80::1]', '[fd00::1]', '[ff02::1]'],
    ...['10.0.0.1', '10.0.2.2', '172.16.0.1', '192.168.1.1', '100.64.0.1', '169.254.169.254', '255.255.255.255'],
    ...['localhost', 'LOCALHOST.', 'foo.localhost', 'printer.local', 'metadata.google.internal', 'loc%61lhost'],
    ...['lan.example', 'loop.example', 'loop6.example', 'mapped.example', 'meta.example', 'nothing.example'],
    ...own.map(({ address, family }) => (family === 'IPv6' ? `[${address}]` : address)),
  ];

  it.each([...new Set(literals)])(
    'refuse %s, by tunnel and by request, and what stands there notices nothing',
    async (host) => {
      await using victim = await aTcpServer(() => {}, '127.0.0.1');
      // Where this PC has no IPv6, a second one of IPv4 stands in.
      await using victim6 = await aTcpServer(
        () => {},
        own.some(({ address }) => address === '::1') ? '::1' : '127.0.0.1',
      );
      // The decision is the real one; only the names are told.
      await using guest = await aProxy({ resolve });
      for (const port of [victim.port, victim6.port]) {
        const tunnel = await guest.ask(`CONNECT ${host}:${port} HTTP/1.1\r\nHost: x`);
        const request = await guest.ask(`GET http://${host}:${port}/ HTTP/1.1\r\nHost: x`);
        for (const answer of [tunnel, request]) {
          expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
          expect(answer).toMatch(/(is not a public address\.|has no public address\. What else .*)\n/);
        }
      }
      expect([victim.connectionCount(), victim6.connectionCount()]).toEqual([0, 0]);
      expect(guest.events.map((event) => event.kind)).toEqual(['refused', 'refused', 'refused', 'refused']);
    },
  );

  it('say the same of a private name and of one that does not exist', async () => {
    await using guest = await aProxy({ resolve });
    const answers = await Promise.all(
      ['lan.example', 'nothing.example'].map(async (host) => {
        const answer = await guest.ask(`CONNECT ${host}:443 HTTP/1.1\r\nHost: x`);
        return answer.replaceAll(host, 'NAME').replace(/Content-Length: \d+/, '');
      }),
    );
    expect(answers[0]).toBe(answers[1]);
  });

  it('stay closed for a name that answers otherwise the second time', async () => {
    await using victim = await anEcho('127.0.0.1');
    await using server = await anEcho();
    const answers = [[internet], ['127.0.0.1']];
    const rebinding = vi.fn(async () => answers.shift() ?? ['127.0.0.1']);
    await using guest = await aProxy({ isAllowedAddress, resolve: rebinding });
    const { status, socket } = await guest.tunnel(`rebind.example:${server.port}`);
    socket.end('hello');
    expect([status, await text(socket)]).toEqual([200, 'hello']);
    expect(rebinding).toHaveBeenCalledOnce();
    expect([server.connectionCount(), victim.connectionCount()]).toEqual([1, 0]);
    expect((await guest.tunnel(`rebind.example:${server.port}`)).status).toBe(403);
    expect(victim.connectionCount()).toBe(0);
  });

  it('are left out where a name has open ones too', async () => {
    await using server = await anEcho();
    await using guest = await aProxy(open);
    const { status, socket } = await guest.tunnel(`both.example:${server.port}`);
    socket.end();
    expect(status).toBe(200);
    expect(guest.events[0]).toEqual({ kind: 'opened', host: 'both.example', port: server.port, address: internet });
  });

  it('include port 25 of everybody', async () => {
    await using guest = await aProxy(open);
    const answer = await guest.ask('CONNECT example.com:25 HTTP/1.1\r\nHost: x');
    expect(answer).toContain('403 Forbidden');
    expect(answer).toContain('Port 25 is closed for machines of this bench.\n');
    expect(guest.events).toEqual([
      { kind: 'refused', host: 'example.com', port: 25, why: 'Port 25 is closed for machines of this bench.' },
    ]);
  });

  it('open by exception for exactly one address and port', async () => {
    await using server = await anEcho('127.0.0.1');
    await using other = await anEcho('127.0.0.1');
    await using guest = await aProxy({ resolve, exceptions: [{ host: '127.0.0.1', port: server.port }] });
    expect((await guest.tunnel(`127.0.0.1:${server.port}`)).status).toBe(200);
    expect((await guest.tunnel(`127.0.0.1:${other.port}`)).status).toBe(403);
    expect((await guest.tunnel(`127.0.0.3:${server.port}`)).status).toBe(403);
  });
});

describe('a tunnel', () => {
  it('passes bytes both ways, ends each way by itself, and counts', async () => {
    await using server = await anEcho();
    await using guest = await aProxy(open);
    const { status, socket } = await guest.tunnel(`example.com:${server.port}`);
    const bytes = Buffer.alloc(3 * 1024 * 1024, 'x');
    socket.end(bytes);
    expect(status).toBe(200);
    expect((await buffer(socket)).equals(bytes)).toBe(true);
    await vi.waitFor(() => expect(guest.events).toHaveLength(2));
    const where = { host: 'example.com', port: server.port };
    expect(guest.events).toEqual([
      { kind: 'opened', ...where, address: internet },
      { kind: 'closed', ...where, sentBytes: bytes.length, receivedBytes: bytes.length },
    ]);
  });

  it('loses nothing of what was sent together with the CONNECT', async () => {
    await using server = await anEcho();
    await using guest = await aProxy(open);
    const socket = guest.dial();
    socket.end(`CONNECT example.com:${server.port} HTTP/1.1\r\nHost: x\r\n\r\nearly`);
    expect(await text(socket)).toBe('HTTP/1.1 200 Connection established\r\n\r\nearly');
  });

  it('lets the other side talk on after the guest has ended', async () => {
    await using server = await aTcpServer((socket) => {
      socket.resume().once('end', () => socket.end('answer after the end'));
    }, internet);
    await using guest = await aProxy(open);
    const { socket } = await guest.tunnel(`example.com:${server.port}`);
    socket.end('question');
    expect(await text(socket)).toBe('answer after the end');
  });

  it('holds a quick sender back while the receiver does not read', async () => {
    let sentBytes = 0;
    const chunk = Buffer.alloc(64 * 1024);
    await using server = await aTcpServer((socket) => {
      const pour = () => {
        while (sentBytes < 256 * 1024 * 1024) {
          sentBytes += chunk.length;
          if (!socket.write(chunk)) return;
        }
      };
      socket.on('drain', pour);
      pour();
    }, internet);
    await using guest = await aProxy(open);
    const { socket } = await guest.tunnel(`example.com:${server.port}`);
    socket.pause();
    let before = -1;
    // Full when nothing more is taken between two looks.
    await vi.waitFor(
      () => {
        const isStill = before === sentBytes;
        before = sentBytes;
        expect(isStill).toBe(true);
      },
      { interval: 200, timeout: 10_000 },
    );
    expect(sentBytes).toBeLessThan(32 * 1024 * 1024);
  });

  it('carries ssh to port 22 as it carries anything', async () => {
    await using guest = await aProxy({ resolve, isAllowedAddress: (address) => address === internet });
    // Nothing listens there: it was tried, and not refused.
    expect(await guest.ask('CONNECT example.com:22 HTTP/1.1\r\nHost: x')).toMatch(/^HTTP\/1\.1 502 Bad Gateway/);
  });

  it('says 502 where nobody answers', async () => {
    const server = await anEcho();
    await server[Symbol.asyncDispose]();
    await using guest = await aProxy(open);
    const answer = await guest.ask(`CONNECT example.com:${server.port} HTTP/1.1\r\nHost: x`);
    expect(answer).toMatch(/^HTTP\/1\.1 502 Bad Gateway/);
    expect(answer).toContain(`example.com cannot be reached on port ${server.port} (ECONNREFUSED).\n`);
  });

  it('tries the next address where the first does not answer', async () => {
    await using server = await anEcho();
    const twoAddresses = async () => ['127.0.0.3', internet];
    await using guest = await aProxy({ resolve: twoAddresses, isAllowedAddress: () => true });
    expect((await guest.tunnel(`example.com:${server.port}`)).status).toBe(200);
  });

  it('ends when it moves no byte for as long as the limit says, and not while it does', async () => {
    const clock = new FakeClock();
    await using server = await anEcho();
    await using guest = await aProxy({ ...open, limits: { idleMs: 60_000 } }, clock);
    const { socket } = await guest.tunnel(`example.com:${server.port}`);
    for (let minute = 0; minute < 3; minute += 1) {
      await clock.advance(45_000);
      socket.write('ping');
      await once(socket, 'data');
    }
    const isClosed = ended(socket);
    await clock.advance(75_000);
    await isClosed;
    expect(guest.events.map((event) => event.kind)).toEqual(['opened', 'closed']);
    expect(clock.pendingCount).toBe(0);
  });

  it('is torn down on both sides when either breaks', async () => {
    await using server = await aTcpServer((socket) => socket.once('data', () => socket.resetAndDestroy()), internet);
    await using guest = await aProxy(open);
    const first = await guest.tunnel(`example.com:${server.port}`);
    first.socket.write('x');
    await ended(first.socket);
    const gone = Promise.withResolvers<void>();
    await using other = await aTcpServer((socket) => {
      socket.resume().once('end', () => gone.resolve());
    }, internet);
    const second = await guest.tunnel(`example.com:${other.port}`);
    second.socket.destroy();
    await gone.promise;
  });

  it('is destroyed with the machine', async () => {
    await using server = await anEcho();
    await using guest = await aProxy(open);
    const { socket } = await guest.tunnel(`example.com:${server.port}`);
    const isClosed = ended(socket);
    await guest.proxy[Symbol.asyncDispose]();
    await isClosed;
    await vi.waitFor(() => expect(guest.events.map((event) => event.kind)).toEqual(['opened', 'closed']));
    await guest.proxy[Symbol.asyncDispose]();
  });
});

describe('a request by an http:// address', () => {
  it('goes out with its own Host and without what concerns the proxy, and its answer comes back', async () => {
    let seen: unknown;
    await using server = await aWebServer((request, response) => {
      const { method, url, rawHeaders } = request;
      seen = { method, url, rawHeaders };
      response.writeHead(201, 'Made', ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Other', 'y']);
      request.pipe(response);
    }, internet);
    await using guest = await aProxy(open);
    const head = [
      `POST http://kim:secret@example.com:${server.port}/a%20b?c HTTP/1.1`,
      'Host: evil.example',
      'Proxy-Connection: keep-alive',
      'Proxy-Authorization: Basic eA==',
      'Content-Length: 5',
      'Connection: close',
    ];
    const answer = await guest.ask(`${head.join('\r\n')}\r\n\r\nhello`);
    expect(seen).toEqual({
      method: 'POST',
      url: '/a%20b?c',
      rawHeaders: ['Host', `example.com:${server.port}`, 'Content-Length', '5', 'Connection', 'close'],
    });
    expect(answer).toMatch(/^HTTP\/1\.1 201 Made\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Other: y\r\n/);
    expect(answer).toContain('hello');
  });

  it('carries a body of unknown length, and one connection carries several requests', async () => {
    await using server = await aWebServer((request, response) => request.pipe(response), internet);
    await using guest = await aProxy(open);
    const chunked = [
      `PUT http://example.com:${server.port}/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`,
      '3\r\nabc\r\n0\r\n\r\n',
      `GET http://example.com:${server.port}/2 HTTP/1.1\r\nHost: x\r\nConnection: close`,
    ];
    const answer = await guest.ask(chunked.join(''));
    expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    expect(answer).toContain('\r\n3\r\nabc\r\n');
  });

  it('breaks off where the answer breaks off', async () => {
    await using server = await aTcpServer((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'));
    }, internet);
    await using guest = await aProxy(open);
    const socket = guest.dial();
    socket.write(`GET http://example.com:${server.port}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
    const answer = await text(socket).catch(() => 'broken off');
    expect(answer.endsWith('half') || answer === 'broken off').toBe(true);
    expect(answer).not.toContain('\r\n0\r\n');
  });

  it('says 502 where the server hangs up without an answer', async () => {
    await using server = await aTcpServer((socket) => socket.once('data', () => socket.destroy()), internet);
    await using guest = await aProxy(open);
    const answer = await guest.ask(`GET http://example.com:${server.port}/ HTTP/1.1\r\nHost: x`);
    expect(answer).toMatch(/^HTTP\/1\.1 502 Bad Gateway/);
    expect(answer).toContain('example.com closed the connection without an answer.');
  });

  it('ends outside when the guest is gone', async () => {
    const isGone = Promise.withResolvers<void>();
    await using server = await aWebServer((request) => request.once('close', () => isGone.resolve()), internet);
    await using guest = await aProxy(open);
    const socket = guest.dial();
    socket.write(`GET http://example.com:${server.port}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
    await vi.waitFor(() => expect(server.connectionCount()).toBe(1));
    socket.destroy();
    await isGone.promise;
  });
});

describe('what is no request for a proxy', () => {
  it.each([
    ['a path', 'GET / HTTP/1.1\r\nHost: example.com'],
    ['an https address', 'GET https://example.com/ HTTP/1.1\r\nHost: x'],
    ['a CONNECT without a port', 'CONNECT example.com HTTP/1.1\r\nHost: x'],
    ['a CONNECT to nowhere', 'CONNECT :443 HTTP/1.1\r\nHost: x'],
    ['no HTTP at all', 'hello'],
  ])('is answered with 400: %s', async (_what, head) => {
    await using guest = await aProxy(open);
    expect(await guest.ask(head)).toMatch(/^HTTP\/1\.1 400 /);
    expect(guest.events).toEqual([]);
  });

  it('is answered with 431 where its headers have no end', async () => {
    await using guest = await aProxy({ ...open, limits: { maxHeaderBytes: 4096 } });
    const answer = await guest.ask(`GET http://example.com/ HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(8192)}`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  });
});

describe('the limit of connections', () => {
  it('refuses one too many in words, and takes it when another has ended', async () => {
    await using server = await anEcho();
    await using guest = await aProxy({ ...open, limits: { maxConnections: 2 } });
    const authority = `example.com:${server.port}`;
    const [first] = [await guest.tunnel(authority), await guest.tunnel(authority)];
    const answer = await guest.ask(`CONNECT ${authority} HTTP/1.1\r\nHost: x`);
    expect(answer).toMatch(/^HTTP\/1\.1 503 Service Unavailable/);
    expect(answer).toContain('This machine has 2 connections open already.');
    first.socket.destroy();
    await vi.waitFor(() => expect(guest.events.at(-1)?.kind).toBe('closed'));
    expect((await guest.tunnel(authority)).status).toBe(200);
  });

  it('counts connections that are not made yet', async () => {
    const gate = Promise.withResolvers<string[]>();
    await using guest = await aProxy({ resolve: () => gate.promise, isAllowedAddress, limits: { maxConnections: 1 } });
    const first = guest.ask('CONNECT slow.example:443 HTTP/1.1\r\nHost: x');
    await vi.waitFor(async () => {
      expect(await guest.ask('CONNECT slow.example:443 HTTP/1.1\r\nHost: x')).toContain('503');
    });
    gate.resolve([]);
    expect(await first).toContain('403');
  });
});

describe('the socket of a proxy', () => {
  it('may be left from a process that is gone', async () => {
    await using folder = await temporaryDirectory();
    const socketPath = join(folder.path, 'e');
    const dead = createServer();
    dead.listen(`${socketPath}.old`);
    await once(dead, 'listening');
    await rename(`${socketPath}.old`, socketPath);
    dead.close();
    await using guest = await aProxy({ ...open, socketPath });
    expect(await guest.ask('GET / HTTP/1.1\r\nHost: x')).toMatch(/^HTTP\/1\.1 400/);
  });

  it('that cannot be bound is named', async () => {
    await expect(aProxy({ socketPath: `/tmp/${'x'.repeat(200)}` })).rejects.toMatchObject({
      code: 'egress/cannot-listen',
    });
    await expect(aProxy({ socketPath: '/nonexistent/e' })).rejects.toMatchObject({ code: 'egress/cannot-listen' });
  });
});
