import { join } from 'node:path';
import { type RunId, runIdSchema } from '../../contract/ids.ts';
import type { PlatformDeps } from '../platform/deps.ts';
import { type Gap, gapsWithin, readGaps, writeGaps } from './gaps.ts';
import { TraceError } from './trace-error.ts';
import { TraceWriter } from './trace-writer.ts';

/** A byte range of a trace. */
export interface TraceSlice {
  /** Offset of `bytes[0]` in the whole trace. */
  fromByte: number;
  /** Bytes there are in all, now. */
  sizeBytes: number;
  /** May start or end within a UTF-8 sequence. Bytes within a gap read as zeros. */
  bytes: Uint8Array;
  /** Which of these bytes are not the job's but missing. */
  gaps: readonly Gap[];
}

export interface StoredTrace {
  runId: RunId;
  sizeBytes: number;
  /** Milliseconds since the epoch. */
  modifiedMs: number;
}

const suffix = '.log';

/** The traces on disk: `<directory>/<run id>.log`, and `<run id>.gaps` beside it where something is missing. */
export class TraceStore {
  readonly #deps: Pick<PlatformDeps, 'files' | 'log'>;
  readonly #directory: string;
  readonly #writersByRun = new Map<RunId, TraceWriter>();

  constructor(deps: Pick<PlatformDeps, 'files' | 'log'>, directory: string) {
    this.#deps = deps;
    this.#directory = directory;
  }

  /** Starts an empty trace; what lay there under the same id is gone. */
  async create(runId: RunId): Promise<TraceWriter> {
    await this.remove(runId);
    return this.open(runId);
  }

  /**
   * Goes on with a trace at its size, for a run that outlived the process that began it. At most one writer of a
   * trace may be open.
   */
  async open(runId: RunId): Promise<TraceWriter> {
    const { files, log } = this.#deps;
    const paths = this.#paths(runId);
    await files.makeDirectory(this.#directory);
    const gaps = await readGaps(files, paths.gaps);
    const file = await files.openForWriting(paths.trace, 0o600);
    const writer = new TraceWriter({
      file,
      sizeBytes: (await files.sizeBytes(paths.trace)) ?? 0,
      gaps,
      saveGaps: async (all) => {
        log.warn({ runId, gapCount: all.length, ...all.at(-1) }, 'trace bytes are missing here, GitLab has them');
        await writeGaps(files, paths.gaps, all);
      },
      onClose: () => this.#writersByRun.delete(runId),
    });
    this.#writersByRun.set(runId, writer);
    return writer;
  }

  /** @returns An empty slice where there is no trace (yet), or past its end. */
  async read(runId: RunId, fromByte: number, maxBytes: number): Promise<TraceSlice> {
    const { files } = this.#deps;
    const paths = this.#paths(runId);
    const writer = this.#writersByRun.get(runId);
    const sizeBytes = writer?.sizeBytes ?? (await files.sizeBytes(paths.trace)) ?? 0;
    const length = Math.max(0, Math.min(maxBytes, sizeBytes - fromByte));
    if (length === 0) return { fromByte, sizeBytes, bytes: new Uint8Array(), gaps: [] };
    const bytes = await files.readRange(paths.trace, fromByte, length);
    const gaps = writer?.gaps ?? (await readGaps(files, paths.gaps));
    return { fromByte, sizeBytes, bytes, gaps: gapsWithin(gaps, fromByte, fromByte + bytes.length) };
  }

  async remove(runId: RunId): Promise<void> {
    const paths = this.#paths(runId);
    await this.#deps.files.remove(paths.trace);
    await this.#deps.files.remove(paths.gaps);
  }

  /** All traces there are, in no order. Files with other names are none of ours. */
  async list(): Promise<StoredTrace[]> {
    const { files } = this.#deps;
    const traces: StoredTrace[] = [];
    for (const name of await files.list(this.#directory)) {
      if (!name.endsWith(suffix)) continue;
      const runId = runIdSchema.safeParse(name.slice(0, -suffix.length));
      if (!runId.success) continue;
      const path = join(this.#directory, name);
      const [sizeBytes, modifiedMs] = await Promise.all([files.sizeBytes(path), files.modifiedMs(path)]);
      // Removed between the two looks: it is simply not there any more.
      if (sizeBytes === undefined || modifiedMs === undefined) continue;
      traces.push({ runId: runId.data, sizeBytes, modifiedMs });
    }
    return traces;
  }

  /** A run id becomes part of a path, so its alphabet is checked here whatever its type claims. */
  #paths(runId: RunId) {
    const checked = runIdSchema.safeParse(runId);
    if (!checked.success) {
      throw new TraceError('trace/bad-run-id', 'This is not the id of a run.', {
        remedy: 'Choose the run from the list again.',
      });
    }
    return {
      trace: join(this.#directory, `${checked.data}${suffix}`),
      gaps: join(this.#directory, `${checked.data}.gaps`),
    };
  }
}
