/** A runner's mark in a trace that a section begins or ends. Invisible. */
export interface SectionMarker {
  kind: 'start' | 'end';
  name: string;
  /** When, in seconds since 1970 by the machine's clock. */
  atSeconds: number;
  isCollapsed: boolean;
  /** The bytes of the marker, its carriage return and its "erase to end of line" included. */
  from: number;
  to: number;
}

const marker = /section_(start|end):(\d{1,15}):([A-Za-z0-9_.-]{1,200})(\[[^\]\r\n]{0,500}\])?\r/g;
const erase = '\u001b[0K';
// Bytes to characters one to one, so that places in the text are places in the bytes.
const decoder = new TextDecoder('latin1');

/**
 * Finds the markers in a line: `section_start:<unix>:<name>[options]`, carriage return, `ESC [0K`.
 * Where a runner writes time stamps, the erasing stands on a continued line of its own and belongs to no marker.
 */
export function findMarkers(bytes: Uint8Array, from: number): SectionMarker[] {
  const text = decoder.decode(bytes.subarray(from));
  if (!text.includes('section_')) return [];
  return [...text.matchAll(marker)].map((match) => {
    const [whole, kind, at, name = '', options = ''] = match;
    const end = match.index + whole.length;
    return {
      kind: kind === 'end' ? 'end' : 'start',
      name,
      atSeconds: Number(at),
      isCollapsed: /[[,]\s*collapsed=true\s*[\],]/.test(options),
      from: from + match.index,
      to: from + end + (text.startsWith(erase, end) ? erase.length : 0),
    };
  });
}

/** Whether an unfinished line may yet become nothing but a marker. */
export function mayBecomeMarker(bytes: Uint8Array): boolean {
  const text = decoder.decode(bytes.subarray(0, 1_000));
  return /^section_[^\r]*$/.test(text.startsWith(erase) ? text.slice(erase.length) : text);
}
