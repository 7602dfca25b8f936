import type { PlatformDeps } from '../platform/deps.ts';
import { errorCode } from '../platform/files.ts';
import { ImageError } from './image-error.ts';
import type { RunnerRelease } from './runner-features.ts';

/** What a gitlab-runner says of itself. */
export interface RunnerVersion {
  version: string;
  revision: string;
  /** Go's names: `linux`, `amd64`. */
  platform: string;
  architecture: string;
}

const timeoutMs = 20_000;

/**
 * Asks a gitlab-runner for its version, by running it.
 * @throws ImageError `images/runner-unusable` for what does not run here or is no gitlab-runner.
 */
export async function askRunnerVersion(
  { processes, files }: Pick<PlatformDeps, 'processes' | 'files'>,
  binaryPath: string,
): Promise<RunnerVersion> {
  if (!(await files.isExecutable(binaryPath))) {
    throw unusable(binaryPath, (await files.exists(binaryPath)) ? 'it may not be executed' : 'there is no such file');
  }
  let output: string;
  try {
    // A full path, so that this never becomes a search.
    const result = await processes.run(binaryPath, ['--version'], { timeoutMs });
    if (result.exitCode !== 0) {
      const how = result.signal === null ? `it ends with exit code ${result.exitCode}` : 'it does not answer';
      throw unusable(binaryPath, `asked for its version, ${how}`);
    }
    output = result.stdout;
  } catch (error) {
    if (error instanceof ImageError) throw error;
    throw unusable(binaryPath, `it does not run on this host (${errorCode(error) ?? 'unknown'})`, error);
  }
  const version = parseRunnerVersion(output);
  if (version === undefined) throw unusable(binaryPath, 'it does not name itself as a gitlab-runner does');
  return version;
}

/** @returns undefined where this is not what `gitlab-runner --version` prints. */
export function parseRunnerVersion(output: string): RunnerVersion | undefined {
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S.{0,80}?)\\s*$`, 'm').exec(output)?.[1];
  const version = field('Version');
  const revision = field('Git revision');
  const [platform, architecture] = field('OS/Arch')?.split('/') ?? [];
  if (version === undefined || revision === undefined || platform === undefined || architecture === undefined) {
    return undefined;
  }
  return { version, revision, platform, architecture };
}

/** `18.11.4` or `v19.1.0-rc1`; undefined for a build without a version. */
export function releaseOf(version: string): RunnerRelease | undefined {
  const numbers = /^v?(\d{1,3})\.(\d{1,3})\b/.exec(version);
  return numbers === null ? undefined : [Number(numbers[1]), Number(numbers[2])];
}

export function unusable(binaryPath: string, why: string, cause?: unknown): ImageError {
  return new ImageError('images/runner-unusable', `${binaryPath} cannot be used as gitlab-runner: ${why}`, {
    remedy: 'Name a gitlab-runner for Linux on amd64, version 14 or newer, that this user may execute.',
    cause,
  });
}
