import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import type { PlatformDeps } from '../platform/deps.ts';
import { isMissing } from '../platform/files.ts';

type PartDeps = Pick<PlatformDeps, 'files' | 'clock' | 'random'>;

/** Size and checksum of a file that was made. */
export const storedFileSchema = z.strictObject({
  sizeBytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type StoredFile = z.infer<typeof storedFileSchema>;

const partSchema = z.strictObject({
  format: z.literal(1),
  /** What was asked for, as a hash: parts with the same key differ only in the versions chosen. */
  key: z.string(),
  /** Chosen when it was made: package to version. */
  versions: z.record(z.string(), z.string()),
  builtAt: z.iso.datetime(),
  files: z.record(z.string(), storedFileSchema),
});

/** Something costly that images share: a kernel with its drivers, a root disk. Never changed once it is there. */
export interface Part extends z.infer<typeof partSchema> {
  /** Its folder's name, which is unique to its content. */
  id: string;
  path: string;
}

/** The parts in one folder, each in a folder of its own with a `part.json`. */
export class Parts {
  readonly #deps: PartDeps;
  readonly #directory: string;

  constructor(deps: PartDeps, directory: string) {
    this.#deps = deps;
    this.#directory = directory;
  }

  /** All whole parts, the newest first: what cannot be read, or lacks a file or some bytes of one, is none. */
  async list(): Promise<Part[]> {
    const parts: Part[] = [];
    for (const id of await this.#deps.files.list(this.#directory)) {
      // A lock, or a part that is being made.
      if (id.startsWith('.')) continue;
      const part = await this.#read(id);
      if (part !== undefined) parts.push(part);
    }
    return parts.sort((a, b) => b.builtAt.localeCompare(a.builtAt));
  }

  async newest(kind: string, key: string): Promise<Part | undefined> {
    return (await this.list()).find((part) => part.key === key && part.id.startsWith(`${kind}-`));
  }

  /**
   * The part of this kind, key and versions: the one that is there, or one that `make` fills a new folder with.
   * The folder gets its name when it is whole; until then, and after a failure, there is none.
   */
  async provide(
    at: { kind: string; key: string; versions: Readonly<Record<string, string>> },
    make: (directory: string) => Promise<void>,
  ): Promise<Part> {
    const { files, clock, random } = this.#deps;
    const id = `${at.kind}-${hashOf([at.key, at.versions]).slice(0, 16)}`;
    const existing = await this.#read(id);
    if (existing !== undefined) return existing;
    const building = join(this.#directory, `.building-${random.base62(8)}`);
    await files.makeDirectory(building);
    try {
      await make(building);
      const contents = await describeFiles(files, building);
      const part = { format: 1, key: at.key, versions: at.versions, files: contents };
      const builtAt = new Date(clock.now()).toISOString();
      await files.writeAtomically(join(building, 'part.json'), `${JSON.stringify({ ...part, builtAt }, null, 2)}\n`);
      // A damaged one may be in the way.
      await files.remove(join(this.#directory, id));
      await files.rename(building, join(this.#directory, id));
    } finally {
      await files.remove(building);
    }
    const made = await this.#read(id);
    if (made === undefined) throw new Error(`the part ${id} is gone as soon as it was made`);
    return made;
  }

  /** Removes all parts but these, and what interrupted builds have left. Only for who holds the build lock. */
  async prune(keptIds: ReadonlySet<string>): Promise<void> {
    const { files } = this.#deps;
    for (const id of await files.list(this.#directory)) {
      if (!keptIds.has(id)) await files.remove(join(this.#directory, id));
    }
  }

  async #read(id: string): Promise<Part | undefined> {
    const path = join(this.#directory, id);
    let json: unknown;
    try {
      json = JSON.parse(await this.#deps.files.readText(join(path, 'part.json')));
    } catch (error) {
      if (isMissing(error) || error instanceof SyntaxError) return undefined;
      throw error;
    }
    const parsed = partSchema.safeParse(json);
    if (!parsed.success || id.startsWith('.')) return undefined;
    for (const [name, { sizeBytes }] of Object.entries(parsed.data.files)) {
      if ((await this.#deps.files.sizeBytes(join(path, name))) !== sizeBytes) return undefined;
    }
    return { ...parsed.data, id, path };
  }
}

/** Lower-case hex SHA-256 of a value's JSON; the value must be written in one order only. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

/** Every file below a folder, by its relative path. */
export async function describeFiles(
  files: PlatformDeps['files'],
  directory: string,
  below = '',
): Promise<Record<string, StoredFile>> {
  const found: Record<string, StoredFile> = {};
  for (const name of (await files.list(join(directory, below))).sort()) {
    const path = below === '' ? name : `${below}/${name}`;
    const full = join(directory, path);
    if (await files.isDirectory(full)) Object.assign(found, await describeFiles(files, directory, path));
    else found[path] = { sizeBytes: (await files.sizeBytes(full)) ?? 0, sha256: await files.sha256(full) };
  }
  return found;
}
