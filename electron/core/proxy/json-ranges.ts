/** Where a value stands in a JSON text: bytes `[from, to)`. */
export interface ByteRange {
  from: number;
  to: number;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** Where the one value of a JSON text begins, behind blanks and a byte order mark. */
export function rootAt(json: Uint8Array): number {
  return skipBlanks(json, json[0] === 0xef && json[1] === 0xbb && json[2] === 0xbf ? 3 : 0);
}

/** @param at Where a value begins. */
export function isObjectAt(json: Uint8Array, at: number): boolean {
  return json[at] === openBrace;
}

/** @param objectAt Where the object's `{` stands. */
export function isEmptyObjectAt(json: Uint8Array, objectAt: number): boolean {
  return json[skipBlanks(json, objectAt + 1)] === closeBrace;
}

/**
 * Finds a member's value without touching a byte, for texts that `JSON.parse` has already taken: it would not give
 * back the same digits of large integers and floats.
 * @param objectAt Where the object's `{` stands.
 * @returns The range of the last member of that name, which is the one that counts; undefined where there is none.
 */
export function findMember(json: Uint8Array, objectAt: number, name: string): ByteRange | undefined {
  let found: ByteRange | undefined;
  let at = skipBlanks(json, objectAt + 1);
  while (at < json.length && json[at] !== closeBrace) {
    const keyEnd = skipString(json, at);
    const isWanted = decodeString(json.subarray(at, keyEnd)) === name;
    // Behind the key stands a colon.
    const from = skipBlanks(json, skipBlanks(json, keyEnd) + 1);
    const to = skipValue(json, from);
    if (isWanted) found = { from, to };
    at = skipBlanks(json, to);
    if (json[at] === comma) at = skipBlanks(json, at + 1);
  }
  return found;
}

function skipBlanks(json: Uint8Array, from: number): number {
  let at = from;
  while (json[at] === 0x20 || json[at] === 0x0a || json[at] === 0x0d || json[at] === 0x09) at += 1;
  return at;
}

/** @param from Where the opening quote stands. */
function skipString(json: Uint8Array, from: number): number {
  let at = from + 1;
  while (at < json.length && json[at] !== quote) at += json[at] === backslash ? 2 : 1;
  return at + 1;
}

function skipValue(json: Uint8Array, from: number): number {
  if (json[from] === quote) return skipString(json, from);
  if (json[from] !== openBrace && json[from] !== openBracket) return skipScalar(json, from);
  // Counting is enough, in a text that is known to be well-formed.
  let depth = 0;
  let at = from;
  while (at < json.length) {
    const byte = json[at];
    if (byte === quote) {
      at = skipString(json, at);
      continue;
    }
    if (byte === openBrace || byte === openBracket) depth += 1;
    if (byte === closeBrace || byte === closeBracket) depth -= 1;
    at += 1;
    if (depth === 0) return at;
  }
  return at;
}

function skipScalar(json: Uint8Array, from: number): number {
  let at = from;
  while (at < json.length) {
    const byte = json[at];
    if (byte === comma || byte === closeBrace || byte === closeBracket || (byte !== undefined && byte <= 0x20)) break;
    at += 1;
  }
  return at;
}

function decodeString(quoted: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(quoted));
}
