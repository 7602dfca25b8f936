import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { EpochMs } from '../../../electron/contract/ids.ts';
import { type Clock, systemClock } from '../../../electron/core/platform/clock.ts';
import { systemRandom } from '../../../electron/core/platform/random.ts';
import { artifactRoutes } from './artifact-routes.ts';
import { ArtifactStore } from './artifact-store.ts';
import { controlRoutes } from './control-routes.ts';
import { ClientGone, Exchange, Refusal } from './exchange.ts';
import type { FakeJob, JobChange } from './fake-job.ts';
import { type Fault, Faults } from './faults.ts';
import { gitRoutes } from './git-routes.ts';
import { JobQueue } from './job-queue.ts';
import { jobRoutes } from './job-routes.ts';
import { completeJobSpec, type JobSpec } from './job-spec.ts';
import { type FakeProject, ProjectRegistry, type ProjectSpec, publishPipelineRef } from './projects.ts';
import { type LoggedRequest, RequestLog } from './request-log.ts';
import { findRoute, type Route, type RouteName } from './routes.ts';
import { runnerRoutes } from './runner-routes.ts';
import { type FakeRunner, type FakeRunnerOptions, RunnerRegistry } from './runners.ts';
import type { GitLabSettings } from './settings.ts';

export interface FakeGitLabOptions extends Partial<GitLabSettings> {
  /** Where artifacts and git repositories are kept. */
  directory: string;
  /** Of a sub-path installation; default none. */
  basePath?: '' | '/gitlab';
  /** Default: any free one. */
  port?: number;
  /** Runs long polls, delays and the server's own time limits; default the real one. */
  clock?: Clock;
  /** PEM texts; https instead of http. */
  tls?: { key: string; cert: string };
  /** How many requests are remembered; default 10,000. */
  requestLogSize?: number;
}

export type GitLabChange = JobChange | { kind: 'request'; request: LoggedRequest };

/**
 * A GitLab instance as a runner sees it, on 127.0.0.1. It keeps jobs, traces and artifacts, and refuses what GitLab
 * refuses.
 */
export class FakeGitLab implements AsyncDisposable {
  /** Base of the instance, with the base path, without a trailing slash. */
  readonly url: string;
  /** For requests to `/-/control/`. */
  readonly controlToken = `control-${systemRandom.base62(24)}`;
  readonly settings: GitLabSettings;
  /** Errors of the stand-in itself; a disposal throws them. */
  readonly internalErrors: unknown[] = [];
  readonly #clock: Clock;
  readonly #basePath: string;
  readonly #server: Server;
  readonly #routes: readonly Route[];
  readonly #runners = new RunnerRegistry();
  readonly #projects: ProjectRegistry;
  readonly #queue: JobQueue;
  readonly #faults = new Faults();
  readonly #log: RequestLog;
  readonly #listeners = new Set<(change: GitLabChange) => void>();
  readonly #closing = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  #lastPipelineId = 100;

