import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageSource } from '../../electron/core/bench-host.ts';
import type { BootImage } from '../../electron/core/images/boot-image.ts';

/** One image, `fake`, whose files exist and boot nothing: for machines that are played by the fake QEMU. */
export async function fakeImages(folder: string): Promise<ImageSource> {
  const kernelPath = join(folder, 'kernel');
  const initrdPath = join(folder, 'initrd');
  const rootPath = join(folder, 'root.raw');
  await Promise.all([kernelPath, initrdPath, rootPath].map((path) => writeFile(path, 'fake')));
  const image: BootImage = {
    name: 'fake',
    contentHash: '0123456789abcdef',
    kernelPath,
    initrdPath,
    kernelArguments: [],
    rootDisk: { path: rootPath, format: 'raw', sizeBytes: 4 },
    runnerDisk: null,
    runner: {
      name: 'fake-runner',
      version: '1.0.0',
      revision: 'fake',
      platform: 'linux',
      architecture: 'amd64',
      executor: 'shell',
      shell: 'sh',
      features: { cancel_gracefully: true, refspecs: true },
    },
    minimumMemoryBytes: 64 * 2 ** 20,
  };
  return {
    build: async () => image,
    withRunner: async () => image,
    createOverlay: async (_image, overlayPath) => writeFile(overlayPath, 'overlay'),
  };
}
