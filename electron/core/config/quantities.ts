const unitBytes: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const largestBytes = 2 ** 50;

/**
 * Reads a size: `512M`, `8G`, `1.5GiB`, or a plain number of bytes. Units are binary with or without `iB`.
 * @returns Whole bytes, or undefined where it is no size.
 */
export function parseSize(value: unknown): number | undefined {
  if (typeof value === 'number') return wholeBytes(value);
  if (typeof value !== 'string') return undefined;
  const match = /^(\d{1,16}(?:\.\d{1,3})?) ?(?:([KMGT])(?:iB)?)?$/.exec(value.trim());
  const [, amount, unit = ''] = match ?? [];
  const factor = unitBytes[unit];
  return amount === undefined || factor === undefined ? undefined : wholeBytes(Number(amount) * factor);
}

/** The shortest way to write a size so that `parseSize` gives the same bytes back. */
export function formatSize(sizeBytes: number): string {
  for (const unit of ['T', 'G', 'M', 'K']) {
    const factor = unitBytes[unit] ?? 1;
    if (sizeBytes >= factor && sizeBytes % factor === 0) return `${sizeBytes / factor}${unit}`;
  }
  return String(sizeBytes);
}

/**
 * Reads a duration: `90s`, `10m`, `1.5h`, `500ms`. A plain number is refused, because nobody can tell its unit.
 * @returns Whole milliseconds, or undefined where it is no duration.
 */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const match = /^(\d{1,9}(?:\.\d{1,3})?) ?(ms|s|m|h)$/.exec(value.trim());
  const [, amount, unit = ''] = match ?? [];
  const factor = unitMs[unit];
  return amount === undefined || factor === undefined ? undefined : Math.round(Number(amount) * factor);
}

function wholeBytes(amount: number): number | undefined {
  const rounded = Math.round(amount);
  return Number.isFinite(amount) && amount >= 0 && rounded <= largestBytes ? rounded : undefined;
}
