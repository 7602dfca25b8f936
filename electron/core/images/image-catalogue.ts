import { dirname, join } from 'node:path';
import { errorCode } from '../platform/files.ts';
import type { BootImage } from './boot-image.ts';
import { lockBuilds } from './build-lock.ts';
import { type BuildDeps, type BuildProgress, ImageBuilder } from './image-builder.ts';
import { ImageError } from './image-error.ts';
import { type BuiltImage, bootImage, builtImages, manifestFiles } from './image-manifest.ts';
import { createOverlay } from './overlay.ts';
import { Parts } from './parts.ts';
import { loadRecipe, type Recipe, recipeNames } from './recipe.ts';
import { RunnerDisks, type WithRunnerOptions } from './runner-disk.ts';
import { noSpace } from './tools.ts';

export interface CatalogueOptions {
  /** The folder `vm-images`. */
  recipesDirectory: string;
  /** `Directories.cache`; what is built lies in `images` and `runners` below it. */
  cacheDirectory: string;
}

export interface BuildImageOptions {
  onProgress?: (progress: BuildProgress) => void;
  /** Builds again where Debian has newer packages, even if the recipe has not changed. */
  isRefresh?: boolean;
  signal?: AbortSignal;
}

/** A new build does not pull the disk from under a machine that runs on the one before. */
const keptBuilds = 2;

/** The images of this PC: what there are recipes for, and what was built from them. */
export class ImageCatalogue {
  readonly #deps: BuildDeps;
  readonly #recipesDirectory: string;
  readonly #imagesDirectory: string;
  readonly #runners: RunnerDisks;

  constructor(deps: BuildDeps, options: CatalogueOptions) {
    this.#deps = deps;
    this.#recipesDirectory = options.recipesDirectory;
    this.#imagesDirectory = join(options.cacheDirectory, 'images');
    this.#runners = new RunnerDisks(deps, join(options.cacheDirectory, 'runners'));
  }

