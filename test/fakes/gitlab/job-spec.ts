import type { FakeJob } from './fake-job.ts';
import type { FakeProject } from './projects.ts';
import type { FakeRunner } from './runners.ts';

export interface VariableSpec {
  value: string;
  masked?: boolean;
  file?: boolean;
  raw?: boolean;
}

export type ArtifactWhen = 'on_success' | 'on_failure' | 'always';

export interface ArtifactsSpec {
  name?: string;
  paths?: readonly string[];
  exclude?: readonly string[];
  untracked?: boolean;
  when?: ArtifactWhen;
  /** As in `.gitlab-ci.yml`: `1 week`. */
  expireIn?: string;
  /** Paths by report type: `{ junit: ['report.xml'] }`. */
  reports?: Readonly<Record<string, readonly string[]>>;
}

export interface CacheSpec {
  key: string;
  paths: readonly string[];
  fallbackKeys?: readonly string[];
}

/** A job as a test or a demo describes it; whatever is left out has a default. */
export interface JobSpec {
  name?: string;
  stage?: string;
  /** Default: a project without a repository, whose jobs do not clone. */
  project?: FakeProject;
  /** Default: the pipeline of the first needed job, or else a new one. */
  pipelineId?: number;
  /** Branch, `refs/tags/NAME` or `refs/merge-requests/N/head`; default `main`. */
  ref?: string;
  script?: readonly string[];
  afterScript?: readonly string[];
  preGetSourcesScript?: readonly string[];
  /** The script of `release:`. */
  releaseScript?: readonly string[];
  variables?: Readonly<Record<string, string | VariableSpec>>;
  artifacts?: ArtifactsSpec;
  cache?: readonly CacheSpec[];
  /** The job is offered when all of these have succeeded, and skipped when one of them did not. */
  needs?: readonly FakeJob[];
  /** Whose artifacts it gets; default: those of `needs`. They are waited for as `needs` are. */
  dependencies?: readonly FakeJob[];
  timeoutSeconds?: number;
  /** Kept for the reader; which runner gets the job does not depend on them. */
  tags?: readonly string[];
  image?: string;
  services?: readonly string[];
  allowFailureExitCodes?: readonly number[];
  retryExitCodes?: readonly number[];
  /** `secrets:` as the payload spells it. */
  secrets?: Readonly<Record<string, unknown>>;
  /** `run:`, native steps; the payload then has no `steps`. */
  nativeSteps?: readonly unknown[];
  /** Only this runner is offered the job; default: all. */
  runner?: FakeRunner;
  /** Last word on the payload's text, for what no field above can say. */
  editPayload?: (json: string) => string;
}

/** A job's description with every default filled in. */
export type FullJobSpec = Readonly<
  Required<Omit<JobSpec, 'image' | 'artifacts' | 'nativeSteps' | 'secrets' | 'runner' | 'editPayload'>>
> & {
  readonly image: string | null;
  readonly artifacts: ArtifactsSpec | null;
  readonly nativeSteps: readonly unknown[] | null;
  readonly secrets: Readonly<Record<string, unknown>> | null;
  readonly runner: FakeRunner | null;
  readonly editPayload: ((json: string) => string) | null;
};

export function completeJobSpec(spec: JobSpec, project: FakeProject, newPipelineId: () => number): FullJobSpec {
  const needs = spec.needs ?? [];
  return {
    name: spec.name ?? 'test',
    stage: spec.stage ?? 'test',
    project,
    pipelineId: spec.pipelineId ?? needs[0]?.spec.pipelineId ?? newPipelineId(),
    ref: spec.ref ?? 'main',
    script: spec.script ?? ['echo hello'],
    afterScript: spec.afterScript ?? [],
    preGetSourcesScript: spec.preGetSourcesScript ?? [],
    releaseScript: spec.releaseScript ?? [],
    variables: spec.variables ?? {},
    artifacts: spec.artifacts ?? null,
    cache: spec.cache ?? [],
    needs,
    dependencies: spec.dependencies ?? needs,
    timeoutSeconds: spec.timeoutSeconds ?? 3600,
    tags: spec.tags ?? [],
    image: spec.image ?? null,
    services: spec.services ?? [],
    allowFailureExitCodes: spec.allowFailureExitCodes ?? [],
    retryExitCodes: spec.retryExitCodes ?? [],
    secrets: spec.secrets ?? null,
    nativeSteps: spec.nativeSteps ?? null,
    runner: spec.runner ?? null,
    editPayload: spec.editPayload ?? null,
  };
}
