import type { PlatformDeps } from '../platform/deps.ts';
import type { BootImage } from './boot-image.ts';
import { ImageError } from './image-error.ts';
import { runTool } from './tools.ts';

/**
 * Makes the layer that a run writes to, on the image's root disk, which stays as it is.
 * @param diskBytes How large the disk looks to the guest; never less than the image's own.
 * @throws ImageError `images/no-root-disk`, `images/tool-missing`, `images/no-space` or `images/overlay-failed`.
 */
export async function createOverlay(
  deps: Pick<PlatformDeps, 'processes'>,
  image: Pick<BootImage, 'name' | 'rootDisk'>,
  overlayPath: string,
  diskBytes: number,
): Promise<void> {
  const base = image.rootDisk;
  if (base === null) {
    throw new ImageError('images/no-root-disk', `The image ${image.name} has no disk to put a layer on`, {
      remedy: 'This is a fault in Forrest Bench: machines of this image need no overlay.',
    });
  }
  const size = Math.ceil(Math.max(diskBytes, base.sizeBytes) / 512) * 512;
  try {
    await runTool(
      deps,
      'qemu-img',
      ['create', '-q', '-f', 'qcow2', '-F', base.format, '-b', base.path, overlayPath, String(size)],
      { doing: 'make the disk of a run' },
    );
  } catch (error) {
    if (!(error instanceof ImageError) || error.code !== 'images/build-failed') throw error;
    throw new ImageError('images/overlay-failed', error.message, {
      remedy: `Check the image with: forrest-bench images verify ${image.name}`,
      cause: error,
    });
  }
}
