import { randomBytes, randomInt } from 'node:crypto';
import type { RunId } from '../../contract/ids.ts';

/** Chance, passed in so that a test can repeat it. */
export interface Random {
  /** In [0, 1). For jitter, not for secrets. */
  fraction(): number;
  /** `length` characters of [0-9A-Za-z] from a cryptographic source. */
  base62(length: number): string;
  runId(): RunId;
}

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export const systemRandom: Random = {
  fraction: () => Math.random(),
  base62: (length) => Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join(''),
  runId: () => randomBytes(4).toString('hex') as RunId,
};