  /** The names there are recipes for, in order. */
  names(): Promise<string[]> {
    return recipeNames(this.#deps, this.#recipesDirectory);
  }

  /**
   * The image as it was built; its files are there and have their sizes, but are not read.
   * @throws ImageError `images/unknown`, `images/missing`, `images/corrupt` or `images/recipe-invalid`.
   */
  async resolve(name: string): Promise<BootImage> {
    const { recipe, built } = await this.#find(name);
    if (built === undefined) throw missing(name);
    await this.#checkSizes(built);
    return bootImage(built.manifest, recipe, this.#imagesDirectory);
  }

  /**
   * Reads every byte of the image and compares checksums. What is damaged is removed, so that the next build makes it
   * anew; machines that run on it are not disturbed by that.
   * @throws ImageError as `resolve` does.
   */
  async verify(name: string): Promise<void> {
    const { built } = await this.#find(name);
    if (built === undefined) throw missing(name);
    await this.#checkSizes(built);
    for (const file of manifestFiles(built.manifest)) {
      const sha256 = await this.#deps.files.sha256(join(this.#imagesDirectory, file.path));
      if (sha256 === file.sha256) continue;
      await this.#deps.files.remove(join(this.#imagesDirectory, dirname(file.path)));
      throw corrupt(name, `${file.path} has another checksum; it is removed`);
    }
  }

  /**
   * The image, built if it is not there yet or if its recipe has changed since. Of several callers, also in other
   * processes, one builds and the others wait for it.
   * @throws ImageError for whatever keeps it from being built; `signal.reason` when aborted.
   */
  async build(name: string, options: BuildImageOptions = {}): Promise<BootImage> {
    const isRefresh = options.isRefresh ?? false;
    const { recipe, built } = await this.#find(name);
    if (!isRefresh && built !== undefined && (await this.#isWhole(built))) {
      return bootImage(built.manifest, recipe, this.#imagesDirectory);
    }
    const { clock, files, log } = this.#deps;
    const startedMs = clock.monotonicMs();
    const onProgress = (step: BuildProgress['step'], text: string) =>
      options.onProgress?.({ step, text, elapsedMs: Math.round(clock.monotonicMs() - startedMs) });
    await files.makeDirectory(join(this.#imagesDirectory, 'parts'));
    using _lock = await lockBuilds(
      this.#deps,
      this.#imagesDirectory,
      () => onProgress('waiting', 'Waiting for another build of images to end'),
      options.signal,
    );
    // Another process may have built it meanwhile.
    const other = (await this.#find(name)).built;
    if (!isRefresh && other !== undefined && (await this.#isWhole(other))) {
      return bootImage(other.manifest, recipe, this.#imagesDirectory);
    }
    const builder = new ImageBuilder(this.#deps, this.#imagesDirectory, recipe, {
      onProgress,
      isRefresh,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const manifest = await withoutDiskFull(() => builder.build(), this.#imagesDirectory);
    await this.#prune();
    log.info({ image: name, contentHash: manifest.contentHash, tookMs: manifest.tookMs }, 'image built');
    onProgress('finished', `${name} is ready`);
    return bootImage(manifest, recipe, this.#imagesDirectory);
  }

  /**
   * The image with the official runner in it, on a small disk of its own that is made once for each binary.
   * @param binaryPath A gitlab-runner for Linux; it is run once on this host, with `--version`.
   * @throws ImageError `images/runner-unusable`, `images/tool-missing`, `images/no-space` or `images/build-failed`.
   */
  withRunner(image: BootImage, binaryPath: string, options: WithRunnerOptions = {}): Promise<BootImage> {
    return this.#runners.attach(image, binaryPath, options);
  }

  /**
   * Makes the layer a run writes to. Only for images with a root disk.
   * @param diskBytes How large the disk looks to the guest; never less than the image's own.
   * @throws ImageError `images/no-root-disk`, `images/tool-missing`, `images/no-space` or `images/overlay-failed`.
   */
  createOverlay(image: BootImage, overlayPath: string, diskBytes: number): Promise<void> {
    return createOverlay(this.#deps, image, overlayPath, diskBytes);
  }

  async #find(name: string): Promise<{ recipe: Recipe; built: BuiltImage | undefined }> {
    const recipe = await loadRecipe(this.#deps, this.#recipesDirectory, name);
    const all = await builtImages(this.#deps, this.#imagesDirectory, name);
    return { recipe, built: all.find(({ manifest }) => manifest.inputsHash === recipe.inputsHash) };
  }

  async #isWhole(built: BuiltImage): Promise<boolean> {
    return (await this.#whatIsWrong(built)) === undefined;
  }

  async #checkSizes(built: BuiltImage): Promise<void> {
    const wrong = await this.#whatIsWrong(built);
    if (wrong !== undefined) throw corrupt(built.manifest.name, wrong);
  }

  async #whatIsWrong({ manifest }: BuiltImage): Promise<string | undefined> {
    for (const file of manifestFiles(manifest)) {
      const sizeBytes = await this.#deps.files.sizeBytes(join(this.#imagesDirectory, file.path));
      if (sizeBytes === undefined) return `${file.path} is gone`;
      if (sizeBytes !== file.sizeBytes) return `${file.path} has ${sizeBytes} bytes instead of ${file.sizeBytes}`;
    }
    return undefined;
  }

  /** Removes older builds, the parts that none of the kept ones needs, and what interrupted builds have left. */
  async #prune(): Promise<void> {
    const { files } = this.#deps;
    const folders = await files.list(this.#imagesDirectory);
    const kept = new Set<string>();
    const keptParts = new Set<string>();
    for (const name of await this.names()) {
      for (const built of (await builtImages(this.#deps, this.#imagesDirectory, name)).slice(0, keptBuilds)) {
        kept.add(built.folder);
        for (const id of built.manifest.parts) keptParts.add(id);
      }
    }
    for (const folder of folders) {
      const isOurs = folder.startsWith('.building-') || /-[0-9a-f]{16}$/.test(folder);
      if (isOurs && !kept.has(folder)) await files.remove(join(this.#imagesDirectory, folder));
    }
    await new Parts(this.#deps, join(this.#imagesDirectory, 'parts')).prune(keptParts);
  }
}

/** Our own writes fail with the system's error, which says nothing to people. */
async function withoutDiskFull<T>(work: () => Promise<T>, directory: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (errorCode(error) === 'ENOSPC' || errorCode(error) === 'EDQUOT')
      throw noSpace('build an image', directory, error);
    throw error;
  }
}

function missing(name: string): ImageError {
  return new ImageError('images/missing', `The image ${name} is not built, or its recipe has changed since`, {
    remedy: `Build it with: forrest-bench images build ${name}`,
  });
}

function corrupt(name: string, why: string): ImageError {
  return new ImageError('images/corrupt', `The image ${name} is damaged: ${why}`, {
    remedy: `Build it again with: forrest-bench images build ${name}`,
  });
}
