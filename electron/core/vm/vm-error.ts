import { BenchError } from '../../contract/errors.ts';

/** Everything that goes wrong between "start a machine" and "it is gone". */
export type VmErrorCode =
  /** No QEMU on this host, or no socat. */
  | 'vm/qemu-missing'
  | 'vm/qemu-unsuitable'
  | 'vm/socat-missing'
  /** Why machines run without KVM; not fatal, they then run under TCG. */
  | 'vm/kvm-absent'
  | 'vm/kvm-denied'
  | 'vm/kvm-unusable'
  /** Not even TCG runs a guest. */
  | 'vm/accelerator-none'
  /** The run directory cannot be made where the config says. */
  | 'vm/path-too-long'
  | 'vm/run-directory'
  /** How a machine ended without being asked to; see `vm-outcome.ts`. */
  | 'vm/start-failed'
  | 'vm/boot-timeout'
  | 'vm/died'
  | 'vm/panicked'
  | 'vm/powered-off'
  | 'vm/disk-full'
  /** The control connection to QEMU. */
  | 'vm/qmp-unreachable'
  | 'vm/qmp-protocol'
  | 'vm/qmp-refused'
  | 'vm/qmp-closed';

export class VmError extends BenchError<VmErrorCode> {}
