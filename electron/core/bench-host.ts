import { join } from 'node:path';
import { BenchError, toWireError, type WireError } from '../contract/errors.ts';
import type { HostView, RunnerStatus } from '../contract/state.ts';
import type { MachineConfig } from './config/bench-config.ts';
import type { BootImage } from './images/boot-image.ts';
import type { ImageCatalogue } from './images/image-catalogue.ts';
import type { PlatformDeps } from './platform/deps.ts';
import type { Directories } from './platform/directories.ts';
import { type Accelerator, overruleKvm, probeAccelerator } from './vm/accelerator.ts';
import { locateQemu, type QemuBinary } from './vm/qemu-binary.ts';
import { locateSocat } from './vm/socat-binary.ts';

/** Where images come from; usually the catalogue of recipes. */
export type ImageSource = Pick<ImageCatalogue, 'build' | 'withRunner' | 'createOverlay'>;

/** What is missing may be installed while we run: looked for again after this long. */
const retryMs = 30_000;

export interface HostPrograms {
  qemu: QemuBinary;
  socatPath: string;
  accelerator: Accelerator;
}

/** What the runs of one machine kind are started with. */
export interface MachineKit {
  image: BootImage;
  /** As they are now: the accelerator may change while we run. */
  programs: () => HostPrograms;
  /** Tells whether a machine that was started with `accelerator` missed its boot deadline. */
  noteBoot: (accelerator: Accelerator, isMissed: boolean) => Promise<void>;
}

/** A guest of ours passed the probe and yet machines do not boot: after so many in a row KVM is not believed any more. */
const missesBeforeOverrule = 2;

export interface HostToolsOptions {
  directories: Directories;
  images: ImageSource;
  qemuPath: string | null;
  runnerBinaryPath: string | undefined;
  onHost: (host: HostView) => void;
  /** Something that keeps every job from running, or undefined once it is mended. */
  onObstacle: (id: string, error: WireError | undefined) => void;
}

/** Finds QEMU, its helper and the accelerator, and makes images ready; tries again while something is missing. */
export class HostTools {
  readonly #deps: PlatformDeps;
  readonly #options: HostToolsOptions;
  readonly #found = Promise.withResolvers<void>();
  #programs: HostPrograms | undefined;
  #missedCount = 0;

  constructor(deps: PlatformDeps, options: HostToolsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Returns once everything was found, or `signal` aborted. */
  async prepare(signal: AbortSignal): Promise<void> {
    const { onObstacle } = this.#options;
    while (!signal.aborted) {
      try {
        this.#programs = await this.#find();
        this.#show(this.#programs);
        onObstacle('host', undefined);
        this.#found.resolve();
        return;
      } catch (error) {
        if (!(error instanceof BenchError)) throw error;
        this.#deps.log.warn({ code: error.code }, 'this PC cannot run machines yet');
        onObstacle('host', toWireError(error));
      }
      await this.#deps.clock.sleep(retryMs, signal);
    }
  }

  /**
   * Waits for the programs, and resolves or builds the machine's image; `onStatus` tells how far that is.
   * @returns undefined when aborted.
   */
  async kitFor(
    machine: MachineConfig,
    onStatus: (status: RunnerStatus) => void,
    signal: AbortSignal,
  ): Promise<MachineKit | undefined> {
    onStatus({ kind: 'idle', why: 'Looking for QEMU and what this PC can do.' });
    await untilAborted(this.#found.promise, signal);
    while (!signal.aborted) {
      try {
        const image = await this.#image(machine, (why) => onStatus({ kind: 'idle', why }), signal);
        return {
          image,
          programs: () => this.#current(),
          noteBoot: (accelerator, isMissed) => this.#noteBoot(accelerator, isMissed),
        };
      } catch (error) {
        if (signal.aborted) return undefined;
        if (!(error instanceof BenchError)) throw error;
        this.#deps.log.warn({ code: error.code, image: machine.image }, 'an image is not ready');
        onStatus({ kind: 'stopped', error: toWireError(error) });
      }
      await untilAborted(this.#deps.clock.sleep(retryMs, signal), signal);
    }
    return undefined;
  }

  #current(): HostPrograms {
    if (this.#programs === undefined) throw new Error('the programs of this PC are not found yet');
    return this.#programs;
  }

  async #noteBoot(accelerator: Accelerator, isMissed: boolean): Promise<void> {
    const programs = this.#current();
    if (accelerator.kind !== 'kvm' || programs.accelerator.kind !== 'kvm') return;
    this.#missedCount = isMissed ? this.#missedCount + 1 : 0;
    if (this.#missedCount < missesBeforeOverrule) return;
    this.#deps.log.warn({ missedCount: this.#missedCount }, 'machines do not boot under KVM, so TCG is used');
    const probe = { qemu: programs.qemu, ...this.#probePlaces() };
    await overruleKvm(this.#deps, probe, `${this.#missedCount} machines in a row missed their boot deadline under it`);
    this.#programs = { ...programs, accelerator: await probeAccelerator(this.#deps, probe) };
    this.#show(this.#programs);
  }

  #show({ accelerator, qemu }: HostPrograms): void {
    this.#options.onHost({
      accelerator: { kind: accelerator.kind, why: accelerator.why },
      egress: {
        kind: 'filtered',
        why: 'Machines reach the internet through a filtering proxy of this app, and nothing of this PC or its network.',
      },
      qemuVersion: qemu.version,
    });
  }

  #probePlaces(): { scratchDirectory: string; cachePath: string } {
    const { runs, cache } = this.#options.directories;
    return { scratchDirectory: runs, cachePath: join(cache, 'accelerator.json') };
  }

  async #find(): Promise<HostPrograms> {
    const { directories, qemuPath } = this.#options;
    const search = { env: process.env };
    const qemu = await locateQemu(this.#deps, { ...search, ...(qemuPath === null ? {} : { path: qemuPath }) });
    const socatPath = await locateSocat(this.#deps, search);
    await this.#deps.files.makeDirectory(directories.cache);
    const accelerator = await probeAccelerator(this.#deps, { qemu, ...this.#probePlaces() });
    return { qemu, socatPath, accelerator };
  }

  async #image(machine: MachineConfig, onProgress: (why: string) => void, signal: AbortSignal): Promise<BootImage> {
    const { images, runnerBinaryPath } = this.#options;
    onProgress(`Getting the image ${machine.image} ready.`);
    const image = await images.build(machine.image, {
      onProgress: ({ text }) => onProgress(`Building the image ${machine.image}: ${text}`),
      signal,
    });
    const binary = runnerBinaryPath ?? machine.runnerBinaryPath;
    return binary === null ? image : images.withRunner(image, binary, { executor: machine.executor });
  }
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const gone = Promise.withResolvers<undefined>();
  const stop = () => gone.resolve(undefined);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await Promise.race([work, gone.promise]);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
