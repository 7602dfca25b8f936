import { z } from 'zod';
import type { Files } from '../platform/files.ts';

/** Bytes `[fromByte, toByte)` that GitLab has and we have not: nobody can ask GitLab for them with a job token. */
export const gapSchema = z.strictObject({ fromByte: z.int().nonnegative(), toByte: z.int().positive() });
export type Gap = z.infer<typeof gapSchema>;

/** Beyond this many the trace is so torn that one gap more tells nobody anything. */
const gapLimit = 1_000;
const gapsSchema = z.array(gapSchema).max(gapLimit);

/** Adds a gap; pure. A gap that follows the last one directly makes it longer, and past the limit the last one grows. */
export function addGap(gaps: readonly Gap[], gap: Gap): Gap[] {
  const last = gaps.at(-1);
  if (last === undefined || (last.toByte < gap.fromByte && gaps.length < gapLimit)) return [...gaps, gap];
  return [...gaps.slice(0, -1), { fromByte: last.fromByte, toByte: gap.toByte }];
}

/** The parts of `gaps` within `[fromByte, toByte)`. */
export function gapsWithin(gaps: readonly Gap[], fromByte: number, toByte: number): Gap[] {
  return gaps
    .map((gap) => ({ fromByte: Math.max(gap.fromByte, fromByte), toByte: Math.min(gap.toByte, toByte) }))
    .filter((gap) => gap.fromByte < gap.toByte);
}

/** Reads what `writeGaps` left; a file that cannot be understood counts as none, the trace is still worth showing. */
export async function readGaps(files: Pick<Files, 'exists' | 'readText'>, path: string): Promise<Gap[]> {
  if (!(await files.exists(path))) return [];
  try {
    return gapsSchema.parse(JSON.parse(await files.readText(path)));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return [];
    throw error;
  }
}

export async function writeGaps(files: Pick<Files, 'writeAtomically'>, path: string, gaps: readonly Gap[]) {
  await files.writeAtomically(path, `${JSON.stringify(gaps)}\n`, 0o600);
}
