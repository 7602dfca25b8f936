import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EpochMs, RunId } from '../../contract/ids.ts';
import type { AcceptedJob } from '../gitlab/accepted-job.ts';
import type { Upstream } from '../gitlab/upstream.ts';
import type { PlatformDeps } from '../platform/deps.ts';
import type { TraceWriter } from '../trace/trace-writer.ts';
import { type Refusal, unreadBody } from './admission.ts';
import { Credentials } from './credentials.ts';
import { type GuestSetup, guestUrl, setupJson, setupShell } from './guest-setup.ts';
import { HandOver } from './hand-over.ts';
import { first } from './headers.ts';
import { JobWatch } from './job-watch.ts';
import { defaultLimits, type ListenerLimits } from './limits.ts';
import type { ListenerEvent } from './listener-events.ts';
import { hasBody, type LocalAnswer, problem, sendLocal } from './local-answer.ts';
import { MachineServer } from './machine-server.ts';
import { isRelayOpen, nextPhase, type Phase, type PhaseFact } from './phase.ts';
import { readBody } from './read-body.ts';
import { Refusals } from './refusals.ts';
import { Relay } from './relay.ts';
import { matchRoute, type Route, type RunnerRoute } from './routes.ts';
import { parseRunnerAsk, type RunnerAsk } from './runner-requests.ts';
import { clearSocketPath } from './socket-path.ts';
import { TraceTap } from './trace-tap.ts';
import { UpdateInterval } from './update-interval.ts';

export interface RunListenerOptions {
  runId: RunId;
  /** At most 107 bytes; its folder exists and belongs to this run. A socket left there by a killed process is replaced. */
  socketPath: string;
  /** The run's own token: `glrt-`, nine fixed characters, `_`, a random tail (protocol document 2.7). */
  vmToken: string;
  setup: GuestSetup;
  job: AcceptedJob;
  upstream: Upstream;
  trace: TraceWriter;
  onEvent: (event: ListenerEvent) => void;
  /** Whether somebody looks at this trace here and now. */
  isWatched: () => boolean;
  /**
   * `offered` (the default) hands the job over when asked; `booting` waits for `offer()`; `running` is for a run that
   * outlived the process that served it and has its job already.
   */
  startIn?: 'booting' | 'offered' | 'running';
  /** `via-gitlab` has GitLab send artifacts itself where it would redirect the machine to its storage. */
  downloads?: 'direct' | 'via-gitlab';
  limits?: Partial<ListenerLimits>;
}

type ListenerDeps = Pick<PlatformDeps, 'clock' | 'files' | 'log'>;
const handOverStates = { booting: 'not-ready', offered: 'available', running: 'done' } as const;

/**
 * The runner API as one machine sees it, on a unix socket of its own: it hands the job over, then relays what the
 * runner sends about it. Close it only after the machine is gone, or to leave the machine to another process.
 */
export class RunListener implements AsyncDisposable {
  readonly #deps: ListenerDeps;
  readonly #options: RunListenerOptions;
  readonly #limits: ListenerLimits;
  readonly #credentials: Credentials;
  readonly #handOver: HandOver;
  readonly #relay: Relay;
  readonly #server: MachineServer;
  readonly #answering = new Set<Promise<void>>();
  readonly #refusals = new Refusals();
  #phase: Phase;
  #inFlightCount = 0;
  #isGuestSeen = false;
  #lastSeenAt: EpochMs | null = null;
  #grace: Disposable | undefined;
  #closed: Promise<void> | undefined;

  /**
   * Binds the socket. Connections that come at once are served.
   * @throws ProxyError `proxy/socket-path-too-long`, `proxy/socket-in-use`, `proxy/listen-failed`.
   */
  static async open(deps: ListenerDeps, options: RunListenerOptions): Promise<RunListener> {
    await clearSocketPath(deps.files, options.socketPath);
    const log = deps.log.child({ runId: options.runId });
    const listener = new RunListener({ ...deps, log }, options);
    await listener.#server.listen(options.socketPath);
    return listener;
  }

