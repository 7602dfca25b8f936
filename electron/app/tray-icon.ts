import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type NativeImage, nativeImage } from 'electron';
import { AppError } from './errors.ts';
import type { TrayLook } from './tray-view.ts';

/** Edge of the icon in pixels at a scale of one; panels of the usual desktops have 22. */
const edgePx = 22;

/** Blue, green, red of what is drawn where an icon is missing. */
const colours: Readonly<Record<TrayLook, readonly [number, number, number]>> = {
  problem: [0x28, 0x3c, 0xd9],
  running: [0xd9, 0x82, 0x1f],
  lending: [0x45, 0x9a, 0x2e],
  off: [0x80, 0x80, 0x80],
};

/**
 * The icon of one look: `tray-<look>-22.png` of the icons' folder.
 * @param isPackaged Then a missing file is an error; a checkout that has no icons yet gets a plain disc instead.
 * @throws AppError `app/missing-file`
 */
export function trayIcon(iconsDirectory: string, look: TrayLook, isPackaged: boolean): NativeImage {
  const path = join(iconsDirectory, `tray-${look}-${edgePx}.png`);
  // Electron answers a missing file with an empty image, which shows as a hole in the panel.
  const image = existsSync(path) ? nativeImage.createFromPath(path) : nativeImage.createEmpty();
  if (!image.isEmpty()) return image;
  if (!isPackaged) return nativeImage.createFromBitmap(disc(look), { width: edgePx, height: edgePx });
  throw new AppError('app/missing-file', `There is no icon ${path}`, { remedy: 'Install Forrest Bench again.' });
}

/** Four bytes a pixel: blue, green, red, opacity. */
function disc(look: TrayLook): Buffer {
  const bitmap = Buffer.alloc(edgePx * edgePx * 4);
  const middle = (edgePx - 1) / 2;
  for (let y = 0; y < edgePx; y += 1) {
    for (let x = 0; x < edgePx; x += 1) {
      if (Math.hypot(x - middle, y - middle) > middle - 1) continue;
      bitmap.set([...colours[look], 0xff], (y * edgePx + x) * 4);
    }
  }
  return bitmap;
}
