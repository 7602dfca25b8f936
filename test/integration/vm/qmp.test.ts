import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { systemClock } from '../../../electron/core/platform/clock.ts';
import { Qmp } from '../../../electron/core/vm/qmp.ts';
import type { QmpEvent } from '../../../electron/core/vm/qmp-messages.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const greeting =
  '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": ""}, "capabilities": ["oob"]}}\r\n';
const never = new AbortController().signal;
const deps = { clock: systemClock };

/** Something at a socket that does as the test says; the client's lines go to `onLine`. */
async function aServer(onClient: (socket: Socket) => void, onLine: (line: string, socket: Socket) => void = () => {}) {
  const folder = await temporaryDirectory();
  const path = join(folder.path, 'q');
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      for (const line of String(bytes).trim().split('\n')) onLine(line, socket);
    });
    onClient(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    path,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** A QEMU that answers `qmp_capabilities`, and `onCommand` for the rest. */
function aQemu(onCommand: (command: string, id: number, socket: Socket) => void) {
  return aServer(
    (socket) => socket.write(greeting),
    (line, socket) => {
      const { execute, id } = JSON.parse(line) as { execute: string; id: number };
      if (execute === 'qmp_capabilities') socket.write(`{"return": {}, "id": ${id}}\r\n`);
      else onCommand(execute, id, socket);
    },
  );
}

it('waits for a socket that is not there yet', async () => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, 'q');
  const tries: number[] = [];
  const server = createServer((socket) => {
    socket.write(greeting);
    socket.on('data', () => socket.write('{"return": {}, "id": 1}\r\n'));
  });
  // The third try finds it.
  const clock = {
    ...systemClock,
    async sleep(durationMs: number) {
      tries.push(durationMs);
      if (tries.length === 2) await new Promise<void>((resolve) => server.listen(path, resolve));
    },
  };
  await using qmp = await Qmp.connect({ clock }, path, never);
  expect(qmp.version).toBe('7.2.22');
  expect(tries).toEqual([10, 10]);
  server.close();
});

it('gives answers to those who asked, in whatever order they come', async () => {
  const asked: number[] = [];
  await using server = await aQemu((_command, id, socket) => {
    asked.push(id);
    if (asked.length < 2) return;
    for (const each of asked.toReversed()) socket.write(`{"return": {"for": ${each}}, "id": ${each}}\r\n`);
  });
  await using qmp = await Qmp.connect(deps, server.path, never);
  expect(await Promise.all([qmp.execute('a'), qmp.execute('b')])).toEqual([{ for: 2 }, { for: 3 }]);
});

it('reads messages that come in pieces and many at once', async () => {
  const stop = '{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 2}}\r\n';
  await using server = await aQemu((_command, id, socket) => {
    const bytes = Buffer.from(`${stop}${stop}{"return": "ä", "id": ${id}}\r\n`);
    // Within the two bytes of the letter.
    const cutAt = bytes.indexOf(0xc3) + 1;
    socket.write(bytes.subarray(0, cutAt), () => socket.write(bytes.subarray(cutAt)));
  });
  await using qmp = await Qmp.connect(deps, server.path, never);
  const events: QmpEvent[] = [];
  qmp.listen((event) => events.push(event));
  expect(await qmp.execute('a')).toBe('ä');
  expect(events).toEqual([{ name: 'STOP' }, { name: 'STOP' }]);
});

it('keeps events for the first who listens, and gives none after the listening has ended', async () => {
  await using server = await aQemu((_command, id, socket) => {
    socket.write(`{"event": "STOP"}\r\n{"return": {}, "id": ${id}}\r\n`);
  });
  await using qmp = await Qmp.connect(deps, server.path, never);
  const events: QmpEvent[] = [];
  await qmp.execute('a');
  {
    using _listening = qmp.listen((event) => events.push(event));
    expect(events).toEqual([{ name: 'STOP' }]);
  }
  await qmp.execute('b');
  expect(events.length).toBe(1);
});

it('fails what waits for an answer when QEMU hangs up, and everything after that', async () => {
  await using server = await aQemu((_command, _id, socket) => socket.destroy());
  await using qmp = await Qmp.connect(deps, server.path, never);
  await expect(qmp.execute('a')).rejects.toMatchObject({ code: 'vm/qmp-closed' });
  await qmp.closed;
  await expect(qmp.execute('b')).rejects.toMatchObject({ code: 'vm/qmp-closed' });
});

it('stops waiting for an answer when told, and goes on with the next command', async () => {
  await using server = await aQemu((command, id, socket) => {
    if (command !== 'hangs') socket.write(`{"return": "ok", "id": ${id}}\r\n`);
  });
  await using qmp = await Qmp.connect(deps, server.path, never);
  const controller = new AbortController();
  const hanging = qmp.execute('hangs', undefined, controller.signal);
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(hanging).rejects.toBe(reason);
  expect(await qmp.execute('answers')).toBe('ok');
});

it.each([
  ['something that is not QEMU', '220 mail.example ESMTP\r\n'],
  ['a greeting without a version', '{"QMP": {}}\r\n'],
  ['a line without an end', 'x'.repeat(2 * 1024 * 1024)],
])('refuses %s', async (_name, text) => {
  await using server = await aServer((socket) => socket.write(text));
  await expect(Qmp.connect(deps, server.path, never)).rejects.toMatchObject({ code: 'vm/qmp-protocol' });
});

it('says when QEMU hangs up before its greeting', async () => {
  await using server = await aServer((socket) => socket.end());
  await expect(Qmp.connect(deps, server.path, never)).rejects.toMatchObject({ code: 'vm/qmp-closed' });
});

it('says when the socket cannot be used', async () => {
  await using folder = await temporaryDirectory();
  await expect(Qmp.connect(deps, join(folder.path, 'x'.repeat(200)), never)).rejects.toMatchObject({
    code: 'vm/qmp-unreachable',
  });
});

it('gives up with the reason of an abort, before and after the socket is there', async () => {
  const reason = new Error('enough');
  await using folder = await temporaryDirectory();
  const early = new AbortController();
  const waiting = Qmp.connect(deps, join(folder.path, 'q'), early.signal);
  early.abort(reason);
  await expect(waiting).rejects.toBe(reason);

  const onClient = vi.fn();
  await using server = await aServer(onClient);
  const late = new AbortController();
  const silent = Qmp.connect(deps, server.path, late.signal);
  await vi.waitFor(() => expect(onClient).toHaveBeenCalledOnce());
  late.abort(reason);
  await expect(silent).rejects.toBe(reason);
});
