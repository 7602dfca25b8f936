/** What `scanEscapes` finds, in the order of the bytes. Offsets are into the bytes that were given. */
export interface EscapeSink {
  /** Printable bytes, tabs among them, in `[from, to)`. */
  text(from: number, to: number): void;
  /** A control character other than tab and escape. */
  control(code: number): void;
  /** `ESC [ parameters final`, with `final` as a character code. */
  sequence(final: number, parameters: string): void;
}

const escapeCode = 0x1b;
const bell = 0x07;
const tab = 0x09;
const backslash = 0x5c;
const deletion = 0x7f;

/**
 * Takes the bytes of a line apart into text and terminal control. Works on bytes because control is ASCII and never
 * part of a UTF-8 sequence. Operating system commands (titles, links) are dropped whole: a link of a job is inert.
 */
export function scanEscapes(bytes: Uint8Array, from: number, to: number, sink: EscapeSink): void {
  let textFrom = from;
  let at = from;
  while (at < to) {
    const code = bytes[at] ?? 0;
    if ((code >= 0x20 && code !== deletion) || code === tab) {
      at += 1;
      continue;
    }
    if (textFrom < at) sink.text(textFrom, at);
    if (code === escapeCode) at = skipEscape(bytes, at, to, sink);
    else {
      sink.control(code);
      at += 1;
    }
    textFrom = at;
  }
  if (textFrom < to) sink.text(textFrom, to);
}

/** @returns The offset after the escape sequence that begins at `at`; an unfinished one ends with the line. */
function skipEscape(bytes: Uint8Array, at: number, to: number, sink: EscapeSink): number {
  const kind = bytes[at + 1] ?? 0;
  if (at + 1 >= to) return to;
  if (kind === 0x5b) return skipControlSequence(bytes, at + 2, to, sink);
  // OSC, DCS, SOS, PM and APC carry a string up to a terminator.
  if (kind === 0x5d || kind === 0x50 || kind === 0x58 || kind === 0x5e || kind === 0x5f) {
    return stringEnd(bytes, at + 2, to) ?? at + 2;
  }
  if (kind >= 0x20 && kind <= 0x2f) {
    let end = at + 2;
    while (end < to && inRange(bytes[end], 0x20, 0x2f)) end += 1;
    return Math.min(to, end + 1);
  }
  return inRange(kind, 0x30, 0x7e) ? at + 2 : at + 1;
}

function skipControlSequence(bytes: Uint8Array, parametersFrom: number, to: number, sink: EscapeSink): number {
  let end = parametersFrom;
  while (end < to && inRange(bytes[end], 0x30, 0x3f)) end += 1;
  const parametersTo = end;
  while (end < to && inRange(bytes[end], 0x20, 0x2f)) end += 1;
  if (end >= to) return to;
  const final = bytes[end] ?? 0;
  if (!inRange(final, 0x40, 0x7e)) return end;
  sink.sequence(final, asciiText(bytes, parametersFrom, parametersTo));
  return end + 1;
}

function stringEnd(bytes: Uint8Array, from: number, to: number): number | null {
  for (let at = from; at < to; at += 1) {
    if (bytes[at] === bell) return at + 1;
    if (bytes[at] === escapeCode && bytes[at + 1] === backslash) return Math.min(to, at + 2);
  }
  return null;
}

/** Longer parameters are none that a terminal knows. */
const parameterLimit = 64;

function asciiText(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let at = from; at < Math.min(to, from + parameterLimit); at += 1) text += String.fromCharCode(bytes[at] ?? 0);
  return text;
}

function inRange(code: number | undefined, low: number, high: number): boolean {
  return code !== undefined && code >= low && code <= high;
}
