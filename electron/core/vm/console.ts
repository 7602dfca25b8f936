import { stripVTControlCharacters } from 'node:util';
import { sliceLimitBytes } from '../../contract/contract.ts';
import type { PlatformDeps } from '../platform/deps.ts';

/** Bytes of a console log from `fromByte` on, and how many there are in all. */
export interface ConsoleSlice {
  fromByte: number;
  sizeBytes: number;
  bytes: Uint8Array;
}

/** How much of the end of a log is looked at for its last lines. */
const tailBytes = 16 * 1024;
const lineLimit = 300;

/**
 * A range of a console log, for a viewer. What a job prints there is the job's: bytes, not yet text.
 * @returns At most `sliceLimitBytes`; no bytes past the end, or where there is no log (yet).
 */
export async function readConsole(
  deps: Pick<PlatformDeps, 'files'>,
  path: string,
  fromByte: number,
  maxBytes: number,
): Promise<ConsoleSlice> {
  const sizeBytes = (await deps.files.sizeBytes(path)) ?? 0;
  const wantedBytes = Math.min(maxBytes, sliceLimitBytes, sizeBytes - fromByte);
  const bytes = wantedBytes > 0 ? await deps.files.readRange(path, fromByte, wantedBytes) : new Uint8Array();
  return { fromByte, sizeBytes, bytes };
}

/** The last lines of a log, fit for an error message; none where there is no log. */
export async function lastLinesOfFile(
  deps: Pick<PlatformDeps, 'files'>,
  path: string,
  lineCount: number,
): Promise<string[]> {
  return lastLines(await readTail(deps, path), lineCount);
}

/** The last 16 KiB of a log; nothing where there is none. */
export async function readTail(deps: Pick<PlatformDeps, 'files'>, path: string): Promise<Uint8Array> {
  const sizeBytes = (await deps.files.sizeBytes(path)) ?? 0;
  if (sizeBytes === 0) return new Uint8Array();
  return await deps.files.readRange(path, Math.max(0, sizeBytes - tailBytes), tailBytes);
}

/** How a kernel begins its last message; the message ends with the same words after "end". */
const panicPattern = /(?<!end )Kernel panic - not syncing/;

/**
 * What a console says about the end of its machine: the beginning of a kernel panic where there is one, for what
 * follows it is registers; else the last lines.
 */
export function lastWords(bytes: Uint8Array, lineCount: number): { hasPanicked: boolean; lines: string[] } {
  const lines = lastLines(bytes, bytes.length);
  const panicAt = lines.findLastIndex((line) => panicPattern.test(line));
  if (panicAt >= 0) return { hasPanicked: true, lines: lines.slice(panicAt, panicAt + lineCount) };
  return { hasPanicked: false, lines: lines.slice(-lineCount) };
}

/**
 * The last lines that hold something, of at most 300 characters each: without terminal sequences, control characters
 * and the invisible ones that turn or hide text.
 */
export function lastLines(bytes: Uint8Array, lineCount: number): string[] {
  return stripVTControlCharacters(new TextDecoder().decode(bytes))
    .split(/\r\n|\r|\n/)
    .map((line) =>
      line
        .replaceAll('\t', ' ')
        .replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]/gu, '')
        .trim()
        .slice(0, lineLimit),
    )
    .filter((line) => line !== '')
    .slice(-lineCount);
}
