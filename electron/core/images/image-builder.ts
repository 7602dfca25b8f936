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
    const parts = [await this.#kernel(), ...(await this.#rootDisk())];
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

  async #kernel(): Promise<Part> {
    const { kernelPackage, suite, common } = this.#recipe;
    const { early, later } = guestDrivers(common);
    const drivers = [...early, ...later];
    const key = hashOf([builderVersion, suite, kernelPackage, drivers]);
    const existing = this.#options.isRefresh ? undefined : await this.#parts.newest('kernel', key);
    if (existing !== undefined) return existing;
    await requireTools(this.#deps, ['apt-get', 'apt-cache', 'apt-config', 'dpkg-deb'], true);
    await this.#requireSpace('kernel', 'unpack a kernel');
    const packages = await this.#openPackages();
    const chosen = await chooseKernel(packages, kernelPackage);
    return this.#parts.provide({ kind: 'kernel', key, versions: versionsOf(Object.values(chosen)) }, (into) => {
      this.#options.onProgress('kernel', `Fetching ${chosen.kernel.name} ${chosen.kernel.version}`);
      return makeKernelPart(this.#deps, packages, chosen, drivers, into);
    });
  }

  async #rootDisk(): Promise<Part[]> {
    const recipe = this.#recipe;
    const { rootDisk, suite } = recipe;
    if (rootDisk === null) return [];
    const making = [
      ...recipe.own.filter((file) => file.path === 'finish-root.sh'),
      ...recipe.common.filter((file) => file.path === 'make-root-disk.sh'),
    ].map((file) => Buffer.from(file.bytes).toString());
    const key = hashOf([builderVersion, suite, rootDisk, making]);
    const existing = this.#options.isRefresh ? undefined : await this.#parts.newest('root', key);
    if (existing !== undefined) return [existing];
    const account = await this.#accountForRootDisk();
    await this.#requireSpace('rootDisk', 'install Debian');
    const packages = await this.#openPackages();
    const chosen = await packages.choose(rootDisk.packages);
    const part = await this.#parts.provide({ kind: 'root', key, versions: versionsOf(chosen) }, (into) => {
      this.#options.onProgress('root-disk', `Installing Debian ${suite} with ${rootDisk.packages.join(', ')}`);
      return makeRootDiskPart(this.#deps, packages, { ...recipe, rootDisk }, into, {
        account,
        onLine: (line) => this.#reportDebianStep(line),
        ...this.#signal(),
      });
    });
    return [part];
  }

  async #accountForRootDisk(): Promise<BuildAccount> {
    const tools: Tool[] = ['apt-get', 'apt-cache', 'apt-config', 'mmdebstrap', 'mke2fs', 'qemu-img'];
    const isRoot = (await this.#deps.processes.run('id', ['-u'])).stdout.trim() === '0';
    await requireTools(this.#deps, isRoot ? tools : [...tools, 'newuidmap', 'unshare'], true);
    return findBuildAccount(this.#deps);
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
