import { EventEmitter } from 'node:events';
import type { Tray as ElectronTray, Menu, NativeImage } from 'electron';
import { strictClass } from './strict.ts';

type Implemented = 'setImage' | 'setToolTip' | 'setContextMenu' | 'destroy' | 'isDestroyed';

class DoubleTray extends EventEmitter implements Pick<ElectronTray, Implemented> {
  #isDestroyed = false;

  constructor(image: NativeImage | string) {
    super();
    this.setImage(image);
  }

  /** An empty image is a hole in the panel, which nobody would notice here. */
  setImage(image: NativeImage | string): void {
    this.#live();
    if (typeof image === 'string' || image.isEmpty()) throw new Error('electron double: a tray without an image');
  }

  setToolTip(_text: string): void {
    this.#live();
  }

  setContextMenu(_menu: Menu | null): void {
    this.#live();
  }

  destroy(): void {
    this.#isDestroyed = true;
  }

  isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  #live(): void {
    if (this.#isDestroyed) throw new Error('Tray is destroyed');
  }
}

export const Tray = strictClass('Tray', DoubleTray);