  private constructor(server: Server, options: FakeGitLabOptions, url: string) {
    const clock = options.clock ?? systemClock;
    this.url = url;
    this.#server = server;
    this.#clock = clock;
    this.#basePath = options.basePath ?? '';
    this.#log = new RequestLog(options.requestLogSize ?? 10_000);
    this.settings = {
      longPollMs: options.longPollMs ?? 0,
      publicUrl: (options.publicUrl ?? url).replace(/\/$/, ''),
      traceUpdateIntervalSeconds: options.traceUpdateIntervalSeconds ?? 60,
      traceLimitMebibytes: options.traceLimitMebibytes ?? 100,
      artifactLimitBytes: options.artifactLimitBytes ?? 4 * 1024 ** 3,
      acceptedFinalUpdates: options.acceptedFinalUpdates ?? 0,
      hasObjectStorage: options.hasObjectStorage ?? false,
      redirectsUploads: options.redirectsUploads ?? false,
      dependencyTokens: options.dependencyTokens ?? 'running-job',
    };
    this.#projects = new ProjectRegistry(options.directory);
    this.#queue = new JobQueue({ clock, runners: this.#runners, onChange: (change) => this.#report(change) });
    const deps = {
      clock,
      runners: this.#runners,
      projects: this.#projects,
      queue: this.#queue,
      store: new ArtifactStore(options.directory),
      settings: this.settings,
    };
    this.#routes = [
      ...runnerRoutes(deps),
      ...jobRoutes(deps),
      ...artifactRoutes(deps),
      ...gitRoutes(deps),
      ...controlRoutes(this),
    ];
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.#accept(request, response));
  }

  static async start(options: FakeGitLabOptions): Promise<FakeGitLab> {
    const server = options.tls === undefined ? createHttpServer() : createHttpsServer(options.tls);
    // An upload may take as long as it takes; nothing here is a defence.
    server.requestTimeout = 0;
    server.headersTimeout = 60_000;
    server.keepAliveTimeout = 75_000;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('listening, but on no TCP port');
    const scheme = options.tls === undefined ? 'http' : 'https';
    return new FakeGitLab(server, options, `${scheme}://127.0.0.1:${address.port}${options.basePath ?? ''}`);
  }

  /** All jobs, oldest first. */
  get jobs(): readonly FakeJob[] {
    return this.#queue.jobs;
  }

  get runners(): readonly FakeRunner[] {
    return this.#runners.all;
  }

  /** The last requests, oldest first. */
  get requests(): readonly LoggedRequest[] {
    return this.#log.entries;
  }

  job(id: number): FakeJob | undefined {
    return this.#queue.byId(id);
  }

  addRunner(options: FakeRunnerOptions = {}): FakeRunner {
    return this.#runners.add(options);
  }

  /** With `files`: a bare repository with one commit on `main`. Without: jobs of the project do not clone. */
  addProject(spec: ProjectSpec): Promise<FakeProject> {
    return this.#projects.add(spec);
  }

  project(path: string): FakeProject | undefined {
    return this.#projects.byPath(path);
  }

  /** For several jobs of one pipeline that do not need each other. */
  newPipelineId(): number {
    this.#lastPipelineId += 1;
    return this.#lastPipelineId;
  }

  /** Creates a job; it is offered to runners as soon as the jobs it needs have succeeded. */
  enqueue(spec: JobSpec = {}): FakeJob {
    const project = spec.project ?? this.#projects.ensureDefault();
    const full = completeJobSpec(spec, project, () => this.newPipelineId());
    publishPipelineRef(project, full.pipelineId);
    return this.#queue.add(full);
  }

  /** The next `times` requests of a route meet this fault; several orders queue up. */
  failNext(route: RouteName, fault: Fault, times = 1): void {
    this.#faults.plan(route, fault, times);
  }

  /** Takes back what `failNext` ordered. */
  clearFaults(route?: RouteName): void {
    this.#faults.clear(route);
  }

  /** Every request of a route waits this long first, by the clock; 0 ends it. */
  setDelay(route: RouteName, delayMs: number): void {
    this.#faults.setDelay(route, delayMs);
  }

  pause(runner: FakeRunner): void {
    runner.setPaused(true);
  }

  resume(runner: FakeRunner): void {
    runner.setPaused(false);
  }

  /** Called after each change of a job and after each answered request. */
  onChange(listener: (change: GitLabChange) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** @throws AggregateError where the stand-in itself failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new ClientGone());
    this.#queue[Symbol.dispose]();
    this.#server.closeAllConnections();
    if (this.#server.listening) {
      await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    }
    await Promise.all(this.#underWay);
    if (this.internalErrors.length > 0) {
      throw new AggregateError(this.internalErrors.splice(0), 'the stand-in GitLab failed');
    }
  }

  #accept(request: IncomingMessage, response: ServerResponse): void {
    const done = this.#serve(request, response).finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? '';
    const mark = target.indexOf('?');
    const wholePath = mark < 0 ? target : target.slice(0, mark);
    const query = mark < 0 ? '' : target.slice(mark + 1);
    const path = wholePath.startsWith(`${this.#basePath}/`) ? wholePath.slice(this.#basePath.length) : '';
    const match = findRoute(this.#routes, request.method ?? '', path);
    const entry: LoggedRequest = {
      at: this.#clock.now(),
      method: request.method ?? '',
      path: wholePath,
      query,
      headers: request.headers,
      route: match?.route.name ?? null,
      body: null,
      status: null,
      answeredAt: null,
    };
    this.#log.add(entry);
    const closing = this.#closing.signal;
    const exchange = new Exchange(request, response, {
      path,
      query: new URLSearchParams(query),
      entry,
      closing,
      onAnswer: (answered, status) => this.#noteAnswer(answered, status),
    });
    response.setHeader('X-Request-Id', systemRandom.base62(26));
    try {
      if (match === undefined) throw new Refusal(404, '404 Not Found');
      if (!(await this.#meetFault(exchange, match.route.name))) await match.route.handle(exchange, match.parameters);
    } catch (error) {
      await this.#answerError(exchange, error);
    }
  }

  /** @returns true where the fault was the answer. */
  async #meetFault(exchange: Exchange, route: RouteName): Promise<boolean> {
    const fault = this.#faults.take(route);
    const delayMs = this.#faults.delayMs(route);
    if (delayMs > 0) await this.#clock.sleep(delayMs, exchange.signal);
    if (fault === null) return false;
    if (fault === 'reset') {
      exchange.reset();
      return true;
    }
    if (typeof fault === 'string') {
      exchange.answerFault = fault;
      return false;
    }
    await exchange.reply(fault.status, {
      ...(fault.headers === undefined ? {} : { headers: fault.headers }),
      body: fault.body ?? '',
    });
    return true;
  }

  async #answerError(exchange: Exchange, error: unknown): Promise<void> {
    if (error instanceof ClientGone || exchange.signal.aborted) return;
    if (!(error instanceof Refusal)) this.internalErrors.push(error);
    if (exchange.response.headersSent) {
      exchange.reset();
      return;
    }
    const [status, message, headers] =
      error instanceof Refusal ? [error.status, error.message, error.headers] : [500, '500 Internal Server Error', {}];
    await exchange.replyJson(status, status === 400 ? { error: message } : { message }, headers);
  }

  #noteAnswer(exchange: Exchange, status: number): void {
    const { entry, subject, answerFault } = exchange;
    const now: EpochMs = this.#clock.now();
    if (answerFault !== 'lost-answer') {
      entry.status = status;
      entry.answeredAt = now;
    }
    if (subject !== null) {
      const { job, kind, state } = subject;
      job.recordUpdate({ at: now, kind, status, ...(state === undefined ? {} : { state }) });
    }
    this.#report({ kind: 'request', request: entry });
  }

  #report(change: GitLabChange): void {
    for (const listener of [...this.#listeners]) listener(change);
  }
}
