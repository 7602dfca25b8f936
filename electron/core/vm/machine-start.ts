import type { RunId } from '../../contract/ids.ts';
import type { BootImage } from '../images/boot-image.ts';
import type { Accelerator } from './accelerator.ts';
import type { QemuBinary } from './qemu-binary.ts';
import type { RunPaths } from './run-directory.ts';

/** Something the guest reaches at a fixed address, each connection of it led to a unix socket of the app. */
export interface GuestService {
  /** IPv4 within 10.0.2.0/24, none of QEMU's own (.2 and .3) nor the guest's (.15). */
  address: string;
  port: number;
  /** Absolute; something must listen there before the guest connects. */
  socketPath: string;
}

/**
 * What the guest reaches besides its services.
 * `restricted`: nothing. `routed`: what `launcher` lets through, which must put QEMU into a network namespace of its
 * own; the type has no way to give a guest QEMU's plain user network on the host.
 * A launcher is a program and its first arguments; QEMU's path and arguments follow. It must become QEMU, or end with
 * it and end it when killed: its pid is the one that is watched and killed. Loopback must be up in its namespace,
 * because QEMU hands each connection to a service over a TCP socket pair.
 */
export type GuestNetwork =
  | { kind: 'restricted'; launcher?: readonly string[] }
  | { kind: 'routed'; launcher: readonly [program: string, ...args: string[]] };

/** All that decides how QEMU is started. Nothing in it is secret: arguments of a process are everybody's to read. */
export interface MachineStart {
  runId: RunId;
  qemu: Pick<QemuBinary, 'path' | 'hasSandbox'>;
  accelerator: Pick<Accelerator, 'kind'>;
  machine: { cpus: number; memoryBytes: number };
  image: Pick<BootImage, 'kernelPath' | 'initrdPath' | 'kernelArguments' | 'rootDisk' | 'runnerDisk'>;
  paths: RunPaths;
  services: readonly GuestService[];
  /** Absolute. */
  socatPath: string;
  /** Restricted, without a launcher, where it is left out. */
  network?: GuestNetwork;
}
