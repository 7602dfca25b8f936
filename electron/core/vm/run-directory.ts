import { join } from 'node:path';
import { type RunId, runIdSchema } from '../../contract/ids.ts';
import type { PlatformDeps } from '../platform/deps.ts';
import type { Directories } from '../platform/directories.ts';
import { VmError } from './vm-error.ts';

/** `sun_path` of unix(7) has 108 bytes, and QEMU wants the closing null byte among them. */
export const socketPathLimitBytes = 107;
/** The most services a machine may reach by name; the longest socket name is made of it. */
export const reachLimit = 1000;

/** Every path of a run. Nothing else in the program joins a run's paths. */
export interface RunPaths {
  /** The folder of files; on a real disk. */
  directory: string;
  /** The folder of sockets; may be the same. */
  socketDirectory: string;
  /** What the run writes; made by `images`, absent where an image has no root disk. */
  overlay: string;
  /** The serial console, at most `consoleLimitBytes` of it. */
  consoleLog: string;
  /** What QEMU itself prints. */
  qemuLog: string;
  /** Who the QEMU process is, see `process-record.ts`. */
  processRecord: string;
  qmpSocket: string;
  consoleSocket: string;
  /** The listener of the runner API. */
  proxySocket: string;
  /** The listener of the filtering proxy to the internet. */
  egressSocket: string;
  /** The listener behind the `index`-th service that the machine may reach by name. */
  reachSocket(index: number): string;
}

type RunDirectoryDeps = Pick<PlatformDeps, 'files'>;

/** A run's folder, and its folder of sockets where that is another one. Both are readable by their owner alone. */
export class RunDirectory {
  readonly runId: RunId;
  readonly paths: RunPaths;
  readonly #deps: RunDirectoryDeps;

  private constructor(deps: RunDirectoryDeps, directories: Directories, runId: RunId) {
    this.#deps = deps;
    this.runId = runId;
    this.paths = runPaths(directories, runId);
  }

  /**
   * @throws VmError `vm/path-too-long` where a socket in it could not be bound; `vm/run-directory` where it cannot be
   * made, or exists already: two runs in one folder would steal each other's sockets.
   */
  static async create(deps: RunDirectoryDeps, directories: Directories, runId: RunId): Promise<RunDirectory> {
    checkSocketPaths(directories);
    const run = new RunDirectory(deps, directories, runId);
    const { directory, socketDirectory } = run.paths;
    for (const path of new Set([directory, socketDirectory])) {
      if (await deps.files.exists(path)) {
        throw new VmError('vm/run-directory', `The folder of run ${runId} exists already: ${path}`, {
          remedy: 'Remove it if no machine runs in it, and start the job again.',
        });
      }
      try {
        await deps.files.makeDirectory(path, 0o700);
      } catch (cause) {
        throw new VmError('vm/run-directory', `The folder of a run cannot be made: ${path}`, {
          remedy: 'See that its parent folder exists, is yours, and that its disk is neither full nor read-only.',
          cause,
        });
      }
    }
    return run;
  }

  /** The folder of a run of an earlier process; whether anything is in it is not asked. */
  static open(deps: RunDirectoryDeps, directories: Directories, runId: RunId): RunDirectory {
    return new RunDirectory(deps, directories, runId);
  }

  /** The runs that have left a folder, in the order of their ids. */
  static async list(deps: RunDirectoryDeps, directories: Directories): Promise<RunId[]> {
    const names = new Set([
      ...(await deps.files.list(directories.runs)),
      ...(await deps.files.list(directories.sockets)),
    ]);
    return [...names]
      .sort()
      .map((name) => runIdSchema.safeParse(name))
      .flatMap((parsed) => (parsed.success ? [parsed.data] : []));
  }

  /**
   * Removes what the run left. Its QEMU must have ended.
   * @param options `keepLogs` leaves console and QEMU log where they are, for whoever asks why a run failed.
   */
  async remove(options: { keepLogs: boolean }): Promise<void> {
    const { directory, socketDirectory, consoleLog, qemuLog } = this.paths;
    if (!options.keepLogs) {
      for (const path of new Set([socketDirectory, directory])) await this.#deps.files.remove(path);
      return;
    }
    const kept = new Set([consoleLog, qemuLog]);
    for (const name of await this.#deps.files.list(directory)) {
      const path = join(directory, name);
      if (!kept.has(path)) await this.#deps.files.remove(path);
    }
    if (socketDirectory !== directory) await this.#deps.files.remove(socketDirectory);
  }
}

/** Pure: where the files of a run are. */
export function runPaths(directories: Pick<Directories, 'runs' | 'sockets'>, runId: RunId): RunPaths {
  const directory = join(directories.runs, runId);
  const socketDirectory = join(directories.sockets, runId);
  return {
    directory,
    socketDirectory,
    overlay: join(directory, 'overlay.qcow2'),
    consoleLog: join(directory, 'console.log'),
    qemuLog: join(directory, 'qemu.log'),
    processRecord: join(directory, 'process.json'),
    qmpSocket: join(socketDirectory, 'q'),
    consoleSocket: join(socketDirectory, 'c'),
    proxySocket: join(socketDirectory, 'p'),
    egressSocket: join(socketDirectory, 'e'),
    reachSocket(index) {
      if (!Number.isInteger(index) || index < 0 || index >= reachLimit) {
        throw new RangeError(`a machine reaches at most ${reachLimit} services, not number ${index}`);
      }
      return join(socketDirectory, `r${index}`);
    },
  };
}

/**
 * Checks once, before there is any run, that the sockets of every run can be bound.
 * @throws VmError `vm/path-too-long`
 */
export function checkSocketPaths(directories: Pick<Directories, 'runs' | 'sockets'>): void {
  const longest = runPaths(directories, runIdSchema.parse('00000000')).reachSocket(reachLimit - 1);
  const sizeBytes = new TextEncoder().encode(longest).length;
  if (sizeBytes <= socketPathLimitBytes) return;
  throw new VmError(
    'vm/path-too-long',
    `Sockets in ${directories.sockets} would have paths of ${sizeBytes} bytes; the system allows ${socketPathLimitBytes}`,
    {
      remedy: `Set XDG_RUNTIME_DIR, or XDG_STATE_HOME, to a folder whose path is shorter, by ${sizeBytes - socketPathLimitBytes} bytes or more.`,
    },
  );
}
