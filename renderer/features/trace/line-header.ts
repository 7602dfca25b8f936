/** Bytes of the header that a runner from 18.7 on puts before each line. */
export const headerBytes = 32;

/** Of each place in `YYYY-MM-DDTHH:MM:SS.ffffffZ SSTF`: a digit (d), a hex digit (h), a stream (s), a flag (f), or itself. */
const pattern = 'dddd-dd-ddTdd:dd:dd.ddddddZ hhsf';

/**
 * Whether bytes begin with the header of a line.
 * @returns `header`, `continued` for one that goes on with the line before, `partial` for the beginning of either,
 *   `none` for anything else.
 */
export function headerKind(bytes: Uint8Array): 'header' | 'continued' | 'partial' | 'none' {
  const length = Math.min(bytes.length, headerBytes);
  for (let at = 0; at < length; at += 1) {
    if (!fits(bytes[at] ?? 0, pattern[at] ?? '')) return 'none';
  }
  if (length < headerBytes) return 'partial';
  return bytes[headerBytes - 1] === 0x2b ? 'continued' : 'header';
}

/** The time of day in a header, as it is written there (UTC): `HH:MM:SS`. */
export function headerTime(header: Uint8Array): string {
  return String.fromCharCode(...header.subarray(11, 19));
}

function fits(code: number, place: string): boolean {
  const isDigit = code >= 0x30 && code <= 0x39;
  switch (place) {
    case 'd':
      return isDigit;
    case 'h':
      return isDigit || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66);
    case 's':
      return code === 0x45 || code === 0x4f; // E or O: standard error, standard output
    case 'f':
      return code === 0x20 || code === 0x2b; // a new line, or "+" for the rest of the one before
    default:
      return code === place.charCodeAt(0);
  }
}
