import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import { type Clock, systemClock } from '../../../electron/core/platform/clock.ts';
import { ReachForwarder, type ReachForwarderOptions } from '../../../electron/core/vm/egress/reach-forwarder.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { aTcpServer, deps, ended, type Listening } from './guest.ts';

async function aDoor(
  to: Pick<Listening, 'port'>,
  more: Partial<ReachForwarderOptions> = {},
  clock: Clock = systemClock,
) {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryDirectory());
  const socketPath = join(folder.path, 'd');
  const forwarder = stack.use(
    await ReachForwarder.open({ ...deps, clock }, { socketPath, toHost: '127.0.0.1', toPort: to.port, ...more }),
  );
  const sockets: Socket[] = [];
  stack.defer(() => {
    for (const socket of sockets) socket.destroy();
  });
  return {
    forwarder,
    dial() {
      const socket = connect({ path: socketPath, allowHalfOpen: true });
      socket.on('error', () => {});
      sockets.push(socket);
      return socket;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const anEcho = () => aTcpServer((socket) => socket.pipe(socket));

describe('a door', () => {
  it('leads to its place and passes bytes as they are, for many at once', async () => {
    await using server = await anEcho();
    await using door = await aDoor(server);
    const bodies = Array.from({ length: 8 }, (_, index) => Buffer.alloc(512 * 1024, index));
    const answers = await Promise.all(
      bodies.map((body) => {
        const socket = door.dial();
        socket.end(body);
        return buffer(socket);
      }),
    );
    expect(answers.map((answer, index) => answer.equals(bodies[index] ?? Buffer.alloc(0)))).toEqual(
      Array(8).fill(true),
    );
  });

  it('leads to a name as this PC knows it', async () => {
    await using server = await anEcho();
    await using door = await aDoor(server, { toHost: 'localhost' });
    const socket = door.dial();
    socket.end('hello');
    expect(await text(socket)).toBe('hello');
  });

  it('ends each way by itself', async () => {
    await using server = await aTcpServer((socket) => {
      socket.resume().once('end', () => socket.end('answer after the end'));
    });
    await using door = await aDoor(server);
    const socket = door.dial();
    socket.end('question');
    expect(await text(socket)).toBe('answer after the end');
  });

  it('lets the guest talk on after the other side has ended', async () => {
    const received = Promise.withResolvers<string>();
    await using server = await aTcpServer((socket) => {
      socket.end('that is all');
      text(socket).then(received.resolve, received.reject);
    });
    await using door = await aDoor(server);
    const socket = door.dial();
    expect(await text(socket)).toBe('that is all');
    socket.end('not quite');
    expect(await received.promise).toBe('not quite');
  });

  it('holds a quick sender back while nobody reads', async () => {
    await using server = await aTcpServer((socket) => socket.pause());
    await using door = await aDoor(server);
    const socket = door.dial();
    const chunk = Buffer.alloc(64 * 1024);
    let sentBytes = 0;
    const pour = () => {
      while (sentBytes < 256 * 1024 * 1024) {
        sentBytes += chunk.length;
        if (!socket.write(chunk)) return;
      }
    };
    socket.on('drain', pour);
    pour();
    let before = -1;
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

  it('closes where nobody stands behind it', async () => {
    const server = await anEcho();
    await server[Symbol.asyncDispose]();
    await using door = await aDoor(server);
    const socket = door.dial();
    await ended(socket);
    expect(socket.bytesRead).toBe(0);
  });

  it('closes one side when the other breaks', async () => {
    await using server = await aTcpServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    await using door = await aDoor(server);
    const socket = door.dial();
    socket.write('x');
    await ended(socket);
  });

  it('does not wait for ever for a side that is silent after the other has ended', async () => {
    const clock = new FakeClock();
    const endSeen = Promise.withResolvers<void>();
    await using server = await aTcpServer((socket) => {
      socket.write('hello');
      // Never ends of its own accord, as a server that has forgotten its client.
      socket.resume().once('end', () => endSeen.resolve());
    });
    await using door = await aDoor(server, { maxConnections: 1 }, clock);
    const first = door.dial();
    await once(first, 'data');
    first.destroy();
    await endSeen.promise;
    const shut = door.dial();
    await ended(shut);
    expect(shut.bytesRead).toBe(0);
    await clock.advance(150_000);
    await vi.waitFor(async () => {
      const next = door.dial();
      await Promise.race([once(next, 'data'), ended(next)]);
      expect(next.bytesRead).toBe(5);
    });
    expect(clock.pendingCount).toBe(0);
  });

  it('does not open more often than allowed at once', async () => {
    await using server = await anEcho();
    await using door = await aDoor(server, { maxConnections: 2 });
    const kept = [door.dial(), door.dial()];
    for (const socket of kept) {
      socket.write('x');
      await once(socket, 'data');
    }
    const third = door.dial();
    await ended(third);
    expect(server.connectionCount()).toBe(2);
    kept[0]?.end();
    await vi.waitFor(async () => {
      const next = door.dial();
      next.end('again');
      expect(await text(next)).toBe('again');
    });
  });

  it('is destroyed with the machine', async () => {
    const gone = Promise.withResolvers<void>();
    await using server = await aTcpServer((socket) => {
      socket.resume().once('end', () => gone.resolve());
    });
    await using door = await aDoor(server);
    const socket = door.dial();
    await vi.waitFor(() => expect(server.connectionCount()).toBe(1));
    const isClosed = ended(socket);
    await door.forwarder[Symbol.asyncDispose]();
    await door.forwarder[Symbol.asyncDispose]();
    await Promise.all([isClosed, gone.promise]);
    await expect(once(door.dial(), 'connect')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
