import { toWireError } from '../../contract/errors.ts';
import type { RunId } from '../../contract/ids.ts';
import type { MachineConfig } from '../config/bench-config.ts';
import type { AcceptedJob } from '../gitlab/accepted-job.ts';
import { machineToken } from '../gitlab/short-token.ts';
import type { Upstream } from '../gitlab/upstream.ts';
import type { BootImage } from '../images/boot-image.ts';
import type { ImageCatalogue } from '../images/image-catalogue.ts';
import type { PlatformDeps } from '../platform/deps.ts';
import type { Directories } from '../platform/directories.ts';
import type { GuestSetup } from '../proxy/guest-setup.ts';
import type { ListenerEvent } from '../proxy/listener-events.ts';
import { RunListener } from '../proxy/run-listener.ts';
import type { TraceStore } from '../trace/trace-store.ts';
import type { Accelerator } from '../vm/accelerator.ts';
import { planReach, type ReachPlan } from '../vm/egress/egress-plan.ts';
import { EgressProxy } from '../vm/egress/egress-proxy.ts';
import { ReachForwarder } from '../vm/egress/reach-forwarder.ts';
import { MachineRun } from '../vm/machine-run.ts';
import type { GuestService } from '../vm/machine-start.ts';
import type { QemuBinary } from '../vm/qemu-binary.ts';
import { RunDirectory, type RunPaths } from '../vm/run-directory.ts';
import { vmErrorOf } from '../vm/vm-outcome.ts';
import type { GuestNews, OpenRun, RunHooks } from './opened-run.ts';

const proxyAddress = '10.0.2.100';
const apiPort = 80;
const egressPort = 3128;
const buildsDirectory = '/builds';
/** The official runner's own default of 4 MiB cuts many a build log. */
const outputLimitKib = 16 * 1024;
/** Ends a runner that got no job; the boot deadline ends its machine in any case. */
const waitTimeoutSeconds = 300;

export interface MachineOpenerOptions {
  directories: Directories;
  qemu: QemuBinary;
  accelerator: Accelerator;
  socatPath: string;
  images: Pick<ImageCatalogue, 'createOverlay'>;
  traces: TraceStore;
  upstream: Upstream;
  gitlabUrl: string;
  caPem: string | null;
  /** GitLab shows it in public; the runner token itself stays with the poller. */
  shortToken: string;
  runnerName: string;
  machine: MachineConfig;
  image: BootImage;
  /** Whether somebody looks at this run's trace now. */
  isWatched: (runId: RunId) => boolean;
}

