import { basename } from 'node:path';
import type { EpochMs } from '../../../electron/contract/ids.ts';
import { knownFailureReasons } from './failure-reasons.ts';
import type { FakeJob } from './fake-job.ts';
import type { ArtifactsSpec, FullJobSpec } from './job-spec.ts';
import { jobVariables, repositoryUrl } from './job-variables.ts';

export interface PayloadContext {
  /** Base of all URLs in the payload, without a trailing slash. */
  publicUrl: string;
  /** Older servers put each dependency's own token into `dependencies[]`, current ones the running job's. */
  dependencyTokens: 'running-job' | 'dependency';
  now: EpochMs;
}

/** The body of the 201, as text (protocol document 2.1). Lists that are empty are `null` where GitLab sends that. */
export function jobPayload(job: FakeJob, context: PayloadContext): string {
  const { spec } = job;
  const { project } = spec;
  const payload = {
    id: job.id,
    token: job.token,
    allow_git_fetch: true,
    job_info: {
      id: job.id,
      name: spec.name,
      stage: spec.stage,
      project_id: project.id,
      project_name: basename(project.path),
      project_full_path: project.path,
      pipeline_id: spec.pipelineId,
      namespace_id: 1,
      root_namespace_id: 1,
      organization_id: 1,
      instance_id: 'c0ffee00-0000-4000-8000-000000000001',
      instance_uuid: 'c0ffee00-0000-4000-8000-000000000002',
      user_id: 1,
      scoped_user_id: null,
      time_in_queue_seconds: Math.max(0, (context.now - job.createdAt) / 1000),
      project_jobs_running_on_instance_runners_count: '+Inf',
      queue_size: 1,
      queue_depth: 1,
    },
    git_info: gitInfo(job, context.publicUrl),
    runner_info: { timeout: spec.timeoutSeconds, runner_session_url: null },
    inputs: [],
    variables: jobVariables(job, context.publicUrl),
    ...(spec.nativeSteps === null ? { steps: steps(spec) } : { run: JSON.stringify(spec.nativeSteps) }),
    hooks:
      spec.preGetSourcesScript.length === 0
        ? []
        : [{ name: 'pre_get_sources_script', script: spec.preGetSourcesScript }],
    image: spec.image === null ? null : { name: spec.image, entrypoint: null, pull_policy: null },
    services: spec.services.map((name) => ({ name, alias: null, entrypoint: null, command: null })),
    artifacts: spec.artifacts === null ? null : artifacts(spec.artifacts),
    cache: spec.cache.map((cache) => ({
      key: cache.key,
      untracked: false,
      policy: 'pull-push',
      paths: cache.paths,
      when: 'on_success',
      fallback_keys: cache.fallbackKeys ?? [],
    })),
    credentials: [],
    dependencies: spec.dependencies.map((dependency) => ({
      id: dependency.id,
      name: dependency.name,
      token: context.dependencyTokens === 'running-job' ? job.token : dependency.token,
      ...(dependency.archive === undefined
        ? {}
        : { artifacts_file: { filename: dependency.archive.filename, size: dependency.archive.sizeBytes } }),
    })),
    features: { trace_sections: true, token_mask_prefixes: [], failure_reasons: knownFailureReasons },
    ...(spec.secrets === null ? {} : { secrets: spec.secrets }),
  };
  const text = JSON.stringify(payload);
  return spec.editPayload === null ? text : spec.editPayload(text);
}

function gitInfo(job: FakeJob, publicUrl: string) {
  const { spec } = job;
  const { project } = spec;
  const name = spec.ref.replace(/^refs\/(heads|tags)\//, '');
  const isTag = spec.ref.startsWith('refs/tags/');
  const pipelineRef = `refs/pipelines/${spec.pipelineId}`;
  const refspecs = [`+${pipelineRef}:${pipelineRef}`];
  if (isTag) refspecs.push(`+refs/tags/${name}:refs/tags/${name}`);
  else if (!spec.ref.startsWith('refs/merge-requests/')) {
    refspecs.push(`+refs/heads/${name}:refs/remotes/origin/${name}`);
  }
  return {
    repo_url: repositoryUrl(job, publicUrl),
    repo_object_format: 'sha1',
    ref: name,
    sha: project.sha,
    before_sha: '0'.repeat(40),
    ref_type: isTag ? 'tag' : 'branch',
    refspecs,
    depth: 20,
    protected: false,
  };
}

function steps(spec: FullJobSpec) {
  const step = (name: string, script: readonly string[], when: string, allowFailure: boolean) => ({
    name,
    script,
    timeout: spec.timeoutSeconds,
    when,
    allow_failure: allowFailure,
  });
  return [
    step('script', spec.script, 'on_success', false),
    ...(spec.releaseScript.length === 0 ? [] : [step('release', spec.releaseScript, 'on_success', false)]),
    ...(spec.afterScript.length === 0 ? [] : [step('after_script', spec.afterScript, 'always', true)]),
  ];
}

function artifacts(spec: ArtifactsSpec) {
  const archive = {
    name: spec.name ?? null,
    untracked: spec.untracked ?? null,
    paths: spec.paths ?? null,
    when: spec.when ?? 'on_success',
    expire_in: spec.expireIn ?? null,
    artifact_type: 'archive',
    artifact_format: 'zip',
    ...(spec.exclude === undefined ? {} : { exclude: spec.exclude }),
  };
  const reports = Object.entries(spec.reports ?? {}).map(([type, paths]) => ({
    name: type === 'junit' ? 'junit.xml' : type === 'dotenv' ? '.env' : `${type}.json`,
    paths,
    when: 'always',
    artifact_type: type,
    artifact_format: 'gzip',
    ...(spec.expireIn === undefined ? {} : { expire_in: spec.expireIn }),
  }));
  return spec.paths === undefined && spec.untracked !== true ? reports : [archive, ...reports];
}
