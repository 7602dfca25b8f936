import { readFileSync } from 'node:fs';
import type { NativeImage, Size } from 'electron';
import { standIn, strict } from './strict.ts';

class DoubleImage implements Pick<NativeImage, 'isEmpty' | 'getSize'> {
  readonly #size: Size;

  constructor(size: Size) {
    this.#size = size;
  }

  isEmpty(): boolean {
    return this.#size.width === 0 || this.#size.height === 0;
  }

  getSize(): Size {
    return { ...this.#size };
  }
}

function image(size: Size): NativeImage {
  return standIn<NativeImage>(strict('NativeImage', new DoubleImage(size)));
}

const nothing: Size = { width: 0, height: 0 };
const pngMark = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

export const nativeImage = strict('nativeImage', {
  /** As Electron does: what cannot be read or is no PNG is an empty image, and no error. */
  createFromPath(path: string): NativeImage {
    try {
      const bytes = readFileSync(path);
      if (!bytes.subarray(0, pngMark.length).equals(pngMark)) return image(nothing);
      // The header chunk comes first: its width and height stand at fixed places.
      return image({ width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) });
    } catch {
      return image(nothing);
    }
  },
});
