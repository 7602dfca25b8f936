import { createHash } from 'node:crypto';
import { mkdirSync, renameSync } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** One uploaded file. */
export interface StoredArtifact {
  /** `archive`, `junit`, `dotenv`, ... */
  type: string;
  /** `zip`, `gzip`, `raw`, ... */
  format: string;
  filename: string;
  sizeBytes: number;
  /** Lower-case hex. */
  sha256: string;
  expireIn: string | null;
  /** Where the bytes are. */
  path: string;
}

/** What a file of artifacts was uploaded as. */
export interface ArtifactMeta {
  type: string;
  format: string;
  filename: string;
  expireIn: string | null;
}

export class ArtifactTooLargeError extends Error {
  constructor(limitBytes: number) {
    super(`an artifact may have ${limitBytes} bytes`);
    this.name = 'ArtifactTooLargeError';
  }
}

/** A file that is written but not yet anybody's artifact. */
export interface ReceivedFile extends AsyncDisposable {
  sizeBytes: number;
  sha256: string;
  /** Gives the file to a job; at once, so that of two uploads that end together the second one sees the first. */
  keep(jobId: number, meta: ArtifactMeta): StoredArtifact;
}

/** Artifacts on disk: `<directory>/artifacts/<job id>/<type>`. */
export class ArtifactStore {
  readonly #directory: string;
  #lastTemporary = 0;

  constructor(directory: string) {
    this.#directory = join(directory, 'artifacts');
  }

  /**
   * Writes a stream to disk as it comes; memory use does not depend on its length.
   * @throws ArtifactTooLargeError as soon as the limit is passed.
   */
  async receive(bytes: AsyncIterable<Uint8Array>, limitBytes: number): Promise<ReceivedFile> {
    await mkdir(this.#directory, { recursive: true });
    this.#lastTemporary += 1;
    const temporary = join(this.#directory, `.incoming-${this.#lastTemporary}`);
    const hash = createHash('sha256');
    let sizeBytes = 0;
    try {
      await using file = await open(temporary, 'w', 0o600);
      for await (const chunk of bytes) {
        sizeBytes += chunk.length;
        if (sizeBytes > limitBytes) throw new ArtifactTooLargeError(limitBytes);
        hash.update(chunk);
        await file.writeFile(chunk);
      }
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    const sha256 = hash.digest('hex');
    const directory = this.#directory;
    return {
      sizeBytes,
      sha256,
      keep(jobId, meta) {
        const folder = join(directory, String(jobId));
        mkdirSync(folder, { recursive: true });
        const path = join(folder, meta.type);
        renameSync(temporary, path);
        return { ...meta, sizeBytes, sha256, path };
      },
      [Symbol.asyncDispose]: () => rm(temporary, { force: true }),
    };
  }
}
