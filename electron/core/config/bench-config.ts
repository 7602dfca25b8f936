import type { RunnerId } from '../../contract/ids.ts';
import type { Resources } from '../../contract/state.ts';

/** What the owner wrote, parsed, checked and with every default filled in. All paths are absolute. */
export interface BenchConfig {
  /** The file it was read from. */
  path: string;
  lending: { isEnabled: boolean };
  /** `capacity.here`: what runs and polls may hold together. */
  capacity: Resources;
  /** What stays free for the owner; new jobs are not taken below it. */
  keepFree: { memoryBytes: number; diskBytes: number };
  /** Keys are own properties; look up with `Object.hasOwn` where the name comes from outside. */
  machinesByName: Record<string, MachineConfig>;
  connections: ConnectionConfig[];
  /** The QEMU to use; null lets the program look for one. */
  qemuPath: string | null;
}

/** A kind of machine. */
export interface MachineConfig {
  name: string;
  image: string;
  executor: 'shell' | 'docker';
  cpus: number;
  memoryBytes: number;
  diskBytes: number;
  /** What its machines may reach beside the internet and the job's GitLab instance. */
  reach: ReachRule[];
  /** The official runner to put into the machine; null takes what the image brings. */
  runnerBinaryPath: string | null;
  /** From QEMU's start to the runner's first request. */
  bootTimeoutMs: number;
}

/** A door that is opened by name: `name:port` in the guest leads to `toHost:toPort` as this PC sees it. */
export interface ReachRule {
  name: string;
  port: number;
  toHost: string;
  toPort: number;
}

/** A GitLab instance. */
export interface ConnectionConfig {
  name: string;
  /** `https://host[:port][/sub-path]` without a trailing slash. */
  url: string;
  /** PEM file of the authority that signed the instance's certificate; null for the system's own list. */
  caFile: string | null;
  runners: RunnerConfig[];
}

/** A runner token and what it is used for. */
export interface RunnerConfig {
  id: RunnerId;
  name: string;
  tokenFile: string;
  /** A key of `machinesByName`. */
  machine: string;
  /** Globs over project paths (`isProjectAllowed`); empty allows all. */
  projects: string[];
}
