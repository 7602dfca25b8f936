const sectorBytes = 512;
const legacyLz4Magic = 0x184c2102;
/** A kernel that unpacks to more than this is none. */
const unpackedLimitBytes = 256 * 1024 * 1024;

/**
 * The ELF kernel within a bzImage whose payload is LZ4, as Debian's is; undefined where it is packed otherwise.
 * QEMU starts an ELF kernel by its PVH entry, which saves the machine from unpacking it: a tenth of the boot under TCG.
 * @see "The Linux/x86 Boot Protocol" in the kernel's documentation, for the offsets
 */
export function elfKernel(bzImage: Uint8Array): Uint8Array | undefined {
  const image = Buffer.from(bzImage.buffer, bzImage.byteOffset, bzImage.byteLength);
  if (image.length < 0x260 || image.toString('latin1', 0x202, 0x206) !== 'HdrS') return undefined;
  const setupSectors = image.readUInt8(0x1f1) || 4;
  const start = (setupSectors + 1) * sectorBytes + image.readUInt32LE(0x248);
  const end = start + image.readUInt32LE(0x24c);
  if (end > image.length || end - start < 8 || image.readUInt32LE(start) !== legacyLz4Magic) return undefined;
  // The kernel's build appends the unpacked size to the payload.
  const unpackedBytes = image.readUInt32LE(end - 4);
  if (unpackedBytes > unpackedLimitBytes) return undefined;
  const kernel = unpackLegacyLz4(image.subarray(start + 4, end - 4), unpackedBytes);
  return kernel?.toString('latin1', 0, 4) === '\x7fELF' ? kernel : undefined;
}

/** Blocks of LZ4, each behind its packed length. @returns undefined where the result has not that very size. */
function unpackLegacyLz4(packed: Buffer, unpackedBytes: number): Buffer | undefined {
  const output = Buffer.alloc(unpackedBytes);
  let at = 0;
  let written = 0;
  while (at + 4 <= packed.length) {
    const blockBytes = packed.readUInt32LE(at);
    at += 4;
    if (blockBytes === 0 || at + blockBytes > packed.length) return undefined;
    const end = unpackBlock(packed.subarray(at, at + blockBytes), output, written);
    if (end === undefined) return undefined;
    written = end;
    at += blockBytes;
  }
  return written === unpackedBytes ? output : undefined;
}

/** @returns How far `output` is filled; undefined for a block that makes no sense. */
function unpackBlock(block: Buffer, output: Buffer, from: number): number | undefined {
  let at = 0;
  let written = from;
  const more = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    for (;;) {
      const byte = block[at] ?? 0;
      at += 1;
      length += byte;
      if (byte !== 255) return length;
    }
  };
  while (at < block.length) {
    const token = block[at] ?? 0;
    at += 1;
    const literalBytes = more(token >> 4);
    if (at + literalBytes > block.length || written + literalBytes > output.length) return undefined;
    block.copy(output, written, at, at + literalBytes);
    at += literalBytes;
    written += literalBytes;
    // The last sequence of a block has no match.
    if (at >= block.length) return written;
    const distance = (block[at] ?? 0) | ((block[at + 1] ?? 0) << 8);
    at += 2;
    const matchBytes = more(token & 15) + 4;
    if (distance === 0 || distance > written || written + matchBytes > output.length) return undefined;
    written = repeat(output, written, distance, matchBytes);
  }
  return written;
}

/** Copies from what was written just before; source and target may overlap, which then repeats a pattern. */
function repeat(output: Buffer, written: number, distance: number, length: number): number {
  let done = 0;
  while (done < length) {
    const step = Math.min(distance + done, length - done);
    output.copyWithin(written + done, written - distance, written - distance + step);
    done += step;
  }
  return written + length;
}
