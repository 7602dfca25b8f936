import { join } from 'node:path';
import type { PlatformDeps } from '../platform/deps.ts';
import type { ChosenPackage, DebianPackages } from './debian-packages.ts';
import { ImageError } from './image-error.ts';
import { elfKernel } from './kernel-image.ts';

type KernelDeps = Pick<PlatformDeps, 'files'>;

/** A kernel package is about 30 MiB; no file of it that we read is near this. */
const fileLimitBytes = 128 * 1024 * 1024;

/** The packages of a kernel part: the kernel with its drivers, and the programs of the initramfs. */
export async function chooseKernel(
  packages: DebianPackages,
  kernelPackage: string,
): Promise<{ kernel: ChosenPackage; busybox: ChosenPackage }> {
  const kernel = await packages.kernelOf(kernelPackage);
  const [busybox] = await packages.choose(['busybox-static']);
  if (busybox === undefined) throw new Error('choose answers for every name');
  return { kernel, busybox };
}

/**
 * Fills a folder with `kernel`, `busybox` and `drivers/NAME.ko`, all of one build of Debian's packages: a kernel takes
 * only drivers that were built with it.
 * @param drivers Names of modules, as in the file `drivers` of the guest.
 * @throws ImageError `images/build-failed` for a driver that the kernel neither has nor brings as a module.
 */
export async function makeKernelPart(
  { files }: KernelDeps,
  packages: DebianPackages,
  chosen: { kernel: ChosenPackage; busybox: ChosenPackage },
  drivers: readonly string[],
  into: string,
): Promise<void> {
  const unpacked = join(into, '.unpacked');
  await files.makeDirectory(unpacked);
  await packages.unpack(chosen.kernel, unpacked);
  await packages.unpack(chosen.busybox, unpacked);
  const [release] = await files.list(join(unpacked, 'lib/modules'));
  if (release === undefined) throw unusable(chosen.kernel, 'it has no drivers');
  const bzImage = await files.readRange(join(unpacked, 'boot', `vmlinuz-${release}`), 0, fileLimitBytes);
  await files.writeAtomically(join(into, 'kernel'), elfKernel(bzImage) ?? bzImage, 0o644);
  await files.copy(join(unpacked, 'bin/busybox'), join(into, 'busybox'));
  const modules = join(unpacked, 'lib/modules', release);
  await files.makeDirectory(join(into, 'drivers'));
  const loadable = (await files.readText(join(modules, 'modules.order'))).split('\n');
  const builtIn = (await files.readText(join(modules, 'modules.builtin'))).split('\n');
  for (const driver of drivers) {
    const path = loadable.find((line) => line.endsWith(`/${driver}.ko`));
    if (path !== undefined) await files.copy(join(modules, path), join(into, 'drivers', `${driver}.ko`));
    else if (!builtIn.some((line) => line.endsWith(`/${driver}.ko`))) {
      throw unusable(chosen.kernel, `it has no driver ${driver}`);
    }
  }
  await files.remove(unpacked);
}

function unusable(kernel: ChosenPackage, why: string): ImageError {
  return new ImageError('images/build-failed', `The kernel ${kernel.name} ${kernel.version} is not usable: ${why}`, {
    remedy: "Debian's kernel has changed; a newer Forrest Bench may know it. Images that are built go on working.",
  });
}
