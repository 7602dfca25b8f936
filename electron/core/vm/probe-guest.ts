import { Buffer } from 'node:buffer';

/** What the guest prints when all of its parts have run. */
export const probePrints = 'WXFBPROBE64';
/** QEMU's exit code when the guest has ended it: `(0x10 << 1) | 1`. */
export const probeExitCode = 33;

/** The boot sector of `vm-images/probe/probe.asm`, assembled; that folder's README says what it does and why. */
const bootSectorBase64 = [
  '+jHAjtiOwI7QvAB85JIMAuaSMcC/ABC5ABjzq2bHBgAQAyAAAGbHBgAgAzAAAGbHBgAwgwAAAGbHBggwgwAgAL8AQLkACPOrxwYA',
  'Qi99xwYCQggAxwYEQgCOsBHmIOagsCDmIbAo5qGwBOYhsALmobAB5iHmobD+5iGw/+ahsDTmQ7ipBOZAiODmQA8BFmB9DwEeZn1m',
  'uKAAAAAPIuBmuAAQAAAPIthmuYAAAMAPMmYNAAEAAA8wZrgBAACADyLA6sV8CABmuBAAjtiO0I7AvAB8AAC5AC0xAb8AgAAAAQ8x',
  'yMHAA//JdfWwV2a6+APuv/QBAAAxwA+iDyDYDyLY/8918rBYZrr4A+4x2/v0g/sUcvr6vjl9AABmuvgDrITAdAPu6/hmuvQAsBDu',
  '9Ov9UP/DsCDmIFhIz0ZCUFJPQkU2NAoAkJCQkAAAAAAAAAAAAAAAAACaIAAAAAAAAJIAABcASH0AAP8HAEAAAAAAAAAAAAAAAAAA',
  'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAVao=',
].join('');

const diskBytes = 1024 * 1024;

/** The probe's disk: the boot sector and nothing, because firmware does not boot a disk of a single sector. */
export function probeDisk(): Uint8Array {
  const disk = new Uint8Array(diskBytes);
  disk.set(Buffer.from(bootSectorBase64, 'base64'));
  return disk;
}

/** Arguments that boot `diskPath` under one accelerator, the serial port on stdout, ended by the guest itself. */
export function probeArguments(kind: 'kvm' | 'tcg', diskPath: string): string[] {
  return [
    ...['-no-user-config', '-nodefaults', '-display', 'none', '-no-reboot'],
    ...['-machine', 'q35', '-accel', kind, '-cpu', kind === 'kvm' ? 'host' : 'max', '-m', '32'],
    '-blockdev',
    JSON.stringify({
      driver: 'raw',
      'node-name': 'disk',
      'read-only': true,
      file: { driver: 'file', filename: diskPath, 'read-only': true },
    }),
    ...['-device', 'virtio-blk-pci,drive=disk,bootindex=0'],
    ...['-device', 'isa-debug-exit,iobase=0xf4,iosize=1'],
    ...['-serial', 'stdio'],
  ];
}
