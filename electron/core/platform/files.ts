import { createHash } from 'node:crypto';
import { constants, createReadStream, watch as watchFile } from 'node:fs';
import { access, copyFile, mkdir, open, readdir, readFile, realpath, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** A file that only this process writes. Positions and sizes are bytes. */
export interface WritableFile extends AsyncDisposable {
  write(bytes: Uint8Array, atByte: number): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  /** Returns once the bytes are on the disk itself. */
  sync(): Promise<void>;
}

/** The file system. Paths are absolute; errors are Node's own, with `code`. */
export interface Files {
  readText(path: string): Promise<string>;
  /** At most `maxBytes` from `fromByte`; shorter at the end of the file, empty past it. */
  readRange(path: string, fromByte: number, maxBytes: number): Promise<Uint8Array>;
  exists(path: string): Promise<boolean>;
  isExecutable(path: string): Promise<boolean>;
  /** False also where there is nothing at all. */
  isDirectory(path: string): Promise<boolean>;
  /** Opens a device for reading and writing and closes it again. @returns Node's error code where that fails. */
  whyNotOpened(path: string): Promise<string | undefined>;
  /** @returns undefined where there is no such file. */
  sizeBytes(path: string): Promise<number | undefined>;
  modifiedMs(path: string): Promise<number | undefined>;
  /** The permission bits, `0o600` for instance; undefined where there is no such file. */
  permissions(path: string): Promise<number | undefined>;
  /** The path with every symbolic link followed. */
  realPath(path: string): Promise<string>;
  /** Names within a folder; empty where there is no such folder. */
  list(path: string): Promise<string[]>;
  makeDirectory(path: string, mode?: number): Promise<void>;
  /** All or nothing, and on the disk when it returns: temporary file, fsync, rename, fsync of the folder. */
  writeAtomically(path: string, content: string | Uint8Array, mode?: number): Promise<void>;
  /** Opens for writing, creating it; keeps what is there. */
  openForWriting(path: string, mode?: number): Promise<WritableFile>;
  copy(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a whole folder; silent where there is none. */
  remove(path: string): Promise<void>;
  /** Bytes an ordinary user may still write at `path`'s file system. */
  freeBytes(path: string): Promise<number>;
  /** Lower-case hex SHA-256 of a file's bytes. */
  sha256(path: string): Promise<string>;
  /** Calls back after `path` changed, also when it is replaced by a rename; several times for one change. */
  watch(path: string, onChange: () => void): Disposable;
}

export const systemFiles: Files = {
  readText: (path) => readFile(path, 'utf8'),
  async readRange(path, fromByte, maxBytes) {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    const length = Math.max(0, Math.min(maxBytes, size - fromByte));
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await file.read(bytes, 0, length, fromByte);
    return bytes.subarray(0, bytesRead);
  },
  exists: (path) => canAccess(path, constants.F_OK),
  isExecutable: (path) => canAccess(path, constants.X_OK),
  isDirectory: async (path) => (await statOrUndefined(path))?.isDirectory() ?? false,
  async whyNotOpened(path) {
    try {
      await using _file = await open(path, constants.O_RDWR);
      return undefined;
    } catch (error) {
      return errorCode(error) ?? 'unknown';
    }
  },
  sizeBytes: async (path) => (await statOrUndefined(path))?.size,
  modifiedMs: async (path) => (await statOrUndefined(path))?.mtimeMs,
  async permissions(path) {
    const mode = (await statOrUndefined(path))?.mode;
    return mode === undefined ? undefined : mode & 0o777;
  },
  realPath: (path) => realpath(path),
  async list(path) {
    try {
      return await readdir(path);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  },
  async makeDirectory(path, mode = 0o700) {
    await mkdir(path, { recursive: true, mode });
  },
  async writeAtomically(path, content, mode = 0o600) {
    const folder = dirname(path);
    const temporary = join(folder, `.${basename(path)}.${process.pid}.tmp`);
    try {
      {
        await using file = await open(temporary, 'w', mode);
        await file.writeFile(content);
        await file.sync();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await using opened = await open(folder, 'r');
    await opened.sync();
  },
  async openForWriting(path, mode = 0o600) {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, mode);
    return {
      async write(bytes, atByte) {
        let written = 0;
        while (written < bytes.length) {
          const result = await file.write(bytes, written, bytes.length - written, atByte + written);
          written += result.bytesWritten;
        }
      },
      truncate: (sizeBytes) => file.truncate(sizeBytes),
      sync: () => file.sync(),
      [Symbol.asyncDispose]: () => file.close(),
    };
  },
  copy: (from, to) => copyFile(from, to, constants.COPYFILE_FICLONE),
  rename: (from, to) => rename(from, to),
  remove: (path) => rm(path, { recursive: true, force: true }),
  async freeBytes(path) {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
  async sha256(path) {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    return hash.digest('hex');
  },
  watch(path, onChange) {
    // The folder, not the file: editors replace a file by a rename, which ends a watch on the file itself.
    const name = basename(path);
    const watcher = watchFile(dirname(path), { persistent: false }, (_event, changed) => {
      if (changed === name) onChange();
    });
    return { [Symbol.dispose]: () => watcher.close() };
  },
};

/** True for Node's "no such file or directory". */
export function isMissing(error: unknown): boolean {
  return errorCode(error) === 'ENOENT';
}

/** Node's `code` of a system error (`ENOSPC`, `EADDRINUSE`, ...), or undefined. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

async function canAccess(path: string, mode: number): Promise<boolean> {
  try {
    await access(path, mode);
    return true;
  } catch {
    return false;
  }
}

async function statOrUndefined(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
