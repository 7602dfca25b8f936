import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { probeArguments, probeDisk } from '../../../electron/core/vm/probe-guest.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const source = fileURLToPath(new URL('../../../vm-images/probe/probe.asm', import.meta.url));
const run = promisify(execFile);

it('is a boot sector on a disk that firmware boots', () => {
  const disk = probeDisk();
  expect(disk.length).toBe(1024 * 1024);
  expect([...disk.subarray(510, 512)]).toEqual([0x55, 0xaa]);
  expect(disk.subarray(512).every((byte) => byte === 0)).toBe(true);
});

it('is what its source assembles to', async (ctx) => {
  const hasNasm = await run('nasm', ['-v']).then(
    () => true,
    () => false,
  );
  if (!hasNasm) ctx.skip('nasm is not installed');
  await using folder = await temporaryDirectory();
  const binary = join(folder.path, 'probe.bin');
  await run('nasm', ['-f', 'bin', '-o', binary, source]);
  expect(Buffer.from(probeDisk().subarray(0, 512)).equals(await readFile(binary))).toBe(true);
});

it('is booted from a read-only disk, with a serial port and a way out', () => {
  expect(probeArguments('kvm', '/tmp/a,b.raw')).toEqual([
    ...['-no-user-config', '-nodefaults', '-display', 'none', '-no-reboot'],
    ...['-machine', 'q35', '-accel', 'kvm', '-cpu', 'host', '-m', '32'],
    '-blockdev',
    '{"driver":"raw","node-name":"disk","read-only":true,"file":{"driver":"file","filename":"/tmp/a,b.raw","read-only":true}}',
    ...['-device', 'virtio-blk-pci,drive=disk,bootindex=0', '-device', 'isa-debug-exit,iobase=0xf4,iosize=1'],
    ...['-serial', 'stdio'],
  ]);
});
