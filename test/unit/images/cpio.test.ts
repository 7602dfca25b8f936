import { describe, expect, it } from 'vitest';
import { cpioArchive } from '../../../electron/core/images/cpio.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** The fields of the header at `at`, as numbers. */
function header(archive: Uint8Array, at: number): number[] {
  return Array.from({ length: 13 }, (_, index) =>
    Number.parseInt(text(archive.subarray(at + 6 + index * 8, at + 14 + index * 8)), 16),
  );
}

describe('cpioArchive', () => {
  const archive = cpioArchive([
    { kind: 'directory', path: 'bin', mode: 0o755 },
    { kind: 'file', path: 'bin/x', mode: 0o644, bytes: Buffer.from('hello') },
    { kind: 'link', path: 'bin/sh', target: 'busybox' },
  ]);

  it('writes a header, a name and a content for each entry, at multiples of four', () => {
    expect(text(archive.subarray(0, 6))).toBe('070701');
    // inode, mode, owner, group, links, time, size, four device numbers, length of the name, checksum
    expect(header(archive, 0)).toEqual([1, 0o040755, 0, 0, 2, 0, 0, 0, 0, 0, 0, 4, 0]);
    expect(text(archive.subarray(110, 116))).toBe('bin\0\0\0');
    expect(header(archive, 116)).toEqual([2, 0o100644, 0, 0, 1, 0, 5, 0, 0, 0, 0, 6, 0]);
    expect(text(archive.subarray(226, 240))).toBe('bin/x\0hello\0\0\0');
    expect(header(archive, 240)).toEqual([3, 0o120777, 0, 0, 1, 0, 7, 0, 0, 0, 0, 7, 0]);
  });

  it('ends with the entry that says so', () => {
    expect(text(archive)).toMatch(/TRAILER!!!\0+$/);
    expect(archive.length % 4).toBe(0);
  });

  it('is the same for the same entries', () => {
    const again = cpioArchive([{ kind: 'directory', path: 'bin', mode: 0o755 }]);
    expect(cpioArchive([{ kind: 'directory', path: 'bin', mode: 0o755 }])).toEqual(again);
  });
});
