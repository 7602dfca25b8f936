import { join } from 'node:path';
import { Pool } from 'undici';
import type { EpochMs, JobId, RunId } from '../../../electron/contract/ids.ts';
import type { AcceptedJob } from '../../../electron/core/gitlab/accepted-job.ts';
import { type Clock, systemClock } from '../../../electron/core/platform/clock.ts';
import { systemFiles } from '../../../electron/core/platform/files.ts';
import { type Log, silentLog } from '../../../electron/core/platform/log.ts';
import type { GuestSetup } from '../../../electron/core/proxy/guest-setup.ts';
import type { ListenerEvent } from '../../../electron/core/proxy/listener-events.ts';
import { RunListener, type RunListenerOptions } from '../../../electron/core/proxy/run-listener.ts';
import { TraceStore } from '../../../electron/core/trace/trace-store.ts';
import type { TraceWriter } from '../../../electron/core/trace/trace-writer.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { type Answer, MachineClient } from './machine-client.ts';
import { ScriptedGitLab } from './scripted-gitlab.ts';

export const vmToken = 'glrt-abcdefghi_0123456789ABCDEFGHIJKLMNOPQRSTUV';
export const jobToken = 'glcbt-job-token';
export const runId = '0a1b2c3d' as RunId;

export const aSetup: GuestSetup = {
  runnerName: "bench-3 build 'quoted'",
  cloneUrl: 'https://gitlab.example.com/gitlab',
  executor: 'shell',
  shell: 'bash',
  buildsDirectory: '/builds',
  outputLimitKib: 16_384,
  hosts: [
    { address: '10.0.2.101', name: 'gitlab.lab' },
    { address: '10.0.2.102', name: 'registry.lab' },
  ],
  httpProxy: 'http://10.0.2.100:3128',
  noProxy: ['10.0.2.100', 'localhost'],
  caPem: null,
  waitTimeoutSeconds: 300,
};

/** A job as GitLab gave it; the argument overrides whole fields. */
export function aJob(more: Partial<AcceptedJob> = {}): AcceptedJob {
  const payload = `{"id":4711,"token":"${jobToken}","runner_info":{"timeout":3600},"steps":[]}`;
  return {
    id: 4711 as JobId,
    token: jobToken,
    payload: Buffer.from(payload),
    view: {
      id: 4711 as JobId,
      name: 'build',
      stage: 'build',
      projectPath: 'lab/fw',
      ref: 'main',
      sha: 'a',
      webUrl: null,
    },
    receivedAt: systemClock.now(),
    timeoutSeconds: 3600,
    dependencies: [],
    cloneUrl: null,
    failureReasons: [],
    hasNativeSteps: false,
    ...more,
  };
}

export interface ARun extends AsyncDisposable {
  gitlab: ScriptedGitLab;
  listener: RunListener;
  machine: MachineClient;
  trace: TraceWriter;
  traces: TraceStore;
  events: ListenerEvent[];
  socketPath: string;
  setWatched(isWatched: boolean): void;
  /** Asks for the job as the runner does. */
  ask(headers?: Record<string, string>, token?: string): Promise<Answer>;
  put(update: Record<string, unknown>, headers?: Record<string, string>): Promise<Answer>;
  patch(fromByte: number, bytes: string, headers?: Record<string, string>): Promise<Answer>;
  /** The events of one kind. */
  of<Kind extends ListenerEvent['kind']>(kind: Kind): Extract<ListenerEvent, { kind: Kind }>[];
  /** Bytes of the local trace. */
  kept(): Promise<string>;
}

type More = Partial<Omit<RunListenerOptions, 'upstream'>> & { clock?: Clock; log?: Log; basePath?: string };

/** A listener, its machine's side and its GitLab, closed with the scope. */
export async function aRun({ clock = systemClock, log = silentLog, basePath = '', ...more }: More = {}): Promise<ARun> {
  const scope = new AsyncDisposableStack();
  const folder = scope.use(await temporaryDirectory());
  const gitlab = scope.use(await ScriptedGitLab.start());
  const pool = new Pool(gitlab.origin, { connections: 8, pipelining: 1 });
  scope.defer(() => pool.destroy());
  const traces = new TraceStore({ files: systemFiles, log }, join(folder.path, 'traces'));
  const trace = scope.use(more.trace ?? (await traces.create(runId)));
  const events: ListenerEvent[] = [];
  const socketPath = join(folder.path, 'api.sock');
  let isWatched = false;
  const listener = scope.use(
    await RunListener.open(
      { clock, files: systemFiles, log },
      {
        runId,
        socketPath,
        vmToken,
        setup: aSetup,
        job: aJob(clock === systemClock ? {} : { receivedAt: clock.now() as EpochMs }),
        onEvent: (event) => events.push(event),
        isWatched: () => isWatched,
        ...more,
        trace,
        upstream: { dispatcher: pool, origin: gitlab.origin, basePath },
      },
    ),
  );
  const machine = scope.use(new MachineClient(socketPath));
  const jobId = 4711;
  return {
    gitlab,
    listener,
    machine,
    trace,
    traces,
    events,
    socketPath,
    setWatched: (value) => {
      isWatched = value;
    },
    ask: (headers = {}, token = vmToken) =>
      machine.send({
        method: 'POST',
        target: '/api/v4/jobs/request',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({
          token,
          info: { name: 'gitlab-runner', version: '19.1.0', features: { refspecs: true } },
        }),
      }),
    put: (update, headers = { 'job-token': jobToken }) =>
      machine.send({
        method: 'PUT',
        target: `/api/v4/jobs/${jobId}`,
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ token: jobToken, ...update }),
      }),
    patch: (fromByte, bytes, headers = {}) =>
      machine.send({
        method: 'PATCH',
        target: `/api/v4/jobs/${jobId}/trace?debug_trace=false`,
        headers: {
          'content-type': 'text/plain',
          'content-range': `${fromByte}-${fromByte + Buffer.byteLength(bytes) - 1}`,
          'job-token': jobToken,
          ...headers,
        },
        body: bytes,
      }),
    of: (kind) => events.filter((event): event is never => event.kind === kind),
    kept: async () => Buffer.from((await traces.read(runId, 0, 1_000_000)).bytes).toString(),
    [Symbol.asyncDispose]: () => scope.disposeAsync(),
  };
}
