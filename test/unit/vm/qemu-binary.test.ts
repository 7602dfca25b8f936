import { expect, it } from 'vitest';
import { parseQemuVersion } from '../../../electron/core/vm/qemu-binary.ts';

it.each([
  ['QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)\nCopyright (c) 2003-2022', '7.2.22', 7, 2],
  ['QEMU emulator version 8.2.2 (Debian 1:8.2.2+ds-0ubuntu1.4)', '8.2.2', 8, 2],
  ['QEMU emulator version 9.1.3 (qemu-9.1.3-2.fc41)', '9.1.3', 9, 1],
  ['QEMU emulator version 10.0.50 (v10.0.0-1234-g0123456789)', '10.0.50', 10, 0],
  ['QEMU emulator version 11.0', '11.0', 11, 0],
])('reads the version in %s', (text, version, major, minor) => {
  expect(parseQemuVersion(text)).toEqual({ version, major, minor });
});

it.each(['', 'QEMU', 'qemu-img: unknown', 'version ten'])('finds no version in "%s"', (text) => {
  expect(parseQemuVersion(text)).toBe(undefined);
});
