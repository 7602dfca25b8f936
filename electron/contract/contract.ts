import { z } from 'zod';
import { benchEventSchema } from './deltas.ts';
import { runIdSchema } from './ids.ts';
import { resourcesSchema } from './state.ts';

interface Call<Input extends z.ZodType, Output extends z.ZodType> {
  kind: 'call';
  input: Input;
  output: Output;
}
interface Stream<Event extends z.ZodType> {
  kind: 'stream';
  event: Event;
}
function call<Input extends z.ZodType, Output extends z.ZodType>(input: Input, output: Output): Call<Input, Output> {
  return { kind: 'call', input, output };
}
function stream<Event extends z.ZodType>(event: Event): Stream<Event> {
  return { kind: 'stream', event };
}

/** The most bytes one `trace.read` or `console.read` answers. */
export const sliceLimitBytes = 512 * 1024;
/** How long one `trace.watch` lasts, in milliseconds; a screen repeats it well before. */
export const watchMs = 15_000;
const sliceRequest = z.object({
  runId: runIdSchema,
  fromByte: z.int().nonnegative(),
  maxBytes: z.int().positive().max(sliceLimitBytes).default(sliceLimitBytes),
});
/** A byte range of a trace or console. Bytes are base64, because a range may cut a UTF-8 sequence in two. */
const slice = z.object({
  fromByte: z.int().nonnegative(),
  /** Bytes there are in all, now. */
  sizeBytes: z.int().nonnegative(),
  base64: z.string(),
});
export type Slice = z.infer<typeof slice>;

/**
 * All that a screen may ask of the core: the one place where a call's name is written. A new call is a line here
 * and a handler in the core.
 */
export const contract = {
  /** The bench state: a snapshot first, then numbered deltas. */
  'bench.events': stream(benchEventSchema),
  /** The owner's switch. Off lets running jobs end and takes no new ones. */
  'lending.set': call(z.object({ isEnabled: z.boolean() }), z.null()),
  /** What is lent. Written to the config file; runs that hold more than it keep it until they end. */
  'capacity.set': call(resourcesSchema, z.null()),
  /** Ends a run now; GitLab is told why. */
  'run.stop': call(z.object({ runId: runIdSchema }), z.null()),
  'trace.read': call(sliceRequest, slice),
  /** Says that somebody looks at this trace, for the next `watchMs`: its machine then sends it often. */
  'trace.watch': call(z.object({ runId: runIdSchema }), z.null()),
  /** The machine's serial console. */
  'console.read': call(sliceRequest, slice),
} as const;

export type Contract = typeof contract;
export type CallName = { [K in keyof Contract]: Contract[K] extends { kind: 'call' } ? K : never }[keyof Contract];
export type StreamName = { [K in keyof Contract]: Contract[K] extends { kind: 'stream' } ? K : never }[keyof Contract];
/** What a caller writes (defaults may be left out). */
export type CallInput<K extends CallName> = z.input<Contract[K]['input']>;
/** What a handler gets. */
export type ParsedInput<K extends CallName> = z.output<Contract[K]['input']>;
export type CallOutput<K extends CallName> = z.output<Contract[K]['output']>;
export type StreamEvent<K extends StreamName> = z.output<Contract[K]['event']>;

export const callNames = Object.keys(contract).filter(
  (name): name is CallName => contract[name as keyof Contract].kind === 'call',
);
export const streamNames = Object.keys(contract).filter(
  (name): name is StreamName => contract[name as keyof Contract].kind === 'stream',
);
