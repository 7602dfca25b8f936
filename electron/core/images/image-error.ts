import { BenchError } from '../../contract/errors.ts';

export type ImageErrorCode =
  /** There is no recipe of that name. */
  | 'images/unknown'
  | 'images/recipe-invalid'
  /** There is a recipe, but nothing built from it as it is now. */
  | 'images/missing'
  /** What was built is not as it was. */
  | 'images/corrupt'
  | 'images/tool-missing'
  | 'images/no-space'
  | 'images/build-failed'
  /** The file given as gitlab-runner is none that runs in this image. */
  | 'images/runner-unusable'
  /** An overlay was asked for, but the image has everything in its initramfs. */
  | 'images/no-root-disk'
  | 'images/overlay-failed';

export class ImageError extends BenchError<ImageErrorCode> {}
