import { z } from 'zod';
import type { RunnerInfo } from '../gitlab/runner-info.ts';

/** What the runner in a machine says about itself. */
export type GuestRunnerInfo = RunnerInfo;

const shortText = z.string().max(256).default('');
const infoSchema = z.object({
  name: shortText,
  version: shortText,
  revision: shortText,
  platform: shortText,
  architecture: shortText,
  executor: shortText,
  shell: shortText,
  features: z
    .record(z.string().max(64), z.unknown())
    .default({})
    .refine((features) => Object.keys(features).length <= 200),
});
const tokenText = z.string().max(4096);
const askSchema = z.object({ token: tokenText, info: z.unknown().optional() });
const updateSchema = z.object({
  // The header may be missing before 17.11, the body's token never was; one of the two has to be there.
  token: tokenText.nullish(),
  state: z.string().min(1).max(64),
  failure_reason: z.string().max(256).nullish(),
  exit_code: z.int().nullish(),
});

/** The body of `jobs/request` and `runners/verify` (protocol document 1.2). */
export interface RunnerAsk {
  token: string;
  info: GuestRunnerInfo | null;
}

/** The body of `PUT /jobs/:id` (protocol document 4.1), as far as we look at it. */
export interface JobUpdateBody {
  token: string | undefined;
  state: string;
  failureReason: string | null;
  exitCode: number | null;
}

/** @returns undefined for anything that is no such body. */
export function parseRunnerAsk(body: Uint8Array): RunnerAsk | undefined {
  const ask = askSchema.safeParse(parseJson(body));
  if (!ask.success) return undefined;
  const info = infoSchema.safeParse(ask.data.info);
  if (!info.success) return { token: ask.data.token, info: null };
  const features = Object.fromEntries(
    Object.entries(info.data.features).map(([name, value]) => [name, value === true]),
  );
  return { token: ask.data.token, info: { ...info.data, features } };
}

/** @returns undefined for anything that is no such body. */
export function parseJobUpdate(body: Uint8Array): JobUpdateBody | undefined {
  const parsed = updateSchema.safeParse(parseJson(body));
  if (!parsed.success) return undefined;
  const { token, state, failure_reason: failureReason, exit_code: exitCode } = parsed.data;
  return { token: token ?? undefined, state, failureReason: failureReason ?? null, exitCode: exitCode ?? null };
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
