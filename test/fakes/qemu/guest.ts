/** A service of the machine, as the arguments of QEMU name it. */
export interface FakeGuestService {
  address: string;
  port: number;
  socketPath: string;
}

/** What a guest script has: the machine it runs in, seen from within. */
export interface FakeGuest {
  runId: string;
  /** The unix socket behind `http://10.0.2.100/`. @throws where the machine has no such service. */
  readonly proxySocketPath: string;
  services: readonly FakeGuestService[];
  kernelArguments: readonly string[];
  memoryBytes: number;
  cpus: number;
  /** Paths on the host of the disks, by serial number (`root`, `runner`). */
  disks: Readonly<Record<string, string>>;
  /** Aborts when the machine ends. */
  signal: AbortSignal;
  /** To the serial console, as it is. */
  print(text: string): void;
  /** From now on the power button calls this instead of switching the machine off. */
  onPowerdown(handler: () => void): void;
  powerOff(): void;
  reset(): void;
  /** `isReported`: through the pvpanic device; else as a kernel without its driver does, by a reset. */
  panic(options: { isReported: boolean }): void;
  /** The host's disk is full: QEMU pauses the machine and says so. */
  fillDisk(): void;
  /** QEMU ends at once, with this on its stderr. */
  crash(exitCode: number, stderr: string): void;
}

/** A guest script is a module that exports this as `guest`. What it throws is a kernel panic. */
export type GuestScript = (machine: FakeGuest) => Promise<void> | void;
