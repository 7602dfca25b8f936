import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import type { PlatformDeps } from '../platform/deps.ts';
import { isMissing } from '../platform/files.ts';
import type { GuestRunner } from './boot-image.ts';
import { ImageError } from './image-error.ts';

type RecipeDeps = Pick<PlatformDeps, 'files'>;

/** Part of every hash: to be raised when the builder makes something else of the same recipe. */
export const builderVersion = 1;

/** Names become folders and arguments. */
const imageName = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,62}$/);
const packageName = z.string().regex(/^[a-z0-9][a-z0-9+.-]{1,100}$/);
const text = z.string().min(1).max(200);

const runnerSchema: z.ZodType<GuestRunner> = z.strictObject({
  name: text,
  version: text,
  revision: text,
  platform: text,
  architecture: text,
  executor: text,
  shell: text,
  features: z.record(z.string().max(100), z.boolean()),
});

const recipeSchema = z.strictObject({
  name: imageName,
  description: z.string().min(1).max(500),
  /** Debian's code name. */
  suite: z.string().regex(/^[a-z]+$/),
  /** A package that depends on the kernel's own; modules come from the same package as the kernel. */
  kernelPackage: packageName,
  /** null: everything is in the initramfs. */
  rootDisk: z
    .strictObject({
      packages: z.array(packageName).max(500),
      sizeMebibytes: z.int().min(512).max(65_536),
    })
    .nullable(),
  minimumMemoryMebibytes: z.int().min(32).max(65_536),
  kernelArguments: z.array(z.string().regex(/^[\x21-\x7e]+$/)).max(50),
  /** What runs in the image as long as no official runner is attached. */
  runner: runnerSchema,
});
export type RecipeData = z.infer<typeof recipeSchema>;

/** A file that goes into an image or into its making. */
export interface RecipeFile {
  /** Relative to the folder it was read from, with `/`. */
  path: string;
  bytes: Uint8Array;
}

/** How an image is made: a folder of `vm-images`, and what all images share. */
export interface Recipe extends RecipeData {
  directory: string;
  /** The files of the recipe's folder. */
  own: readonly RecipeFile[];
  /** The files of `vm-images/common`. */
  common: readonly RecipeFile[];
  commonDirectory: string;
  /** Lower-case hex SHA-256 over all of these and the builder's version. */
  inputsHash: string;
}

/** The names there are recipes for, in order. */
export async function recipeNames({ files }: RecipeDeps, recipesDirectory: string): Promise<string[]> {
  const names: string[] = [];
  for (const name of (await files.list(recipesDirectory)).sort()) {
    if (imageName.safeParse(name).success && (await files.exists(join(recipesDirectory, name, 'recipe.json')))) {
      names.push(name);
    }
  }
  return names;
}

/** @throws ImageError `images/unknown` or `images/recipe-invalid`. */
export async function loadRecipe({ files }: RecipeDeps, recipesDirectory: string, name: string): Promise<Recipe> {
  const directory = join(recipesDirectory, imageName.safeParse(name).success ? name : '.');
  let json: string;
  try {
    json = await files.readText(join(directory, 'recipe.json'));
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    const known = await recipeNames({ files }, recipesDirectory);
    throw new ImageError('images/unknown', `There is no image called ${JSON.stringify(name)}`, {
      remedy: `Use one of: ${known.join(', ')}.`,
      cause,
    });
  }
  const data = parseRecipe(json, join(directory, 'recipe.json'));
  if (data.name !== name) throw invalidRecipe(directory, `it calls itself ${data.name}`);
  const commonDirectory = join(recipesDirectory, 'common');
  const own = await readTree(files, directory);
  const common = await readTree(files, commonDirectory);
  return { ...data, directory, own, common, commonDirectory, inputsHash: hashOf(own, common) };
}

function parseRecipe(json: string, path: string): RecipeData {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw invalidRecipe(path, 'it is not JSON', cause);
  }
  const parsed = recipeSchema.safeParse(value);
  if (!parsed.success) throw invalidRecipe(path, z.prettifyError(parsed.error), parsed.error);
  return parsed.data;
}

function invalidRecipe(path: string, why: string, cause?: unknown): ImageError {
  return new ImageError('images/recipe-invalid', `The recipe ${path} is not usable: ${why}`, {
    remedy: 'Restore the recipe that came with Forrest Bench, or correct this one.',
    cause,
  });
}

/** All files below a folder except its documentation, in order of their paths. */
async function readTree(files: PlatformDeps['files'], directory: string, below = ''): Promise<RecipeFile[]> {
  const found: RecipeFile[] = [];
  for (const name of (await files.list(join(directory, below))).sort()) {
    const path = below === '' ? name : `${below}/${name}`;
    const full = join(directory, path);
    if (await files.isDirectory(full)) {
      found.push(...(await readTree(files, directory, path)));
    } else if (!name.endsWith('.md')) {
      found.push({ path, bytes: await files.readRange(full, 0, 1024 * 1024) });
    }
  }
  return found;
}

function hashOf(own: readonly RecipeFile[], common: readonly RecipeFile[]): string {
  const hash = createHash('sha256');
  hash.update(`builder ${builderVersion}\n`);
  for (const [kind, files] of [
    ['own', own],
    ['common', common],
  ] as const) {
    for (const { path, bytes } of files) hash.update(`${kind} ${path} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}
