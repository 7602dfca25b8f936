import { basename, dirname } from 'node:path';
import type { FakeJob } from './fake-job.ts';

/** A variable as the payload spells it. Order matters, and a later one of the same key wins. */
export interface PayloadVariable {
  key: string;
  value: string;
  public: boolean;
  masked: boolean;
  file?: boolean;
  raw?: boolean;
}

/** Where a job's clone comes from, with its token in it. */
export function repositoryUrl(job: FakeJob, publicUrl: string): string {
  const { protocol, host, pathname } = new URL(publicUrl);
  const prefix = pathname.replace(/\/$/, '');
  return `${protocol}//gitlab-ci-token:${job.token}@${host}${prefix}/${job.spec.project.path}.git`;
}

/** What GitLab predefines, then what the job's author set (protocol document 2.2). */
export function jobVariables(job: FakeJob, publicUrl: string): PayloadVariable[] {
  const { spec } = job;
  const { project } = spec;
  const url = new URL(publicUrl);
  const projectUrl = `${publicUrl}/${project.path}`;
  const branch = spec.ref.replace(/^refs\/(heads|tags|merge-requests)\//, '');
  const isTag = spec.ref.startsWith('refs/tags/');
  const predefined: Record<string, string> = {
    CI: 'true',
    GITLAB_CI: 'true',
    CI_PIPELINE_ID: String(spec.pipelineId),
    CI_PIPELINE_URL: `${projectUrl}/-/pipelines/${spec.pipelineId}`,
    CI_PIPELINE_IID: String(spec.pipelineId),
    CI_PIPELINE_SOURCE: 'push',
    CI_JOB_ID: String(job.id),
    CI_JOB_URL: `${projectUrl}/-/jobs/${job.id}`,
    CI_JOB_NAME: spec.name,
    CI_JOB_NAME_SLUG: spec.name.toLowerCase().replace(/[^a-z0-9]+/g, '-'),
    CI_JOB_STAGE: spec.stage,
    CI_JOB_STATUS: 'running',
    CI_NODE_TOTAL: '1',
    CI_PROJECT_ID: String(project.id),
    CI_PROJECT_NAME: basename(project.path),
    CI_PROJECT_TITLE: basename(project.path),
    CI_PROJECT_PATH: project.path,
    CI_PROJECT_PATH_SLUG: project.path.toLowerCase().replace(/[^a-z0-9]+/g, '-'),
    CI_PROJECT_NAMESPACE: dirname(project.path),
    CI_PROJECT_ROOT_NAMESPACE: project.path.split('/')[0] ?? project.path,
    CI_PROJECT_URL: projectUrl,
    CI_PROJECT_VISIBILITY: 'private',
    CI_DEFAULT_BRANCH: 'main',
    CI_COMMIT_SHA: project.sha,
    CI_COMMIT_SHORT_SHA: project.sha.slice(0, 8),
    CI_COMMIT_BEFORE_SHA: '0'.repeat(40),
    CI_COMMIT_REF_NAME: branch,
    CI_COMMIT_REF_SLUG: branch.toLowerCase().replace(/[^a-z0-9]+/g, '-'),
    ...(isTag ? { CI_COMMIT_TAG: branch } : { CI_COMMIT_BRANCH: branch }),
    CI_COMMIT_MESSAGE: 'Add everything',
    CI_COMMIT_TITLE: 'Add everything',
    CI_SERVER: 'yes',
    CI_SERVER_NAME: 'GitLab',
    CI_SERVER_URL: publicUrl,
    CI_SERVER_HOST: url.hostname,
    CI_SERVER_PORT: url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port,
    CI_SERVER_PROTOCOL: url.protocol.replace(':', ''),
    CI_SERVER_VERSION: '18.11.0',
    CI_API_V4_URL: `${publicUrl}/api/v4`,
    CI_API_GRAPHQL_URL: `${publicUrl}/api/graphql`,
    CI_RUNNER_ID: String(job.runner?.id ?? 0),
    CI_RUNNER_DESCRIPTION: job.runner?.description ?? '',
    CI_RUNNER_TAGS: '[]',
    GITLAB_USER_ID: '1',
    GITLAB_USER_LOGIN: 'demo',
    GITLAB_USER_NAME: 'Demo Author',
    GITLAB_USER_EMAIL: 'author@gitlab.demo',
  };
  const secret = (key: string, value: string): PayloadVariable => ({ key, value, public: false, masked: true });
  return [
    ...Object.entries(predefined).map(([key, value]) => ({ key, value, public: true, masked: false })),
    secret('CI_JOB_TOKEN', job.token),
    secret('CI_REPOSITORY_URL', repositoryUrl(job, publicUrl)),
    { key: 'CI_DEPENDENCY_PROXY_USER', value: 'gitlab-ci-token', public: true, masked: false },
    secret('CI_DEPENDENCY_PROXY_PASSWORD', job.token),
    ...(project.repositoryDirectory === null
      ? [{ key: 'GIT_STRATEGY', value: 'none', public: true, masked: false }]
      : []),
    ...Object.entries(spec.variables).map(([key, given]): PayloadVariable => {
      const variable = typeof given === 'string' ? { value: given } : given;
      return {
        key,
        value: variable.value,
        public: variable.masked !== true,
        masked: variable.masked === true,
        ...(variable.file === undefined ? {} : { file: variable.file }),
        ...(variable.raw === undefined ? {} : { raw: variable.raw }),
      };
    }),
  ];
}
