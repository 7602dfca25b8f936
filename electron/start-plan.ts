import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** What `npm start` was told, and where. */
export interface StartRequest {
  /** Arguments after `npm start --`. */
  args: readonly string[];
  env: Environment;
  platform: NodeJS.Platform;
  isRoot: boolean;
}

/** Why no window can be shown here, whether or not Electron is there: a clause for a person. */
export function obstacleToWindow({ args, env, platform, isRoot }: StartRequest): string | undefined {
  if (args.includes('--headless')) return 'you asked for none';
  const hasDisplay = Boolean(env['DISPLAY'] || env['WAYLAND_DISPLAY']);
  if (platform === 'linux' && !hasDisplay) return 'there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)';
  if (platform === 'linux' && isRoot && !args.includes('--no-sandbox')) {
    return "Electron's sandbox needs a user other than root (to do without it: npm start -- --no-sandbox)";
  }
  return undefined;
}

/**
 * The Electron executable, where there is one. `require('electron')` would know it too, but starts a download.
 * @param root The folder of package.json.
 */
export function findElectron(root: string, env: Environment): string | undefined {
  const folder = join(root, 'node_modules', 'electron');
  const pathFile = join(folder, 'path.txt');
  const name = existsSync(pathFile) ? readFileSync(pathFile, 'utf8') : 'electron';
  const directories = [env['ELECTRON_OVERRIDE_DIST_PATH'], join(folder, 'dist')];
  const paths = directories.filter((directory) => directory !== undefined).map((directory) => join(directory, name));
  return paths.find((path) => existsSync(path));
}

const ours = ['--headless', '--download'];
/** What only a window, or Chromium, has a use for. */
const windowOnly = ['--hidden', '--no-sandbox'];

export function windowArguments(args: readonly string[]): string[] {
  return args.filter((arg) => !ours.includes(arg));
}

/** Arguments of the headless shell, which takes none that it does not know. */
export function headlessArguments(args: readonly string[]): string[] {
  return ['run', ...args.filter((arg) => !ours.includes(arg) && !windowOnly.includes(arg))];
}
