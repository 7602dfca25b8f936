import { join } from 'node:path';
import { type NativeImage, nativeImage } from 'electron';
import { AppError } from './errors.ts';
import type { TrayLook } from './tray-view.ts';

/** Edge of the icon in pixels at a scale of one, which is what panels of the usual desktops have. */
const edgePx = 22;

/**
 * The icon of one look: `tray-<look>-22.png` of the icons' folder, and the one for dense screens beside it.
 * @throws AppError `app/missing-file`: Electron itself answers a missing file with an empty image, which shows as a
 * hole in the panel.
 */
export function trayIcon(iconsDirectory: string, look: TrayLook): NativeImage {
  const path = join(iconsDirectory, `tray-${look}-${edgePx}.png`);
  const image = nativeImage.createFromPath(path);
  if (!image.isEmpty()) return image;
  throw new AppError('app/missing-file', `There is no icon ${path}`, { remedy: 'Install Forrest Bench again.' });
}
