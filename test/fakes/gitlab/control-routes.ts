import { z } from 'zod';
import { type Exchange, Refusal } from './exchange.ts';
import type { FakeJob } from './fake-job.ts';
import type { JobSpec } from './job-spec.ts';
import { limits } from './limits.ts';
import { type FakeProject, isProjectPath, type ProjectSpec } from './projects.ts';
import type { Route } from './routes.ts';
import { type FakeRunner, isSameSecret } from './runners.ts';

/** What the control API works on: the stand-in as a test in the same process has it. */
export interface Controlled {
  readonly controlToken: string;
  readonly jobs: readonly FakeJob[];
  readonly runners: readonly FakeRunner[];
  job(id: number): FakeJob | undefined;
  project(path: string): FakeProject | undefined;
  addProject(spec: ProjectSpec): Promise<FakeProject>;
  enqueue(spec: JobSpec): FakeJob;
}

const lines = z.array(z.string().max(10_000)).max(1000);
const name = z.string().min(1).max(255);
const jobIds = z.array(z.int()).max(50);

const artifactsSchema = z.strictObject({
  name: name.exactOptional(),
  paths: lines.exactOptional(),
  exclude: lines.exactOptional(),
  untracked: z.boolean().exactOptional(),
  when: z.enum(['on_success', 'on_failure', 'always']).exactOptional(),
  expireIn: name.exactOptional(),
  reports: z.record(name, lines).exactOptional(),
});

/** As `JobSpec`, with a project by path and other jobs by id. */
const jobSchema = z.strictObject({
  name: name.exactOptional(),
  stage: name.exactOptional(),
  project: z.string().exactOptional(),
  pipelineId: z.int().positive().exactOptional(),
  ref: name.exactOptional(),
  script: lines.exactOptional(),
  afterScript: lines.exactOptional(),
  variables: z
    .record(
      name,
      z.union([
        z.string(),
        z.strictObject({
          value: z.string(),
          masked: z.boolean().exactOptional(),
          file: z.boolean().exactOptional(),
          raw: z.boolean().exactOptional(),
        }),
      ]),
    )
    .exactOptional(),
  artifacts: artifactsSchema.exactOptional(),
  needs: jobIds.exactOptional(),
  dependencies: jobIds.exactOptional(),
  timeoutSeconds: z.int().positive().exactOptional(),
  tags: lines.exactOptional(),
  image: name.exactOptional(),
  services: lines.exactOptional(),
});

const projectSchema = z.strictObject({
  path: z.string().refine(isProjectPath),
  files: z.record(name, z.string().max(limits.jsonBodyBytes)).exactOptional(),
});

const cancelSchema = z.strictObject({ force: z.boolean().default(false) });
const runnerSchema = z.strictObject({ paused: z.boolean() });

/** The user's side of GitLab, for programs: `/-/control/...`, each request with `Authorization: Bearer <control token>`. */
export function controlRoutes(gitlab: Controlled): Route[] {
  const route = (
    method: Route['method'],
    path: string,
    answer: (exchange: Exchange, parameters: readonly string[]) => Promise<void>,
  ): Route => ({
    name: 'control',
    method,
    path: new RegExp(`^/-/control/${path}$`),
    handle: async (exchange, parameters) => {
      authorize(exchange, gitlab.controlToken);
      await answer(exchange, parameters);
    },
  });
  const jobAt = (id: string | undefined): FakeJob => {
    const job = gitlab.job(Number(id));
    if (job === undefined) throw new Refusal(404, '404 Not Found');
    return job;
  };
  return [
    route('GET', 'jobs', (exchange) => exchange.replyJson(200, gitlab.jobs.map(jobView))),
    route('POST', 'jobs', async (exchange) => {
      const asked = await exchange.json(jobSchema, limits.jsonBodyBytes);
      await exchange.replyJson(201, jobView(gitlab.enqueue(jobSpec(gitlab, asked))));
    }),
    route('GET', 'jobs/([0-9]{1,15})', (exchange, [id]) => exchange.replyJson(200, jobView(jobAt(id)))),
    route('POST', 'jobs/([0-9]{1,15})/cancel', async (exchange, [id]) => {
      const job = jobAt(id);
      const { force } = await exchange.json(cancelSchema, limits.jsonBodyBytes);
      if (force) job.forceCancel();
      else job.cancel();
      await exchange.replyJson(200, jobView(job));
    }),
    route('GET', 'jobs/([0-9]{1,15})/trace', (exchange, [id]) =>
      exchange.reply(200, { headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: jobAt(id).trace }),
    ),
    route('POST', 'projects', async (exchange) => {
      const asked = await exchange.json(projectSchema, limits.jsonBodyBytes);
      if (gitlab.project(asked.path) !== undefined) throw new Refusal(400, 'there is such a project already');
      const project = await gitlab.addProject(asked);
      await exchange.replyJson(201, { id: project.id, path: project.path, sha: project.sha });
    }),
    route('GET', 'runners', (exchange) => exchange.replyJson(200, gitlab.runners.map(runnerView))),
    route('PUT', 'runners/([0-9]{1,15})', async (exchange, [id]) => {
      const runner = gitlab.runners.find((other) => other.id === Number(id));
      if (runner === undefined) throw new Refusal(404, '404 Not Found');
      runner.setPaused((await exchange.json(runnerSchema, limits.jsonBodyBytes)).paused);
      await exchange.replyJson(200, runnerView(runner));
    }),
  ];
}

function authorize(exchange: Exchange, token: string): void {
  const given = /^Bearer (\S+)$/.exec(exchange.header('authorization') ?? '')?.[1];
  if (given === undefined || !isSameSecret(token, given)) {
    throw new Refusal(401, '401 Unauthorized', { 'WWW-Authenticate': 'Bearer' });
  }
}

function jobSpec(gitlab: Controlled, asked: z.infer<typeof jobSchema>): JobSpec {
  const { project: path, needs, dependencies, ...same } = asked;
  const project = path === undefined ? undefined : gitlab.project(path);
  if (path !== undefined && project === undefined) throw new Refusal(400, 'project is invalid: there is none');
  const jobs = (ids: readonly number[]) =>
    ids.map((id) => {
      const job = gitlab.job(id);
      if (job === undefined) throw new Refusal(400, `needs is invalid: there is no job ${id}`);
      return job;
    });
  return {
    ...same,
    ...(project === undefined ? {} : { project }),
    ...(needs === undefined ? {} : { needs: jobs(needs) }),
    ...(dependencies === undefined ? {} : { dependencies: jobs(dependencies) }),
  };
}

function jobView(job: FakeJob) {
  return {
    id: job.id,
    name: job.name,
    stage: job.spec.stage,
    project: job.spec.project.path,
    pipelineId: job.spec.pipelineId,
    state: job.state,
    failureReason: job.failureReason,
    exitCode: job.exitCode,
    createdAt: job.createdAt,
    startedAt: job.startedAt,
    finishedAt: job.finishedAt,
    systemId: job.manager?.systemId ?? null,
    traceSizeBytes: job.traceSizeBytes,
    artifacts: job.artifacts.map(({ type, filename, sizeBytes, sha256 }) => ({ type, filename, sizeBytes, sha256 })),
  };
}

function runnerView(runner: FakeRunner) {
  const managers = [...runner.managersBySystemId.values()];
  return {
    id: runner.id,
    description: runner.description,
    isPaused: runner.isPaused,
    managers: managers.map(({ systemId, contactedAt, info }) => ({ systemId, contactedAt, info })),
  };
}
