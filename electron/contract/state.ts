import { z } from 'zod';
import { wireErrorSchema } from './errors.ts';
import { epochMsSchema, jobIdSchema, runIdSchema, runnerIdSchema } from './ids.ts';

/** What is lent or held: whole CPUs, bytes, and the number of runs at once. */
export const resourcesSchema = z.object({
  cpus: z.int().nonnegative(),
  memoryBytes: z.int().nonnegative(),
  diskBytes: z.int().nonnegative(),
  slotCount: z.int().nonnegative(),
});
export type Resources = z.infer<typeof resourcesSchema>;

/** The phases of a run in the order they come; a run may go to `finished` from any of them. */
export const runPhases = [
  'reserved',
  'accepted',
  'preparing',
  'booting',
  'ready',
  'running',
  'finishing',
  'finished',
] as const;
export const runPhaseSchema = z.enum(runPhases);
export type RunPhase = z.infer<typeof runPhaseSchema>;

export const jobViewSchema = z.object({
  id: jobIdSchema,
  name: z.string(),
  stage: z.string(),
  projectPath: z.string(),
  ref: z.string(),
  sha: z.string(),
  /** The job's page at GitLab, when GitLab named it. */
  webUrl: z.string().nullable(),
});
export type JobView = z.infer<typeof jobViewSchema>;

/** How a run ended. `failureReason` is GitLab's own string; `why` is one sentence for a person. */
export const outcomeSchema = z.object({
  state: z.enum(['success', 'failed', 'canceled']),
  failureReason: z.string().nullable(),
  exitCode: z.int().nullable(),
  why: z.string(),
  error: wireErrorSchema.nullable(),
});
export type Outcome = z.infer<typeof outcomeSchema>;

export const phaseMarkSchema = z.object({ phase: runPhaseSchema, at: epochMsSchema });
export type PhaseMark = z.infer<typeof phaseMarkSchema>;

const runBase = {
  id: runIdSchema,
  runner: runnerIdSchema,
  /** Name of the machine kind in the config. */
  machine: z.string(),
  image: z.string(),
  job: jobViewSchema,
  /** When each phase began, oldest first. */
  timeline: z.array(phaseMarkSchema),
  /** Bytes of the trace that GitLab acknowledged and we hold. */
  traceBytes: z.int().nonnegative(),
};
export const runViewSchema = z.discriminatedUnion('phase', [
  z.object({ ...runBase, phase: z.enum(['reserved', 'accepted', 'preparing']) }),
  z.object({ ...runBase, phase: z.enum(['booting', 'ready']), pid: z.int().positive() }),
  z.object({ ...runBase, phase: z.literal('running'), pid: z.int().positive(), isCanceling: z.boolean() }),
  z.object({ ...runBase, phase: z.literal('finishing'), why: z.string() }),
  z.object({ ...runBase, phase: z.literal('finished'), outcome: outcomeSchema }),
]);
export type RunView = z.infer<typeof runViewSchema>;

export const runnerStatusSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('idle'), why: z.string() }),
  z.object({ kind: z.literal('polling'), isLongPoll: z.boolean() }),
  z.object({ kind: z.literal('backing-off'), until: epochMsSchema, error: wireErrorSchema }),
  z.object({ kind: z.literal('stopped'), error: wireErrorSchema }),
]);
export type RunnerStatus = z.infer<typeof runnerStatusSchema>;

export const runnerViewSchema = z.object({
  id: runnerIdSchema,
  connection: z.string(),
  name: z.string(),
  gitlabUrl: z.string(),
  machine: z.string(),
  status: runnerStatusSchema,
  lastAnswerAt: epochMsSchema.nullable(),
});
export type RunnerView = z.infer<typeof runnerViewSchema>;

export const lendingViewSchema = z.object({
  /** The owner's switch. */
  isEnabled: z.boolean(),
  /** Whether a new job would be taken now. */
  isLending: z.boolean(),
  /** Why not, one sentence each; empty while lending. */
  reasons: z.array(z.string()),
});
export type LendingView = z.infer<typeof lendingViewSchema>;

export const capacityViewSchema = z.object({
  /** What the owner lends. */
  lent: resourcesSchema,
  /** What runs and polls hold of it. */
  reserved: resourcesSchema,
  /** What this PC has; the sliders end here. `slotCount` is the most that makes sense. */
  host: resourcesSchema,
});
export type CapacityView = z.infer<typeof capacityViewSchema>;

export const hostViewSchema = z.object({
  accelerator: z.object({ kind: z.enum(['kvm', 'tcg']), why: z.string() }).nullable(),
  egress: z.object({ kind: z.enum(['routed', 'filtered']), why: z.string() }).nullable(),
  qemuVersion: z.string().nullable(),
});
export type HostView = z.infer<typeof hostViewSchema>;

/** Something that is wrong now and that the owner can mend; it goes away by itself when it is mended. */
export const problemSchema = wireErrorSchema.extend({ id: z.string(), since: epochMsSchema });

/** All that a screen shows, except trace and console bytes. */
export const benchStateSchema = z.object({
  version: z.string(),
  startedAt: epochMsSchema,
  host: hostViewSchema,
  lending: lendingViewSchema,
  capacity: capacityViewSchema,
  runnersById: z.record(z.string(), runnerViewSchema),
  runsById: z.record(z.string(), runViewSchema),
  /** Finished runs, newest first, at most `historyLimit`. */
  history: z.array(runViewSchema),
  problems: z.array(problemSchema),
});
export type BenchState = z.infer<typeof benchStateSchema>;

export const historyLimit = 200;
