import { crc32, inflateRawSync } from 'node:zlib';

export interface ZipEntry {
  path: string;
  /** Unix type and permissions, `0o100644` for instance. */
  mode: number;
  bytes: Buffer;
}

const endRecordBytes = 22;

/**
 * Reads a zip archive strictly: local headers must repeat what the directory says, stand without gaps, and checksums
 * must be right.
 */
export function readZip(archive: Buffer): ZipEntry[] {
  const end = archive.length - endRecordBytes;
  if (archive.readUInt32LE(end) !== 0x06054b50) throw new Error('no end record');
  const count = archive.readUInt16LE(end + 10);
  let at = archive.readUInt32LE(end + 16);
  if (at + archive.readUInt32LE(end + 12) !== end) throw new Error('the directory does not end at the end record');
  const entries: ZipEntry[] = [];
  let localAt = 0;
  for (let index = 0; index < count; index += 1) {
    if (archive.readUInt32LE(at) !== 0x02014b50) throw new Error(`no directory entry at ${at}`);
    const nameBytes = archive.readUInt16LE(at + 28);
    const name = archive.subarray(at + 46, at + 46 + nameBytes);
    if (archive.readUInt32LE(at + 42) !== localAt) throw new Error(`a gap before ${name}`);
    const local = archive.subarray(localAt, localAt + 30 + nameBytes);
    if (local.readUInt32LE(0) !== 0x04034b50) throw new Error(`no local header of ${name}`);
    if (!local.subarray(4, 30).equals(archive.subarray(at + 6, at + 32))) throw new Error(`two stories of ${name}`);
    if (!local.subarray(30).equals(name)) throw new Error(`another local name of ${name}`);
    const dataAt = localAt + local.length;
    const packed = archive.subarray(dataAt, dataAt + archive.readUInt32LE(at + 20));
    const bytes = archive.readUInt16LE(at + 10) === 8 ? inflateRawSync(packed) : packed;
    if (crc32(bytes) !== archive.readUInt32LE(at + 16)) throw new Error(`wrong checksum of ${name}`);
    if (bytes.length !== archive.readUInt32LE(at + 24)) throw new Error(`wrong length of ${name}`);
    entries.push({ path: name.toString(), mode: archive.readUInt32LE(at + 38) >>> 16, bytes });
    localAt = dataAt + packed.length;
    at += 46 + nameBytes;
  }
  return entries;
}