  private constructor(deps: ListenerDeps, options: RunListenerOptions) {
    const { startIn = 'offered', onEvent: report } = options;
    this.#deps = deps;
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#phase = startIn;
    this.#credentials = new Credentials(options.vmToken, options.job);
    this.#handOver = new HandOver(deps, {
      job: options.job,
      state: handOverStates[startIn],
      onDone: () => this.#sawHandOver(),
    });
    this.#relay = new Relay(deps, {
      upstream: options.upstream,
      credentials: this.#credentials,
      limits: this.#limits,
      watch: new JobWatch({ report, onOver: () => this.#sawJobOver() }),
      tap: new TraceTap(deps, { trace: options.trace, report, isUncertain: startIn === 'running' }),
      interval: new UpdateInterval(deps.clock, options.isWatched),
      downloads: options.downloads ?? 'direct',
      onAuthorised: () => this.#sawRunner(),
      onRefused: (route, status, why) => this.#refused(route, status, why),
    });
    this.#server = new MachineServer({
      limits: this.#limits,
      onRequest: (request, response) => this.#serve(request, response),
      onRefused: (what, status, why) => this.#refused(what, status, why),
    });
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Requests that were answered here and went nowhere, since the listener opened. */
  get refusedCount(): number {
    return this.#refusals.count;
  }

  /** When the runner last sent an authorised request about the job; null before the first. */
  get lastSeenAt(): EpochMs | null {
    return this.#lastSeenAt;
  }

  /** The job may be handed over from now on. Only for `startIn: 'booting'`. */
  offer(): void {
    this.#handOver.offer();
    this.#advance('job-offered');
  }

  /** A runner that asks from now on gets nothing. A job that was handed over is not called back: see `stop`. */
  withdraw(): void {
    this.#handOver.withdraw();
  }

  /**
   * Has the runner end the job, from its next trace patch or status update on. `graceful`: as if canceled at GitLab,
   * with `after_script` and artifacts. `immediate`: it ends at once and sends nothing more, so the caller sends the
   * final state to GitLab. A job that was not handed over yet is withdrawn.
   */
  stop(how: 'graceful' | 'immediate'): void {
    this.withdraw();
    this.#relay.stop(how);
  }

  /** Destroys all connections, ends requests to GitLab, removes the socket; waits until the trace is written. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    await Promise.all(this.#answering);
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#isGuestSeen) {
      this.#isGuestSeen = true;
      this.#options.onEvent({ kind: 'guest-seen' });
    }
    this.#inFlightCount += 1;
    response.once('close', () => {
      this.#inFlightCount -= 1;
    });
    const answered = this.#answerSafely(request, response);
    this.#answering.add(answered);
    void answered.finally(() => this.#answering.delete(answered));
  }

  /** A fault of ours ends one request, not the run. */
  async #answerSafely(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(request, response);
    } catch (error) {
      this.#deps.log.error({ error }, 'a request of a machine failed here');
      if (response.headersSent) response.destroy();
      else this.#send(request, response, problem(500, 'This failed in Forrest Bench.'));
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = this.#routeOf(request);
    switch (route.name) {
      case 'refused':
        this.#send(request, response, problem(route.status, route.why, route.headers));
        this.#refused(route.what, route.status, route.why);
        break;
      case 'run-setup':
        this.#answerSetup(route.format, request, response);
        break;
      case 'job-request':
      case 'runner-verify':
        await this.#answerRunner(route, request, response);
        break;
      case 'job-update':
      case 'trace':
      case 'artifact-upload':
      case 'artifact-download':
        await this.#relay.serve(route, request, response);
    }
  }

  /** The route, unless something about the request or this moment is against it. */
  #routeOf(request: IncomingMessage): Route {
    const route = matchRoute(request.method ?? '', request.url ?? '');
    const what = route.name === 'refused' ? route.what : route.name;
    const refuse = (status: number, why: string, headers = {}) => ({ ...refused, what, status, why, headers });
    const coding = request.headers['transfer-encoding'];
    if (this.#inFlightCount > this.#limits.inFlightCount) {
      return refuse(429, 'Too many requests at once.', { 'Retry-After': '1' });
    }
    if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
      return refuse(400, 'Only the chunked transfer coding is served.');
    }
    if (request.method === 'GET' && hasBody(request)) return refuse(400, 'A GET has no body here.');
    if ('jobId' in route && !isRelayOpen(this.#phase)) return refuse(403, 'There is no job here.');
    return route;
  }

  #answerSetup(format: 'json' | 'sh', request: IncomingMessage, response: ServerResponse): void {
    const epochSeconds = Math.floor(this.#deps.clock.now() / 1000);
    const setup = { ...this.#options.setup, url: guestUrl, token: this.#options.vmToken, epochSeconds };
    const answer =
      format === 'json'
        ? { status: 200, body: setupJson(setup) }
        : { status: 200, body: setupShell(setup), contentType: 'text/plain; charset=utf-8' };
    this.#send(request, response, answer);
  }

  async #answerRunner(route: RunnerRoute, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(this.#deps.clock, request, response, {
      limitBytes: this.#limits.requestBodyBytes,
      timeoutMs: this.#limits.idleMs,
    });
    const ask = body.kind === 'whole' ? parseRunnerAsk(body.bytes) : undefined;
    if (ask !== undefined && this.#isAuthorised(ask, request)) {
      if (route.name === 'job-request') this.#answerAsk(ask, request, response);
      else this.#send(request, response, { status: 200, body: verifiedBody(this.#options.vmToken) });
      return;
    }
    const refusal = body.kind === 'whole' ? (ask === undefined ? notUnderstood : wrongToken) : unreadBody(body);
    if (refusal.kind === 'gone') return;
    this.#send(request, response, refusal.answer);
    this.#refused(route.name, refusal.answer.status, refusal.why);
  }

  /** The body's token counts, and a header that says something else is no slip of an official runner. */
  #isAuthorised(ask: RunnerAsk, request: IncomingMessage): boolean {
    const header = first(request.headers['runner-token']);
    const isBodyRight = this.#credentials.isVmToken(ask.token);
    return (header === undefined || this.#credentials.isVmToken(header)) && isBodyRight;
  }

  #answerAsk(ask: RunnerAsk, request: IncomingMessage, response: ServerResponse): void {
    this.#options.onEvent({ kind: 'runner-asked', info: ask.info });
    const answer = this.#handOver.ask();
    switch (answer.kind) {
      case 'nothing':
        this.#send(request, response, { status: 204 });
        break;
      case 'not-ready':
        this.#send(request, response, problem(503, 'The job is not ready yet.', { 'Retry-After': '2' }));
        break;
      case 'job':
        // 'close' comes after 'finish'; alone it says that the connection broke before the last byte.
        response.once('finish', () => this.#handOver.sent());
        response.once('close', () => this.#handOver.broken());
        this.#send(request, response, { status: 201, body: answer.payload });
        break;
    }
  }

  #send(request: IncomingMessage, response: ServerResponse, answer: LocalAnswer): void {
    sendLocal({ clock: this.#deps.clock, limits: this.#limits }, request, response, answer);
  }

  #refused(route: string, status: number, why: string): void {
    if (!this.#refusals.add()) return;
    const { count } = this.#refusals;
    this.#deps.log.warn({ route, status, why, count }, 'a request of a machine was answered here');
    this.#options.onEvent({ kind: 'refused', route, status, why, count });
  }

  #sawRunner(): void {
    this.#lastSeenAt = this.#deps.clock.now();
    this.#handOver.runnerActed();
    this.#advance('runner-active');
  }

  #sawHandOver(): void {
    this.#advance('handed-over');
    this.#deps.log.info({ jobId: this.#options.job.id }, 'job handed over');
    this.#options.onEvent({ kind: 'handed-over' });
  }

  #sawJobOver(): void {
    this.#handOver.withdraw();
    this.#advance('job-over');
    this.#grace ??= this.#deps.clock.after(this.#limits.graceMs, () => void this.#close());
  }

  #advance(fact: PhaseFact): void {
    this.#phase = nextPhase(this.#phase, fact);
  }

  async #close(): Promise<void> {
    this.#advance('closed');
    this.#grace?.[Symbol.dispose]();
    this.#closed ??= this.#server.close();
    this.#relay.abort();
    await this.#closed;
  }
}

const refused = { name: 'refused' } as const;
const notUnderstood: Refusal = {
  kind: 'refused',
  answer: problem(400, 'This is no request of a runner.'),
  why: 'body not understood',
};
const wrongToken: Refusal = { kind: 'refused', answer: problem(403, 'Forbidden.'), why: 'wrong token' };

function verifiedBody(vmToken: string): string {
  return JSON.stringify({ id: 0, token: vmToken, token_expires_at: null });
}
