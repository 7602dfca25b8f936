import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elfKernel } from '../../../electron/core/images/kernel-image.ts';

const setupSectors = 3;

/** A bzImage as the kernel's build makes it, around a packed payload. */
function bzImage(payload: Buffer, unpackedBytes: number): Buffer {
  const setup = Buffer.alloc((setupSectors + 1) * 512);
  setup.writeUInt8(setupSectors, 0x1f1);
  setup.write('HdrS', 0x202, 'latin1');
  const stub = Buffer.from('code that unpacks the payload');
  const size = Buffer.alloc(4);
  size.writeUInt32LE(unpackedBytes);
  setup.writeUInt32LE(stub.length, 0x248);
  setup.writeUInt32LE(payload.length + size.length, 0x24c);
  return Buffer.concat([setup, stub, payload, size, Buffer.from('what comes after')]);
}

/** LZ4's legacy frame: blocks behind their packed lengths. */
function legacyFrame(...blocks: Buffer[]): Buffer {
  const magic = Buffer.from([0x02, 0x21, 0x4c, 0x18]);
  const parts = blocks.flatMap((block) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(block.length);
    return [length, block];
  });
  return Buffer.concat([magic, ...parts]);
}

/** One sequence of a block: literals, and a match unless it is the last. */
function sequence(literals: Buffer, match?: { distance: number; length: number }): Buffer {
  const more = (length: number): number[] => {
    if (length < 15) return [];
    const bytes: number[] = [];
    let left = length - 15;
    for (; left >= 255; left -= 255) bytes.push(255);
    return [...bytes, left];
  };
  const matchLength = match === undefined ? 0 : match.length - 4;
  const token = (Math.min(literals.length, 15) << 4) | Math.min(matchLength, 15);
  const tail = match === undefined ? [] : [match.distance & 255, match.distance >> 8, ...more(matchLength)];
  return Buffer.concat([Buffer.from([token, ...more(literals.length)]), literals, Buffer.from(tail)]);
}

const elf = Buffer.from('\x7fELF', 'latin1');

describe('elfKernel', () => {
  it('unpacks literals and matches, near, far and overlapping', () => {
    const block = Buffer.concat([
      sequence(Buffer.concat([elf, Buffer.from('abc')]), { distance: 3, length: 8 }),
      sequence(Buffer.from('-'), { distance: 16, length: 4 }),
      sequence(Buffer.alloc(300, 'x'), { distance: 1, length: 700 }),
      sequence(Buffer.from('end')),
    ]);
    const expected = Buffer.concat([
      elf,
      Buffer.from('abcabcabcab-'),
      elf,
      Buffer.alloc(1000, 'x'),
      Buffer.from('end'),
    ]);
    expect(elfKernel(bzImage(legacyFrame(block), expected.length))).toEqual(expected);
  });

  it('lets a block refer to the one before', () => {
    const blocks = [
      sequence(elf),
      Buffer.concat([sequence(Buffer.from('1'), { distance: 5, length: 4 }), sequence(elf)]),
    ];
    const expected = Buffer.concat([elf, Buffer.from('1'), elf, elf]);
    expect(elfKernel(bzImage(legacyFrame(...blocks), expected.length))).toEqual(expected);
  });

  it.each<[string, Buffer]>([
    ['is too short', Buffer.from('HdrS')],
    ['is no bzImage', Buffer.alloc(4096)],
    ['is packed in another way', bzImage(Buffer.from('\x1f\x8b and so on', 'latin1'), 100)],
    ['has not the size it says', bzImage(legacyFrame(sequence(elf)), 5)],
    ['is larger than any kernel', bzImage(legacyFrame(sequence(elf)), 0x7fff_ffff)],
    ['has a match before its beginning', bzImage(legacyFrame(sequence(elf, { distance: 9, length: 4 })), 8)],
    ['ends within a block', bzImage(Buffer.concat([legacyFrame(sequence(elf)), Buffer.from([9, 0, 0, 0, 1])]), 4)],
    ['is no ELF file', bzImage(legacyFrame(sequence(Buffer.from('text'))), 4)],
  ])('leaves a kernel packed that %s', (_what, image) => {
    expect(elfKernel(image)).toBeUndefined();
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(2000), (bytes, size) => {
        const kernel = elfKernel(bzImage(legacyFrame(Buffer.from(bytes)), size));
        expect(kernel === undefined || kernel.length === size).toBe(true);
      }),
    );
  });
});
