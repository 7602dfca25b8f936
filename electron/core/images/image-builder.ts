import { join } from 'node:path';
import type { PlatformDeps } from '../platform/deps.ts';
import { type BuildAccount, findBuildAccount } from './build-account.ts';
import { type ChosenPackage, DebianPackages } from './debian-packages.ts';
import type { ImageManifest } from './image-manifest.ts';
import { guestDrivers, makeInitramfs } from './initramfs.ts';
import { chooseKernel, makeKernelPart } from './kernel-part.ts';
import { hashOf, type Part, Parts } from './parts.ts';
import { builderVersion, type Recipe } from './recipe.ts';
import { makeRootDiskPart } from './root-disk-part.ts';
import { noSpace, requireTools, runTool, type Tool } from './tools.ts';

export type BuildDeps = Pick<PlatformDeps, 'files' | 'processes' | 'clock' | 'log' | 'random'>;

/** How far a build is. */
export interface BuildProgress {
  step: 'waiting' | 'packages' | 'kernel' | 'root-disk' | 'initramfs' | 'finished';
  /** A sentence or part of one, for people. */
  text: string;
  /** Since the build began. */
  elapsedMs: number;
}

export interface BuildOptions {
  onProgress(step: BuildProgress['step'], text: string): void;
  /** Takes the newest packages; otherwise parts that are there are used, whatever their age. */
  isRefresh: boolean;
  signal?: AbortSignal;
}

const mebibyte = 1024 * 1024;
/** Measured, and half as much again: what a build needs while it goes on. */
const neededBytes = { kernel: 300 * mebibyte, rootDisk: 1200 * mebibyte, initramfs: 20 * mebibyte };

/** What mmdebstrap says that takes a while, and that tells something to who waits for it. */
const debianSteps = [
  'downloading packages',
  'extracting archives',
  'installing essential packages',
  'installing remaining packages',
  'creating tarball',
];

/**
 * Builds one image into a new folder of `imagesDirectory`. The caller holds the build lock.
 * @throws ImageError `images/tool-missing`, `images/no-space` or `images/build-failed`.
 */
export class ImageBuilder {
  readonly #deps: BuildDeps;
  readonly #directory: string;
  readonly #recipe: Recipe;
  readonly #options: BuildOptions;
  readonly #parts: Parts;
  #packages: DebianPackages | undefined;

  constructor(deps: BuildDeps, imagesDirectory: string, recipe: Recipe, options: BuildOptions) {
    this.#deps = deps;
    this.#directory = imagesDirectory;
    this.#recipe = recipe;
    this.#options = options;
    this.#parts = new Parts(deps, join(imagesDirectory, 'parts'));
  }

  /** @returns The manifest of what was built; it is written, and the image whole. */
  async build(): Promise<ImageManifest> {
    try {
      return await this.#build();
    } finally {
      // Lists of packages are large, and soon old.
      await this.#deps.files.remove(this.#aptDirectory);
    }
  }

  get #aptDirectory(): string {
    return join(this.#directory, '.apt');
  }

