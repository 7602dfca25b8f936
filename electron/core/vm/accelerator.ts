import { join } from 'node:path';
import { z } from 'zod';
import type { PlatformDeps } from '../platform/deps.ts';
import { probeArguments, probeDisk, probeExitCode, probePrints } from './probe-guest.ts';
import type { QemuBinary } from './qemu-binary.ts';
import { VmError, type VmErrorCode } from './vm-error.ts';

/** How machines run here, and why, in a sentence an owner understands. */
export type Accelerator =
  | { kind: 'kvm'; why: string }
  /** `problem` is what keeps KVM from being used, with its remedy. */
  | { kind: 'tcg'; why: string; problem: VmError };

export interface ProbeOptions {
  qemu: Pick<QemuBinary, 'path' | 'version'>;
  /** A folder for the probe's disk of 1 MiB; made where it does not exist. */
  scratchDirectory: string;
  /** The file that keeps the verdict until the next boot of the host. */
  cachePath: string;
  kvmPath?: string;
  /** Ask the guest again whatever the cache says. */
  isRenewed?: boolean;
}

const kvmLimitMs = 3_000;
/** TCG needs 0.3 s; what is left is for a host with all its CPUs taken. */
const tcgLimitMs = 20_000;
const bootIdPath = '/proc/sys/kernel/random/boot_id';

const verdictSchema = z.object({ isUsable: z.boolean(), why: z.string().max(2000) });
type Verdict = z.infer<typeof verdictSchema>;
const cacheSchema = z.object({
  bootId: z.string(),
  qemuPath: z.string(),
  qemuVersion: z.string(),
  kvm: verdictSchema.nullable(),
  tcg: verdictSchema.nullable(),
});
type Cache = z.infer<typeof cacheSchema>;
type ProbeDeps = Pick<PlatformDeps, 'files' | 'processes'>;

/**
 * Decides between KVM and TCG by booting a guest that does what a kernel does. Takes under 4 seconds the first time
 * after a boot of the host, then the time of reading a file. Whether `/dev/kvm` opens is asked anew each time: it is
 * what an owner mends while we run.
 * @throws VmError `vm/accelerator-none` where the guest runs under neither.
 */
export async function probeAccelerator(deps: ProbeDeps, options: ProbeOptions): Promise<Accelerator> {
  const cache = await readCache(deps, options);
  const closed = await whyKvmIsClosed(deps, options.kvmPath ?? '/dev/kvm');
  if (closed === undefined) {
    cache.kvm ??= await bootProbe(deps, options, 'kvm', kvmLimitMs);
    if (cache.kvm.isUsable) {
      await writeCache(deps, options, cache);
      return { kind: 'kvm', why: cache.kvm.why };
    }
  }
  cache.tcg ??= await bootProbe(deps, options, 'tcg', tcgLimitMs);
  await writeCache(deps, options, cache.tcg.isUsable ? cache : { ...cache, tcg: null });
  const problem = closed ?? unusable(cache.kvm?.why ?? '');
  if (!cache.tcg.isUsable) {
    throw new VmError('vm/accelerator-none', `No machine runs here. KVM: ${problem.message}. TCG: ${cache.tcg.why}`, {
      remedy: 'Reinstall QEMU, and see that this PC has memory and disk to spare; then start Forrest Bench again.',
    });
  }
  return { kind: 'tcg', why: `${problem.message}, so machines run under TCG, which is slower`, problem };
}

/**
 * Keeps KVM from being used until the next boot of the host. For a machine that does not boot under it although the
 * probe's guest did. The next `probeAccelerator` says `why`.
 */
export async function overruleKvm(
  deps: ProbeDeps,
  options: Pick<ProbeOptions, 'qemu' | 'cachePath'>,
  why: string,
): Promise<void> {
  const cache = await readCache(deps, options);
  await writeCache(deps, options, { ...cache, kvm: { isUsable: false, why } });
}

