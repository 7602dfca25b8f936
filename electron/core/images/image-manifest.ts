import { join } from 'node:path';
import { z } from 'zod';
import type { PlatformDeps } from '../platform/deps.ts';
import { isMissing } from '../platform/files.ts';
import type { BootImage } from './boot-image.ts';
import { storedFileSchema } from './parts.ts';
import type { Recipe } from './recipe.ts';

const mebibyte = 1024 * 1024;
const hash = z.string().regex(/^[0-9a-f]{64}$/);
/** A file below the folder of images. */
const fileSchema = z.strictObject({
  ...storedFileSchema.shape,
  path: z.string().regex(/^[\w.-]+(\/[\w.-]+)*$/),
});
export type ManifestFile = z.infer<typeof fileSchema>;

const manifestSchema = z.strictObject({
  format: z.literal(1),
  name: z.string(),
  contentHash: z.string().regex(/^[0-9a-f]{16}$/),
  /** Of the recipe it was built from. */
  inputsHash: hash,
  builtAt: z.iso.datetime(),
  tookMs: z.int().nonnegative(),
  /** The parts it consists of, by their folders' names. */
  parts: z.array(z.string()),
  /** The versions that were chosen, package to version. */
  versions: z.record(z.string(), z.string()),
  /** What it was made with, program to version. */
  tools: z.record(z.string(), z.string()),
  kernel: fileSchema,
  initrd: fileSchema,
  rootDisk: fileSchema.nullable(),
});
export type ImageManifest = z.infer<typeof manifestSchema>;

/** A built image: its manifest, and the folder it lies in. */
export interface BuiltImage {
  manifest: ImageManifest;
  /** The folder's name. */
  folder: string;
}

/** The images in a folder that were built for `name`, the newest first; what cannot be read is none. */
export async function builtImages(
  { files }: Pick<PlatformDeps, 'files'>,
  imagesDirectory: string,
  name: string,
): Promise<BuiltImage[]> {
  const found: BuiltImage[] = [];
  for (const folder of await files.list(imagesDirectory)) {
    if (!folder.startsWith(`${name}-`)) continue;
    const manifest = await readManifest(files, join(imagesDirectory, folder, 'manifest.json'));
    if (manifest?.name === name) found.push({ manifest, folder });
  }
  return found.sort((a, b) => b.manifest.builtAt.localeCompare(a.manifest.builtAt));
}

async function readManifest(files: PlatformDeps['files'], path: string): Promise<ImageManifest | undefined> {
  try {
    const parsed = manifestSchema.safeParse(JSON.parse(await files.readText(path)));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (isMissing(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function manifestFiles({ kernel, initrd, rootDisk }: ImageManifest): ManifestFile[] {
  return [kernel, initrd, ...(rootDisk === null ? [] : [rootDisk])];
}

/** What boots, from what was built and what its recipe says. */
export function bootImage(manifest: ImageManifest, recipe: Recipe, imagesDirectory: string): BootImage {
  const { rootDisk } = manifest;
  return {
    name: manifest.name,
    contentHash: manifest.contentHash,
    kernelPath: join(imagesDirectory, manifest.kernel.path),
    initrdPath: join(imagesDirectory, manifest.initrd.path),
    kernelArguments: recipe.kernelArguments,
    rootDisk:
      rootDisk === null || recipe.rootDisk === null
        ? null
        : {
            path: join(imagesDirectory, rootDisk.path),
            format: 'qcow2',
            sizeBytes: recipe.rootDisk.sizeMebibytes * mebibyte,
          },
    runnerDisk: null,
    runner: recipe.runner,
    minimumMemoryBytes: recipe.minimumMemoryMebibytes * mebibyte,
  };
}
