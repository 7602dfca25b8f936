import { request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { webSocketPath, webSocketProtocol } from '../../../electron/contract/wire-messages.ts';
import { aRun } from '../../fakes/bench-state.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { accessToken, closed, openSocket, servedBench, transportOver } from './served-bench.ts';

const authorization = `Bearer ${accessToken}`;

/** The status an upgrade is answered with. */
function upgradeStatus(port: number, path: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers: { ...upgradeHeaders, ...headers } });
    asked.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
    asked.on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('error', reject);
    asked.end();
  });
}
const upgradeHeaders = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': Buffer.alloc(16).toString('base64'),
  'sec-websocket-protocol': webSocketProtocol,
};

describe('an upgrade', () => {
  it('is refused without the token, from another page, under another name, and elsewhere', async () => {
    await using served = await servedBench();
    const { port } = served.server;
    const status = (headers: Record<string, string>, path = webSocketPath) => upgradeStatus(port, path, headers);
    expect(await status({})).toBe(401);
    expect(await status({ authorization: 'Bearer wrong' })).toBe(401);
    expect(await status({ authorization, origin: 'http://evil.example' })).toBe(403);
    expect(await status({ authorization, host: 'evil.example' })).toBe(403);
    expect(await status({ authorization }, '/other')).toBe(404);
    expect(await status({ authorization }, `/?token=${accessToken}`)).toBe(404);
    expect(await status({ authorization, origin: `http://127.0.0.1:${port}` })).toBe(101);
  });

  it('is let in with the cookie of the page', async () => {
    await using served = await servedBench();
    const login = await served.get(`/?token=${accessToken}`, { authorization: '' });
    const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
    const socket = await openSocket(served, { cookie, origin: served.origin });
    const isClosed = closed(socket);
    socket.close(1000);
    expect(await isClosed).toBe(1000);
  });

  it('ends at once for a screen that speaks another version', async () => {
    await using served = await servedBench();
    const socket = new WebSocket(served.webSocketUrl, 'forrest-bench.v999', { headers: { authorization } });
    const error = await new Promise<Error>((resolve) => socket.once('error', resolve));
    expect(error.message).toMatch(/subprotocol/i);
  });
});

describe('a screen that misbehaves', () => {
  it('is cut off for a message larger than 1 MiB, and others are not', async () => {
    await using served = await servedBench();
    const good = await openSocket(served);
    const bad = await openSocket(served);
    const isClosed = closed(bad);
    bad.on('error', () => {});
    bad.send(JSON.stringify({ type: 'call', id: 1, name: 'x', input: 'x'.repeat(1024 * 1024) }));
    expect(await isClosed).toBe(1009);
    await expect(transportOver(good).call('lending.set', { isEnabled: true })).resolves.toMatchObject({ ok: true });
    good.terminate();
  });

  it('may send a message just below 1 MiB', async () => {
    await using served = await servedBench();
    const socket = await openSocket(served);
    const answer = await transportOver(socket).call('lending.set', { isEnabled: true, padding: 'x'.repeat(1_048_000) });
    expect(answer).toEqual({ ok: true, value: null });
    socket.terminate();
  });

  it.each([
    ['no JSON', 'hello'],
    ['no message', '{"type":"explode","id":1}'],
    ['an id that is none', '{"type":"call","id":-1,"name":"lending.set","input":{}}'],
    ['a very long name', JSON.stringify({ type: 'call', id: 1, name: 'x'.repeat(101), input: {} })],
    ['bytes', Buffer.from('{"type":"unlisten","id":1}')],
  ])('is cut off for %s', async (_what, data) => {
    await using served = await servedBench();
    const socket = await openSocket(served);
    const isClosed = closed(socket);
    socket.send(data);
    expect(await isClosed).toBe(1008);
  });

  it('is cut off for an id that is in use, and for streams without end', async () => {
    await using served = await servedBench();
    const twice = await openSocket(served);
    const isClosed = closed(twice);
    for (let time = 0; time < 2; time += 1) twice.send(JSON.stringify({ type: 'listen', id: 1, name: 'bench.events' }));
    expect(await isClosed).toBe(1008);
    const many = await openSocket(served);
    const areClosed = closed(many);
    for (let id = 0; id < 33; id += 1) many.send(JSON.stringify({ type: 'listen', id, name: 'bench.events' }));
    expect(await areClosed).toBe(1008);
    await vi.waitFor(() => expect(served.bench.streamCount).toBe(0));
  });

  it('is told to wait when it has 64 calls open, and loses none of them', async () => {
    await using served = await servedBench();
    const gate = Promise.withResolvers<null>();
    served.bench.handlers.calls['lending.set'] = () => gate.promise;
    const socket = await openSocket(served);
    const transport = transportOver(socket);
    const calls = Array.from({ length: 64 }, () => transport.call('lending.set', { isEnabled: true }));
    await expect(transport.call('lending.set', { isEnabled: true })).resolves.toMatchObject({
      ok: false,
      error: { code: 'headless/too-busy' },
    });
    gate.resolve(null);
    expect(await Promise.all(calls)).toEqual(Array(64).fill({ ok: true, value: null }));
    socket.terminate();
  });

  it('is dropped when it does not read, and the bench goes on', async () => {
    await using served = await servedBench();
    const slow = await openSocket(served);
    slow.send(JSON.stringify({ type: 'listen', id: 1, name: 'bench.events' }));
    await vi.waitFor(() => expect(served.bench.streamCount).toBe(1));
    slow.pause();
    // 32 MiB: more than the 8 MiB of the limit and all that kernels buffer on loopback.
    const run = aRun({ job: { ...aRun().job, name: 'x'.repeat(512 * 1024) } });
    for (let round = 0; round < 64; round += 1) served.bench.begin(run);
    await vi.waitFor(() => expect(served.bench.streamCount).toBe(0));
    slow.terminate();
  });

  it('is dropped when it does not answer pings', async () => {
    const clock = new FakeClock();
    await using served = await servedBench({ clock });
    const alive = await openSocket(served);
    // A peer that was cut from the network answers nothing: a bare socket that has done the handshake.
    const dead = connect(served.server.port, '127.0.0.1');
    const lines = Object.entries({ ...upgradeHeaders, host: `127.0.0.1:${served.server.port}`, authorization });
    dead.write(`GET ${webSocketPath} HTTP/1.1\r\n${lines.map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n`);
    await new Promise<void>((resolve) => dead.once('data', () => resolve()));
    const isDead = new Promise<void>((resolve) => dead.once('close', () => resolve()));
    dead.on('error', () => {});
    const pinged = new Promise<void>((resolve) => alive.once('ping', () => resolve()));
    await clock.advance(30_000);
    await pinged;
    await transportOver(alive).call('lending.set', { isEnabled: true });
    await clock.advance(30_000);
    await isDead;
    expect(alive.readyState).toBe(WebSocket.OPEN);
    const isClosed = closed(alive);
    alive.close();
    await isClosed;
    await served.server[Symbol.asyncDispose]();
    expect(clock.pendingCount).toBe(0);
  });
});

describe('the end of a server', () => {
  it('says goodbye, and is over even where a screen does not answer', async () => {
    const clock = new FakeClock();
    await using served = await servedBench({ clock });
    const polite = await openSocket(served);
    const deaf = await openSocket(served);
    deaf.pause();
    const isClosed = closed(polite);
    const isOver = served.server[Symbol.asyncDispose]();
    expect(await isClosed).toBe(1001);
    await clock.advance(1000);
    await isOver;
    deaf.terminate();
    await expect(fetch(served.origin)).rejects.toThrow();
  });
});
