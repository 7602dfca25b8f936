import { join } from 'node:path';
import { z } from 'zod';
import type { PlatformDeps } from '../platform/deps.ts';
import type { BootImage, ReadOnlyDisk } from './boot-image.ts';
import { lockBuilds } from './build-lock.ts';
import { hashOf, type Part, Parts } from './parts.ts';
import { builderVersion } from './recipe.ts';
import { runnerFeatures } from './runner-features.ts';
import { askRunnerVersion, type RunnerVersion, releaseOf, unusable } from './runner-version.ts';
import { noSpace, requireTools, runTool } from './tools.ts';

type RunnerDiskDeps = Pick<PlatformDeps, 'files' | 'processes' | 'clock' | 'random'>;

export interface WithRunnerOptions {
  /** What the runner is told to use, `shell` or `docker`; default what the image is made for. */
  executor?: string;
  signal?: AbortSignal;
}

const diskFile = 'runner.ext4';
const mebibyte = 1024 * 1024;
/** The disk in use, and the one before it for machines that still run. */
const keptDisks = 2;

const versionSchema: z.ZodType<RunnerVersion> = z.object({
  version: z.string(),
  revision: z.string(),
  platform: z.string(),
  architecture: z.string(),
});

/** Disks with the official runner on them, made once for each binary and attached read-only. */
export class RunnerDisks {
  readonly #deps: RunnerDiskDeps;
  readonly #directory: string;
  readonly #parts: Parts;
  /** Checksums by path, size and time of a binary: reading a hundred megabytes at each run would be felt. */
  readonly #sha256ByFile = new Map<string, string>();

  constructor(deps: RunnerDiskDeps, directory: string) {
    this.#deps = deps;
    this.#directory = directory;
    this.#parts = new Parts(deps, directory);
  }

  /** The image with the runner's disk, and with what that runner is and can do. */
  async attach(image: BootImage, binaryPath: string, options: WithRunnerOptions): Promise<BootImage> {
    const part = await this.#partFor(binaryPath, options.signal);
    const version = versionSchema.parse(part.versions);
    if (version.platform !== image.runner.platform || version.architecture !== image.runner.architecture) {
      throw unusable(binaryPath, `it is made for ${version.platform}/${version.architecture}`);
    }
    const executor = options.executor ?? image.runner.executor;
    return {
      ...image,
      runnerDisk: this.#disk(part),
      runner: {
        name: 'gitlab-runner',
        version: version.version,
        revision: version.revision,
        platform: version.platform,
        architecture: version.architecture,
        executor,
        shell: image.runner.shell,
        features: runnerFeatures(releaseOf(version.version), executor),
      },
    };
  }

  async #partFor(binaryPath: string, signal?: AbortSignal): Promise<Part> {
    const sha256 = await this.#sha256(binaryPath);
    const key = hashOf([builderVersion, sha256]);
    const existing = await this.#parts.newest('runner', key);
    if (existing !== undefined) return existing;
    const versions = { ...(await askRunnerVersion(this.#deps, binaryPath)) };
    await requireTools(this.#deps, ['mke2fs'], false);
    await this.#deps.files.makeDirectory(this.#directory);
    using _lock = await lockBuilds(this.#deps, this.#directory, () => {}, signal);
    const part = await this.#parts.provide({ kind: 'runner', key, versions }, (into) =>
      this.#makeDisk(binaryPath, into, signal),
    );
    const kept = (await this.#parts.list()).slice(0, keptDisks).map(({ id }) => id);
    await this.#parts.prune(new Set([part.id, ...kept, '.lock']));
    return part;
  }

  /** @throws ImageError `images/runner-unusable` for what is no executable file. */
  async #sha256(binaryPath: string): Promise<string> {
    const { files } = this.#deps;
    const [sizeBytes, modifiedMs] = [await files.sizeBytes(binaryPath), await files.modifiedMs(binaryPath)];
    if (sizeBytes === undefined || !(await files.isExecutable(binaryPath)) || (await files.isDirectory(binaryPath))) {
      throw unusable(binaryPath, sizeBytes === undefined ? 'there is no such file' : 'it may not be executed');
    }
    const file = `${binaryPath} ${sizeBytes} ${modifiedMs}`;
    const sha256 = this.#sha256ByFile.get(file) ?? (await files.sha256(binaryPath));
    this.#sha256ByFile.set(file, sha256);
    return sha256;
  }

  #disk(part: Part): ReadOnlyDisk {
    return { path: join(part.path, diskFile), format: 'raw', sizeBytes: part.files[diskFile]?.sizeBytes ?? 0 };
  }

  async #makeDisk(binaryPath: string, into: string, signal?: AbortSignal): Promise<void> {
    const { files } = this.#deps;
    const binaryBytes = (await files.sizeBytes(binaryPath)) ?? 0;
    if ((await files.freeBytes(into)) < 3 * binaryBytes) throw noSpace('make a disk for gitlab-runner', into);
    const tree = join(into, '.tree');
    await files.makeDirectory(tree, 0o755);
    await files.copy(binaryPath, join(tree, 'gitlab-runner'));
    // Room for the file system itself: block maps of the file, a few inodes.
    const sizeMebibytes = Math.ceil((binaryBytes * 1.02) / mebibyte) + 2;
    await runTool(
      this.#deps,
      'mke2fs',
      [
        ...['-q', '-t', 'ext4', '-b', '4096', '-N', '16', '-m', '0', '-L', 'bench-runner'],
        ...['-O', '^has_journal,^resize_inode', '-E', 'root_owner=0:0', '-d', tree],
        ...[join(into, diskFile), `${sizeMebibytes}M`],
      ],
      { doing: 'make a disk for gitlab-runner', ...(signal === undefined ? {} : { signal }) },
    );
    await files.remove(tree);
  }
}
