import type { PlatformDeps } from '../platform/deps.ts';
import { errorCode } from '../platform/files.ts';
import type { ProcessResult, RunOptions } from '../platform/processes.ts';
import { ImageError } from './image-error.ts';

export type ToolDeps = Pick<PlatformDeps, 'files' | 'processes'>;

/** The Debian package each program comes from. */
const packageByTool = {
  'apt-config': 'apt',
  'apt-cache': 'apt',
  'apt-get': 'apt',
  'dpkg-deb': 'dpkg',
  mke2fs: 'e2fsprogs',
  mmdebstrap: 'mmdebstrap',
  newuidmap: 'uidmap',
  'qemu-img': 'qemu-utils',
  unshare: 'util-linux',
} as const;
export type Tool = keyof typeof packageByTool;

/** Where Debian's keys are, with which every downloaded package is checked. */
export const keyringPath = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** mke2fs is in a folder that only root has in its PATH; the messages of tools are parsed and shown, so in English. */
const toolEnvironment = {
  PATH: `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/local/sbin:/usr/sbin:/sbin`,
  LC_ALL: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
};

/**
 * Sees that all programs are there before anything is begun.
 * @param isAptNeeded Whether packages are fetched, which takes Debian's keys too.
 * @throws ImageError `images/tool-missing`, naming all that is missing in one command.
 */
export async function requireTools(deps: ToolDeps, tools: readonly Tool[], isAptNeeded: boolean): Promise<void> {
  const packages = new Set<string>();
  const missing: string[] = [];
  for (const tool of tools) {
    if (!(await isThere(deps, tool))) {
      missing.push(tool);
      packages.add(packageByTool[tool]);
    }
  }
  if (isAptNeeded && !(await deps.files.exists(keyringPath))) {
    missing.push("Debian's package keys");
    packages.add('debian-archive-keyring');
  }
  if (missing.length === 0) return;
  throw toolMissing(missing, [...packages]);
}

function toolMissing(missing: readonly string[], packages: readonly string[], cause?: unknown): ImageError {
  return new ImageError('images/tool-missing', `Images cannot be made here: ${missing.join(', ')} missing`, {
    remedy: `On Debian or Ubuntu: sudo apt-get install ${packages.join(' ')}`,
    cause,
  });
}

async function isThere({ files }: ToolDeps, tool: Tool): Promise<boolean> {
  for (const folder of toolEnvironment.PATH.split(':')) {
    if (folder.startsWith('/') && (await files.isExecutable(`${folder}/${tool}`))) return true;
  }
  return false;
}

/**
 * Runs a program that has to succeed. Its warnings are no failure: only its exit code counts.
 * @param doing What it is for, as in "fetch packages": part of the message.
 * @throws ImageError `images/tool-missing`, `images/no-space` or `images/build-failed`.
 */
export async function runTool(
  { processes }: Pick<PlatformDeps, 'processes'>,
  tool: Tool | 'sh',
  args: readonly string[],
  options: RunOptions & { doing: string },
): Promise<ProcessResult> {
  let result: ProcessResult;
  try {
    result = await processes.run(tool, args, { ...options, env: { ...toolEnvironment, ...options.env } });
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (errorCode(cause) !== 'ENOENT' || tool === 'sh') throw cause;
    throw toolMissing([tool], [packageByTool[tool]], cause);
  }
  if (result.exitCode === 0) return result;
  const output = `${result.stdout}\n${result.stderr}`;
  if (/No space left on device|not enough free (disk )?space/i.test(output)) throw noSpace(options.doing);
  const how = result.exitCode === null ? `was ended by ${result.signal}` : `failed with exit code ${result.exitCode}`;
  throw new ImageError('images/build-failed', `Could not ${options.doing}: ${tool} ${how}\n${lastLines(output)}`, {
    remedy: 'The lines above are what the program said last. Correct the cause and build the image again.',
  });
}

export function noSpace(doing: string, path?: string, cause?: unknown): ImageError {
  const where = path === undefined ? '' : ` in ${path}`;
  return new ImageError('images/no-space', `No room to ${doing}${where}`, {
    remedy: 'Free some disk space there, or point XDG_CACHE_HOME to a larger disk, and build the image again.',
    cause,
  });
}

function lastLines(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return lines.slice(-12).join('\n');
}
