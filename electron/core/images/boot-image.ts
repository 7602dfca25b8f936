/** What the runner in an image is and can do; the poller announces exactly this (protocol document 1.2 and 1.8). */
export interface GuestRunner {
  name: string;
  version: string;
  revision: string;
  platform: string;
  architecture: string;
  executor: string;
  shell: string;
  features: Readonly<Record<string, boolean>>;
}

/** A disk that is attached read-only to a machine. */
export interface ReadOnlyDisk {
  path: string;
  format: 'raw' | 'qcow2';
  sizeBytes: number;
}

/** An image that is built and whole: what QEMU boots, named by the hash of everything it was made from. */
export interface BootImage {
  name: string;
  /** 16 lower-case hex digits of the SHA-256 over all inputs. */
  contentHash: string;
  kernelPath: string;
  initrdPath: string;
  /** Words appended to the kernel's command line. Never a secret: the guest and the host's `ps` show it. */
  kernelArguments: readonly string[];
  /** null where everything is in the initramfs. */
  rootDisk: ReadOnlyDisk | null;
  /** The official runner, where a binary was given; seen by the guest as the disk with serial `runner`. */
  runnerDisk: ReadOnlyDisk | null;
  runner: GuestRunner;
  /** The least memory it boots with. */
  minimumMemoryBytes: number;
}
