/** Offsets are bytes; `last` is the last byte itself. */
export type ByteRange = { kind: 'whole' } | { kind: 'part'; first: number; last: number } | { kind: 'unsatisfiable' };

/** What a `Range` header asks of a file. What is not understood, and several ranges at once, mean the whole file (RFC 9110, 14.2). */
export function byteRange(header: string | undefined, sizeBytes: number): ByteRange {
  const match = /^bytes=([0-9]{0,15})-([0-9]{0,15})$/.exec(header ?? '');
  const [, from = '', to = ''] = match ?? [];
  if (match === null || (from === '' && to === '')) return { kind: 'whole' };
  if (from === '') {
    const count = Math.min(Number(to), sizeBytes);
    return count === 0 ? { kind: 'unsatisfiable' } : { kind: 'part', first: sizeBytes - count, last: sizeBytes - 1 };
  }
  const first = Number(from);
  const last = to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (first >= sizeBytes) return { kind: 'unsatisfiable' };
  return last < first ? { kind: 'whole' } : { kind: 'part', first, last };
}