async function whyKvmIsClosed(deps: ProbeDeps, path: string): Promise<VmError | undefined> {
  const code = await deps.files.whyNotOpened(path);
  switch (code) {
    case undefined:
      return undefined;
    case 'ENOENT':
    case 'ENODEV':
    case 'ENXIO':
      return kvmError('vm/kvm-absent', `this PC offers no KVM (${path}: ${code})`, {
        remedy:
          'Switch virtualisation (VT-x, AMD-V, SVM) on in the firmware, or nested virtualisation if this PC is itself a virtual machine; then load the module: "sudo modprobe kvm_intel" or "kvm_amd".',
      });
    case 'EACCES':
      return kvmError('vm/kvm-denied', `you may not use KVM (${path}: ${code})`, {
        remedy: 'Add yourself to its group with "sudo usermod -aG kvm $USER", then log out and in again.',
      });
    case 'EPERM':
      return kvmError('vm/kvm-denied', `this container may not use KVM (${path}: ${code})`, {
        remedy: `Give the container the device: "--device ${path}" with Docker or Podman.`,
      });
    default:
      return kvmError('vm/kvm-unusable', `KVM does not open (${path}: ${code})`, {
        remedy: 'Look for lines about kvm in the output of "sudo dmesg".',
      });
  }
}

function unusable(why: string): VmError {
  return kvmError('vm/kvm-unusable', `KVM does not run a real kernel here: ${why}`, {
    remedy:
      'Nothing needs to be done: jobs run, only slower. On a virtual machine, ask whoever runs its host for nested virtualisation.',
  });
}

function kvmError(code: VmErrorCode, message: string, options: { remedy: string }): VmError {
  return new VmError(code, message, options);
}

async function bootProbe(
  deps: ProbeDeps,
  options: ProbeOptions,
  kind: 'kvm' | 'tcg',
  limitMs: number,
): Promise<Verdict> {
  const diskPath = join(options.scratchDirectory, `probe-${kind}.raw`);
  await deps.files.makeDirectory(options.scratchDirectory);
  await deps.files.writeAtomically(diskPath, probeDisk());
  try {
    const result = await deps.processes.run(options.qemu.path, probeArguments(kind, diskPath), { timeoutMs: limitMs });
    const printed = result.stdout.trim();
    if (result.exitCode === probeExitCode && printed.endsWith(probePrints)) {
      return { isUsable: true, why: `a test guest ran under ${kind.toUpperCase()}` };
    }
    if (result.signal === 'SIGKILL') {
      const reached = printed === '' ? 'it never got on' : `it stopped after "${printed.slice(-40)}"`;
      return { isUsable: false, why: `a test guest hung for ${limitMs / 1000} seconds (${reached})` };
    }
    const how = result.signal === null ? `code ${result.exitCode}` : result.signal;
    const lines = result.stderr.trim().split('\n');
    // An assertion that fails comes last and says less than the error before it.
    const said = (lines.find((line) => /\berror\b/.test(line)) ?? lines.at(-1) ?? '').slice(0, 300);
    return { isUsable: false, why: `QEMU ended with ${how}${said === '' ? '' : `: ${said}`}` };
  } finally {
    await deps.files.remove(diskPath);
  }
}

async function readCache(deps: ProbeDeps, options: Pick<ProbeOptions, 'qemu' | 'cachePath' | 'isRenewed'>) {
  const bootId = (await deps.files.readText(bootIdPath)).trim();
  const fresh: Cache = { bootId, qemuPath: options.qemu.path, qemuVersion: options.qemu.version, kvm: null, tcg: null };
  if (options.isRenewed === true || !(await deps.files.exists(options.cachePath))) return fresh;
  const cached = cacheSchema.safeParse(jsonOrUndefined(await deps.files.readText(options.cachePath)));
  // A file that is no verdict of ours, whatever happened to it, is the same as none.
  if (!cached.success) return fresh;
  const { data } = cached;
  const isOfThisBoot = data.bootId === bootId;
  return isOfThisBoot && data.qemuPath === fresh.qemuPath && data.qemuVersion === fresh.qemuVersion ? data : fresh;
}

function writeCache(deps: ProbeDeps, options: Pick<ProbeOptions, 'cachePath'>, cache: Cache): Promise<void> {
  return deps.files.writeAtomically(options.cachePath, `${JSON.stringify(cache, null, 2)}\n`);
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
