/** One entry of an archive. Its owner is always root, its time always 1970: the same entries give the same bytes. */
export type CpioEntry =
  | { kind: 'file'; path: string; mode: number; bytes: Uint8Array }
  | { kind: 'directory'; path: string; mode: number }
  | { kind: 'link'; path: string; target: string };

const directoryType = 0o040000;
const fileType = 0o100000;
const linkType = 0o120000;

/**
 * An archive in the "newc" format, as the kernel unpacks it into its first file system. Made here rather than by
 * cpio(1), which would need root or a trick to write files that belong to root.
 * @param entries A directory before what is in it; paths without a leading slash.
 * @see "initramfs buffer format" in the kernel's documentation
 */
export function cpioArchive(entries: readonly CpioEntry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [index, entry] of entries.entries()) {
    parts.push(...member(index + 1, entry.path, ...contentOf(entry)));
  }
  // An inode number of 0 is fine here: nothing else of this entry is looked at but its name.
  parts.push(...member(0, 'TRAILER!!!', 0, new Uint8Array()));
  return Buffer.concat(parts);
}

function contentOf(entry: CpioEntry): [mode: number, bytes: Uint8Array] {
  switch (entry.kind) {
    case 'file':
      return [fileType | entry.mode, entry.bytes];
    case 'directory':
      return [directoryType | entry.mode, new Uint8Array()];
    case 'link':
      return [linkType | 0o777, Buffer.from(entry.target)];
  }
}

function member(inode: number, path: string, mode: number, bytes: Uint8Array): Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  const [owner, group, time, device] = [0, 0, 0, 0];
  const linkCount = (mode & directoryType) === directoryType ? 2 : 1;
  // The last field would be a checksum, which the "newc" format leaves at 0.
  const fields = [
    inode,
    mode,
    owner,
    group,
    linkCount,
    time,
    bytes.length,
    device,
    device,
    device,
    device,
    name.length,
    0,
  ];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return [header, name, padding(header.length + name.length), bytes, padding(bytes.length)];
}

/** Headers and contents start at multiples of four bytes. */
function padding(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4);
}
