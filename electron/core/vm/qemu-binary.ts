import type { PlatformDeps } from '../platform/deps.ts';
import { findProgram, installRemedy, type ProgramSearch } from './program-path.ts';
import { VmError } from './vm-error.ts';

/** A QEMU that can run our machines. */
export interface QemuBinary {
  /** Absolute. */
  path: string;
  /** `7.2.22`; distributions' own suffixes are left out. */
  version: string;
  major: number;
  minor: number;
  /** Whether it was built with seccomp. Without it machines start all the same, with one wall less. */
  hasSandbox: boolean;
}

/** `pvpanic-pci` came with 6.0; measured are 7.2 and 10.0. */
const oldestMajor = 6;
const answerLimitMs = 10_000;
const remedy = installRemedy({ apt: 'qemu-system-x86', dnf: 'qemu-system-x86-core', pacman: 'qemu-base' });

/**
 * Finds QEMU and asks it what it is.
 * @throws VmError `vm/qemu-missing`; `vm/qemu-unsuitable` where it is too old, does not answer, or lacks user networking
 * (builds of some enterprise distributions do).
 */
export async function locateQemu(
  deps: Pick<PlatformDeps, 'processes' | 'files'>,
  options: ProgramSearch,
): Promise<QemuBinary> {
  const path = await findProgram(deps.files, ['qemu-system-x86_64'], options, ['/usr/libexec/qemu-kvm']);
  if (path === undefined) {
    const where = options.path ?? 'PATH (qemu-system-x86_64) or as /usr/libexec/qemu-kvm';
    throw new VmError('vm/qemu-missing', `QEMU was not found: no program in ${where}`, { remedy });
  }
  const ask = async (args: readonly string[]) => {
    try {
      return await deps.processes.run(path, args, { timeoutMs: answerLimitMs });
    } catch (cause) {
      throw new VmError('vm/qemu-unsuitable', `${path} does not start`, { remedy, cause });
    }
  };
  // Options are read from left to right, so a build without seccomp stops at the first of the two.
  const [sandboxed, plain, backends] = await Promise.all([
    ask(['-sandbox', 'on', '--version']),
    ask(['--version']),
    ask(['-netdev', 'help']),
  ]);
  const version = parseQemuVersion(plain.stdout);
  if (plain.exitCode !== 0 || version === undefined) {
    const said = (plain.stderr || plain.stdout).trim().split('\n')[0]?.slice(0, 200) ?? '';
    throw new VmError('vm/qemu-unsuitable', `${path} does not say its version: ${said}`, { remedy });
  }
  if (version.major < oldestMajor) {
    throw new VmError('vm/qemu-unsuitable', `QEMU ${version.version} is too old: ${oldestMajor}.0 or newer is needed`, {
      remedy: 'Upgrade QEMU, or install a newer one and name its path in the config.',
    });
  }
  if (!backends.stdout.split(/\s+/).includes('user')) {
    throw new VmError('vm/qemu-unsuitable', `${path} was built without user networking`, {
      remedy: 'Install a QEMU built with slirp (user networking) and name its path in the config.',
    });
  }
  return { path, ...version, hasSandbox: sandboxed.exitCode === 0 };
}

/** Reads what `--version` prints: `QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)`, `... 10.0.50 (v10.0.0-1-g0)`. */
export function parseQemuVersion(text: string): Pick<QemuBinary, 'version' | 'major' | 'minor'> | undefined {
  const match = /version (\d{1,4})\.(\d{1,4})(\.\d{1,4})?/.exec(text.slice(0, 4096));
  if (match === null) return undefined;
  const [, major = '', minor = '', micro = ''] = match;
  return { version: `${major}.${minor}${micro}`, major: Number(major), minor: Number(minor) };
}
