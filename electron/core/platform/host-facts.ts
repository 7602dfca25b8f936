import { statfs } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';

/** What this PC has, as far as lending is concerned. */
export interface HostFacts {
  /** CPUs this process may use. */
  cpus: number;
  memoryBytes: number;
  /** Size of the file system that holds the run directories, free or not. */
  diskBytes: number;
}

/** @param diskPath An existing path on the file system of the run directories. */
export async function readHostFacts(diskPath: string): Promise<HostFacts> {
  const { blocks, bsize } = await statfs(diskPath);
  return { cpus: availableParallelism(), memoryBytes: totalmem(), diskBytes: blocks * bsize };
}
