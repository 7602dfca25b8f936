import { statfs } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { isMissing } from './files.ts';

/** What this PC has, as far as lending is concerned. */
export interface HostFacts {
  /** CPUs this process may use. */
  cpus: number;
  memoryBytes: number;
  /** Size of the file system that holds the run directories, free or not. */
  diskBytes: number;
}

/** @param diskPath On the file system of the run directories; need not exist yet. */
export async function readHostFacts(diskPath: string): Promise<HostFacts> {
  return { cpus: availableParallelism(), memoryBytes: totalmem(), diskBytes: await diskBytesOf(diskPath) };
}

async function diskBytesOf(path: string): Promise<number> {
  try {
    const { blocks, bsize } = await statfs(path);
    return blocks * bsize;
  } catch (error) {
    if (isMissing(error) && dirname(path) !== path) return await diskBytesOf(dirname(path));
    throw error;
  }
}