/** Sets up runs of one machine kind for one runner: everything a run holds, opened in order and closed in reverse. */
export function machineOpener(
  deps: PlatformDeps,
  options: MachineOpenerOptions,
): (runId: RunId, job: AcceptedJob) => OpenRun {
  return (runId, job) => async (hooks, signal) => {
    await using held = new AsyncDisposableStack();
    const log = deps.log.child({ runId });
    const directory = await RunDirectory.create(deps, options.directories, runId);
    // What a failed start leaves explains the failure; the next start of the app clears old ones away.
    held.defer(() => directory.remove({ keepLogs: true }));
    const trace = held.use(await options.traces.create(runId));
    if (options.image.rootDisk !== null) {
      await options.images.createOverlay(options.image, directory.paths.overlay, options.machine.diskBytes);
    }
    signal.throwIfAborted();

    const plan = planReach({ gitlabOrigin: gitlabOrigin(options, job), reach: options.machine.reach });
    const services = await openDoors(deps, directory.paths, plan, held);
    let machine: MachineRun | undefined;
    const listener = held.use(
      await RunListener.open(deps, {
        runId,
        socketPath: directory.paths.proxySocket,
        vmToken: machineToken(options.shortToken, deps.random.base62(32)),
        setup: guestSetup(options, job, plan),
        job,
        upstream: options.upstream,
        trace,
        isWatched: () => options.isWatched(runId),
        onEvent: (event) => {
          if (event.kind === 'runner-asked') machine?.markReady();
          tell(event, hooks, log);
        },
      }),
    );
    signal.throwIfAborted();

    machine = held.use(
      await MachineRun.start(
        deps,
        {
          runDirectory: directory,
          start: {
            qemu: options.qemu,
            accelerator: options.accelerator,
            machine: options.machine,
            image: options.image,
            services,
            socatPath: options.socatPath,
          },
          bootTimeoutMs: bootBudgetMs(options.machine, job, deps.clock.now()),
          onState: (state) => log.debug({ phase: state.phase }, 'machine'),
        },
        signal,
      ),
    );
    const started = machine;
    hooks.onStarted(started.pid);

    const opened = held.move();
    return {
      pid: started.pid,
      get traceBytes() {
        return trace.sizeBytes;
      },
      ended: started.finished.then((outcome) => vmErrorOf(outcome)),
      withdraw: () => listener.withdraw(),
      stopMachine: async (graceMs) => {
        // The overlay is thrown away, so nothing is lost without the power button, which a small guest ignores.
        await started.stop('job-finished', { powerOffGraceMs: graceMs, powerdownMs: 0 });
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  };
}

/** The doors beside the run's own listener: the filtered way out, and what is opened by name. */
async function openDoors(
  deps: PlatformDeps,
  paths: RunPaths,
  plan: ReachPlan,
  held: AsyncDisposableStack,
): Promise<GuestService[]> {
  held.use(await EgressProxy.open(deps, { socketPath: paths.egressSocket, exceptions: plan.throughProxy }));
  const services: GuestService[] = [
    { address: proxyAddress, port: apiPort, socketPath: paths.proxySocket },
    { address: proxyAddress, port: egressPort, socketPath: paths.egressSocket },
  ];
  for (const [index, { address, port, toHost, toPort }] of plan.forwards.entries()) {
    const socketPath = paths.reachSocket(index);
    held.use(await ReachForwarder.open(deps, { socketPath, toHost, toPort }));
    services.push({ address, port, socketPath });
  }
  return services;
}

function guestSetup(options: MachineOpenerOptions, job: AcceptedJob, plan: ReachPlan): GuestSetup {
  return {
    runnerName: options.runnerName,
    cloneUrl: job.cloneUrl,
    executor: options.machine.executor,
    shell: options.image.runner.shell,
    buildsDirectory,
    outputLimitKib,
    hosts: plan.hosts,
    httpProxy: `http://${proxyAddress}:${egressPort}`,
    noProxy: [proxyAddress, 'localhost', '127.0.0.1', ...plan.hosts.map((host) => host.name)],
    caPem: options.caPem,
    waitTimeoutSeconds,
  };
}

/** Where git clones from is where scripts find GitLab; the config's url may be another way to the same instance. */
function gitlabOrigin(options: MachineOpenerOptions, job: AcceptedJob): string {
  return new URL(job.cloneUrl ?? options.gitlabUrl).origin;
}

/** The runner must have the job within this time: half of the job's timeout at the most (protocol document 8.3). */
function bootBudgetMs(machine: MachineConfig, job: AcceptedJob, nowMs: number): number {
  const spentMs = nowMs - job.receivedAt;
  return Math.max(1_000, Math.min(machine.bootTimeoutMs, (job.timeoutSeconds * 1000) / 2) - spentMs);
}

/** What the listener saw, as the life of the job wants to hear it. */
function tell(event: ListenerEvent, hooks: RunHooks, log: PlatformDeps['log']): void {
  const news = newsOf(event);
  if (news !== undefined) hooks.onNews(news);
  if (event.kind === 'trace-degraded') log.warn({ ...toWireError(event.error) }, 'the local trace is not complete');
}

function newsOf(event: ListenerEvent): GuestNews | undefined {
  switch (event.kind) {
    case 'guest-seen':
    case 'job-active':
      return { kind: event.kind };
    case 'runner-asked':
      return { kind: 'runner-asked' };
    case 'job-canceling':
      return { kind: 'canceling' };
    case 'trace-acknowledged':
      return { kind: 'trace-grown', totalBytes: event.totalBytes };
    case 'job-closed':
      if (event.how === 'forbidden' || event.state === null) return { kind: 'forbidden' };
      return { kind: 'final', state: event.state, failureReason: event.failureReason, exitCode: event.exitCode };
    case 'handed-over':
    case 'job-updated':
    case 'refused':
    case 'trace-degraded':
      return undefined;
  }
}