  async #build(): Promise<ImageManifest> {
    const { clock, files } = this.#deps;
    const startedMs = clock.monotonicMs();
    const parts = await this.#provideParts();
    const [kernel, rootDisk] = parts;
    if (kernel === undefined) throw new Error('there is always a kernel');
    this.#options.onProgress('initramfs', 'Packing the first file system');
    const { name, inputsHash } = this.#recipe;
    const contentHash = hashOf([inputsHash, parts.map((part) => part.id)]).slice(0, 16);
    const folder = `${name}-${contentHash}`;
    const building = join(this.#directory, `.building-${this.#deps.random.base62(8)}`);
    await this.#requireSpace('initramfs', 'pack the first file system');
    await files.makeDirectory(building);
    try {
      const initrd = await makeInitramfs(this.#deps, this.#recipe, kernel.path);
      const initrdPath = join(building, 'initrd');
      await files.writeAtomically(initrdPath, initrd, 0o644);
      const manifest: ImageManifest = {
        format: 1,
        name,
        contentHash,
        inputsHash,
        builtAt: new Date(clock.now()).toISOString(),
        tookMs: Math.round(clock.monotonicMs() - startedMs),
        parts: parts.map((part) => part.id),
        versions: Object.assign({}, ...parts.map((part) => part.versions)),
        tools: await this.#toolVersions(),
        kernel: partFile(kernel, 'kernel'),
        initrd: { path: `${folder}/initrd`, sizeBytes: initrd.length, sha256: await files.sha256(initrdPath) },
        rootDisk: rootDisk === undefined ? null : partFile(rootDisk, 'root.qcow2'),
      };
      await files.writeAtomically(join(building, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
      await files.remove(join(this.#directory, folder));
      await files.rename(building, join(this.#directory, folder));
      return manifest;
    } finally {
      await files.remove(building);
    }
  }

  /** The parts the image is made of: the kernel, and the root disk if it has one. */
  async #provideParts(): Promise<Part[]> {
    const { common, suite, kernelPackage, rootDisk } = this.#recipe;
    const { early, later } = guestDrivers(common);
    const drivers = [...early, ...later];
    const kernelKey = hashOf([builderVersion, suite, kernelPackage, drivers]);
    const rootKey = hashOf([builderVersion, suite, rootDisk, this.#rootScripts()]);
    const kernel = await this.#existing('kernel', kernelKey);
    const root = rootDisk === null ? undefined : await this.#existing('root', rootKey);
    const isRootMissing = rootDisk !== null && root === undefined;
    // All that is missing is said at once, before the first long step.
    const account = await this.#requireTools(kernel === undefined, isRootMissing);
    return [
      kernel ?? (await this.#makeKernel(kernelKey, drivers)),
      ...(root === undefined ? [] : [root]),
      ...(account === undefined ? [] : [await this.#makeRootDisk(rootKey, account)]),
    ];
  }

  async #existing(kind: string, key: string): Promise<Part | undefined> {
    return this.#options.isRefresh ? undefined : await this.#parts.newest(kind, key);
  }

  /** @returns As whom to make a root disk; undefined where none is to be made. */
  async #requireTools(isKernelMissing: boolean, isRootMissing: boolean): Promise<BuildAccount | undefined> {
    const fetching: Tool[] = ['apt-get', 'apt-cache', 'apt-config', 'dpkg-deb'];
    if (!isRootMissing) {
      if (isKernelMissing) await requireTools(this.#deps, fetching, true);
      return undefined;
    }
    const isRoot = (await this.#deps.processes.run('id', ['-u'])).stdout.trim() === '0';
    const making: Tool[] = ['mmdebstrap', 'mke2fs', 'qemu-img', ...(isRoot ? [] : (['newuidmap', 'unshare'] as const))];
    await requireTools(this.#deps, [...fetching, ...making], true);
    return findBuildAccount(this.#deps);
  }

  async #makeKernel(key: string, drivers: readonly string[]): Promise<Part> {
    await this.#requireSpace('kernel', 'unpack a kernel');
    const packages = await this.#openPackages();
    const chosen = await chooseKernel(packages, this.#recipe.kernelPackage);
    return this.#parts.provide({ kind: 'kernel', key, versions: versionsOf(Object.values(chosen)) }, (into) => {
      this.#options.onProgress('kernel', `Fetching ${chosen.kernel.name} ${chosen.kernel.version}`);
      return makeKernelPart(this.#deps, packages, chosen, drivers, into);
    });
  }

  async #makeRootDisk(key: string, account: BuildAccount): Promise<Part> {
    const { rootDisk, ...recipe } = this.#recipe;
    if (rootDisk === null) throw new Error(`the image ${recipe.name} has no root disk`);
    await this.#requireSpace('rootDisk', 'install Debian');
    const packages = await this.#openPackages();
    const chosen = await packages.choose(rootDisk.packages);
    return this.#parts.provide({ kind: 'root', key, versions: versionsOf(chosen) }, (into) => {
      this.#options.onProgress('root-disk', `Installing Debian ${recipe.suite} with ${rootDisk.packages.join(', ')}`);
      return makeRootDiskPart(this.#deps, packages, { ...recipe, rootDisk }, into, {
        account,
        onLine: (line) => this.#reportDebianStep(line),
        ...this.#signal(),
      });
    });
  }

  /** The scripts that decide what a root disk looks like. */
  #rootScripts(): string[] {
    const { own, common } = this.#recipe;
    const scripts = [
      ...own.filter((file) => file.path === 'finish-root.sh'),
      ...common.filter((file) => file.path === 'make-root-disk.sh'),
    ];
    return scripts.map((file) => Buffer.from(file.bytes).toString());
  }

  #reportDebianStep(line: string): void {
    const step = debianSteps.find((text) => line.startsWith(`I: ${text}`));
    if (step !== undefined) this.#options.onProgress('root-disk', `Installing Debian: ${step}`);
  }

  async #openPackages(): Promise<DebianPackages> {
    if (this.#packages !== undefined) return this.#packages;
    this.#options.onProgress('packages', "Fetching Debian's lists of packages");
    const { suite } = this.#recipe;
    this.#packages = await DebianPackages.open(this.#deps, this.#aptDirectory, suite, this.#options.signal);
    return this.#packages;
  }

  async #requireSpace(what: keyof typeof neededBytes, doing: string): Promise<void> {
    const freeBytes = await this.#deps.files.freeBytes(this.#directory);
    if (freeBytes < neededBytes[what]) throw noSpace(doing, this.#directory);
  }

  async #toolVersions(): Promise<Record<string, string>> {
    const versions: Record<string, string> = { 'forrest-bench-builder': String(builderVersion) };
    if (this.#recipe.rootDisk === null) return versions;
    const options = { doing: 'ask for a version', ...this.#signal() };
    versions['mmdebstrap'] = firstLine((await runTool(this.#deps, 'mmdebstrap', ['--version'], options)).stdout);
    versions['mke2fs'] = firstLine((await runTool(this.#deps, 'mke2fs', ['-V'], options)).stderr);
    versions['qemu-img'] = firstLine((await runTool(this.#deps, 'qemu-img', ['--version'], options)).stdout);
    return versions;
  }

  #signal(): { signal?: AbortSignal } {
    return this.#options.signal === undefined ? {} : { signal: this.#options.signal };
  }
}

function partFile(part: Part, name: string) {
  const file = part.files[name];
  if (file === undefined) throw new Error(`the part ${part.id} has no ${name}`);
  return { path: `parts/${part.id}/${name}`, ...file };
}

function versionsOf(packages: readonly ChosenPackage[]): Record<string, string> {
  return Object.fromEntries(packages.map(({ name, version }) => [name, version]));
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.trim() ?? '';
}
