import { z } from 'zod';
import { type EpochMs, jobIdSchema } from '../../contract/ids.ts';
import type { AcceptedJob } from './accepted-job.ts';
import { protocolError } from './gitlab-error.ts';

/** Used where GitLab sends none; the official runner would take two hours (protocol document 2.4). */
export const defaultTimeoutSeconds = 3600;

const text = z.string().max(64 * 1024);
const maybeText = text.nullish();
/** Only what we use. Unknown fields exist in every release and `null` stands for many a missing array. */
const payloadSchema = z.object({
  id: jobIdSchema,
  token: z.string().min(1).max(4096),
  job_info: z.object({ name: maybeText, stage: maybeText, project_full_path: maybeText }).nullish(),
  git_info: z.object({ repo_url: maybeText, ref: maybeText, sha: maybeText }).nullish(),
  runner_info: z.object({ timeout: z.number().nullish() }).nullish(),
  variables: z.array(z.object({ key: text, value: z.string().nullish() })).nullish(),
  dependencies: z.array(z.object({ id: jobIdSchema, token: z.string().max(4096).nullish() })).nullish(),
  features: z.object({ failure_reasons: z.array(text).nullish() }).nullish(),
  run: z.unknown().optional(),
});

/**
 * Reads what we need of a 201 of `jobs/request`; the bytes themselves are kept for the machine (protocol document 2.1).
 * @throws GitLabError `gitlab/protocol`; the body is not part of the message, because it holds secrets.
 */
export function parseJobPayload(payload: Uint8Array, receivedAt: EpochMs): AcceptedJob {
  const parsed = payloadSchema.safeParse(parseJson(payload));
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
    throw protocolError(`GitLab sent a job that cannot be understood (fields: ${fields || 'all'})`);
  }
  const job = parsed.data;
  const variable = (key: string) => job.variables?.findLast((entry) => entry.key === key)?.value ?? undefined;
  const projectPath = job.job_info?.project_full_path ?? variable('CI_PROJECT_PATH') ?? '';
  const timeoutSeconds = Math.trunc(job.runner_info?.timeout ?? 0);
  return {
    id: job.id,
    token: job.token,
    payload,
    view: {
      id: job.id,
      name: job.job_info?.name ?? variable('CI_JOB_NAME') ?? `job ${job.id}`,
      stage: job.job_info?.stage ?? variable('CI_JOB_STAGE') ?? '',
      projectPath,
      ref: job.git_info?.ref ?? '',
      sha: job.git_info?.sha ?? '',
      webUrl: httpUrl(variable('CI_JOB_URL')),
    },
    receivedAt,
    timeoutSeconds: timeoutSeconds > 0 ? timeoutSeconds : defaultTimeoutSeconds,
    dependencies: (job.dependencies ?? []).flatMap(({ id, token }) => (token ? [{ id, token }] : [])),
    cloneUrl: cloneUrlOf(job.git_info?.repo_url ?? '', projectPath),
    failureReasons: job.features?.failure_reasons ?? [],
    hasNativeSteps: typeof job.run === 'string' ? job.run.trim() !== '' : job.run !== undefined && job.run !== null,
  };
}

/**
 * The root that git clones from: `repo_url` without userinfo and without `/<project>.git`. Not `CI_SERVER_URL`: an
 * instance may have a clone root of its own (protocol document 2.6).
 */
export function cloneUrlOf(repoUrl: string, projectPath: string): string | null {
  if (!URL.canParse(repoUrl)) return null;
  const url = new URL(repoUrl);
  const suffix = `/${projectPath}.git`;
  if (!['http:', 'https:'].includes(url.protocol) || projectPath === '' || !url.pathname.endsWith(suffix)) return null;
  return `${url.origin}${url.pathname.slice(0, -suffix.length)}`;
}

function httpUrl(value: string | undefined): string | null {
  return value !== undefined && /^https?:\/\//.test(value) && URL.canParse(value) ? value : null;
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return undefined;
  }
}
