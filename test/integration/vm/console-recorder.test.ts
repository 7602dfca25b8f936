import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemFiles } from '../../../electron/core/platform/files.ts';
import { silentLog } from '../../../electron/core/platform/log.ts';
import { lastLinesOfFile, readConsole } from '../../../electron/core/vm/console.ts';
import { ConsoleRecorder } from '../../../electron/core/vm/console-recorder.ts';
import { vmErrorOf } from '../../../electron/core/vm/vm-outcome.ts';
import { guestScript } from '../../fakes/qemu/install-fake-qemu.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { aMachineBench } from './machine-bench.ts';

/** A console socket whose other end the test holds. */
async function aConsole() {
  const folder = await temporaryDirectory();
  const socketPath = join(folder.path, 'c');
  const { promise: client, resolve } = Promise.withResolvers<Socket>();
  const server = createServer(resolve);
  await new Promise<void>((listening) => server.listen(socketPath, listening));
  return {
    socketPath,
    logPath: join(folder.path, 'console.log'),
    client,
    async [Symbol.asyncDispose]() {
      await new Promise((closed) => server.close(closed));
      await folder[Symbol.asyncDispose]();
    },
  };
}

const deps = { files: systemFiles, log: silentLog };

it('writes what the guest prints, byte for byte, and ends with the machine', async () => {
  await using machine = await aConsole();
  const recorder = await ConsoleRecorder.connect(deps, machine);
  const bytes = Uint8Array.from({ length: 200_000 }, (_, index) => index % 256);
  (await machine.client).end(bytes);
  await recorder.ended;
  expect((await readFile(machine.logPath)).equals(bytes)).toBe(true);
  expect(Buffer.from(recorder.tail).equals(bytes.subarray(-64 * 1024))).toBe(true);
});

it('keeps the beginning and the end of a console that has no end, and says how much is missing', async () => {
  await using machine = await aConsole();
  const recorder = await ConsoleRecorder.connect(deps, { ...machine, limitBytes: 1_000 });
  (await machine.client).end(`${'a'.repeat(900)}${'b'.repeat(100_000)}${'c'.repeat(65_536)}`);
  await recorder.ended;
  expect(await readFile(machine.logPath, 'utf8')).toBe(
    `${'a'.repeat(900)}${'b'.repeat(100)}\r\n[99900 bytes were left out here]\r\n${'c'.repeat(65_536)}`,
  );
});

it('repeats nothing where the end fits behind the beginning', async () => {
  await using machine = await aConsole();
  const recorder = await ConsoleRecorder.connect(deps, { ...machine, limitBytes: 4 });
  (await machine.client).end('abcdefgh');
  await recorder.ended;
  expect(await readFile(machine.logPath, 'utf8')).toBe('abcd\r\n[0 bytes were left out here]\r\nefgh');
});

it('goes on reading when the log cannot be written', async () => {
  await using machine = await aConsole();
  const files = {
    ...systemFiles,
    openForWriting: async () => ({
      write: async () => {
        throw new Error('ENOSPC');
      },
      truncate: async () => {},
      sync: async () => {},
      [Symbol.asyncDispose]: async () => {},
    }),
  };
  const recorder = await ConsoleRecorder.connect({ ...deps, files }, machine);
  (await machine.client).end('x'.repeat(500_000));
  await recorder.ended;
  expect(recorder.tail.length).toBe(64 * 1024);
});

it('hangs up when it is disposed of', async () => {
  await using machine = await aConsole();
  const recorder = await ConsoleRecorder.connect(deps, machine);
  const client = await machine.client;
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()).resume());
  await recorder[Symbol.asyncDispose]();
  await recorder[Symbol.asyncDispose]();
  await closed;
});

it('records a guest that prints much and at once ends', async () => {
  await using bench = await aMachineBench({ guest: guestScript('prints-much') });
  const { run, runDirectory } = await bench.start();
  const outcome = await run.finished;
  expect(vmErrorOf(outcome)?.code).toBe('vm/powered-off');
  const { consoleLog } = runDirectory.paths;
  const header = '[    0.000000] Linux version 0.0.0-fake\r\n';
  expect((await readConsole(bench.deps, consoleLog, 0, 10)).sizeBytes).toBe(header.length + 3 * 1024 * 1024);
  const line = (number: number) => String(number).padStart(62, '.');
  const second = await readConsole(bench.deps, consoleLog, header.length + 64, 64);
  expect(Buffer.from(second.bytes).toString()).toBe(`${line(1)}\r\n`);
  expect(await lastLinesOfFile(bench.deps, consoleLog, 2)).toEqual([line(49_150), line(49_151)]);
});

it('reads ranges of a log: bounded, and empty past the end or where there is none', async () => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, 'console.log');
  expect(await readConsole(deps, path, 0, 10)).toEqual({ fromByte: 0, sizeBytes: 0, bytes: new Uint8Array() });
  await writeFile(path, '0123456789');
  const read = async (fromByte: number, maxBytes: number) => {
    const slice = await readConsole(deps, path, fromByte, maxBytes);
    return { ...slice, bytes: Buffer.from(slice.bytes).toString() };
  };
  expect(await read(2, 3)).toEqual({ fromByte: 2, sizeBytes: 10, bytes: '234' });
  expect(await read(8, 100)).toEqual({ fromByte: 8, sizeBytes: 10, bytes: '89' });
  expect(await read(10, 100)).toEqual({ fromByte: 10, sizeBytes: 10, bytes: '' });
  expect(await read(99, 100)).toEqual({ fromByte: 99, sizeBytes: 10, bytes: '' });
  await writeFile(path, 'x'.repeat(600 * 1024));
  expect((await read(0, 10 * 1024 * 1024)).bytes.length).toBe(512 * 1024);
});
