import { join } from 'node:path';
import type { PlatformDeps } from '../platform/deps.ts';
import type { BuildAccount } from './build-account.ts';
import type { DebianPackages } from './debian-packages.ts';
import type { Recipe } from './recipe.ts';
import { runTool } from './tools.ts';

type RootDiskDeps = Pick<PlatformDeps, 'files' | 'processes'>;

/** What no machine reads: documentation, translations. Licences stay. */
const leftOut = [
  '/usr/share/man/*',
  '/usr/share/doc/*',
  '/usr/share/info/*',
  '/usr/share/locale/*',
  '/usr/share/lintian/*',
];

/**
 * Fills a folder with `root.qcow2`, a disk whose whole is one ext4 file system, and `packages.txt`, what is in it.
 * @param onLine Called with what mmdebstrap says of its progress.
 * @throws ImageError `images/build-failed`, `images/no-space` or `images/tool-missing`.
 */
export async function makeRootDiskPart(
  deps: RootDiskDeps,
  packages: DebianPackages,
  recipe: Recipe & { rootDisk: NonNullable<Recipe['rootDisk']> },
  into: string,
  at: { account: BuildAccount; onLine(line: string): void; signal?: AbortSignal },
): Promise<void> {
  const { account } = at;
  // The programs with temporary trees remove them when they are asked to end, and leave them when they are killed.
  const stop = { stopSignal: 'SIGTERM', isGroup: true } as const;
  const options = at.signal === undefined ? stop : { ...stop, signal: at.signal };
  const tar = join(into, '.root.tar');
  await runTool(
    deps,
    'mmdebstrap',
    [
      `--mode=${account.mmdebstrapMode}`,
      '--variant=minbase',
      '--architectures=amd64',
      `--include=${recipe.rootDisk.packages.join(',')}`,
      '--aptopt=Apt::Install-Recommends "false"',
      // The host's way to the network; what that leaves in the tree is removed by `finish-root.sh`.
      ...packages.networkSettings.map((setting) => `--aptopt=${setting}`),
      ...leftOut.map((path) => `--dpkgopt=path-exclude=${path}`),
      '--dpkgopt=path-include=/usr/share/doc/*/copyright',
      // Names Debian's public mirrors, which `finish-root.sh` writes into the tree.
      '--dpkgopt=path-include=/usr/share/doc/apt/examples/sources.list',
      recipe.suite,
      tar,
      ...packages.sources,
    ],
    {
      ...options,
      doing: 'install Debian into the root disk',
      onLine: at.onLine,
      env: account.isRoot ? { TMPDIR: into } : {},
    },
  );
  const raw = join(into, '.root.raw');
  const script = join(recipe.commonDirectory, 'make-root-disk.sh');
  const finish = join(recipe.directory, 'finish-root.sh');
  const size = `${recipe.rootDisk.sizeMebibytes}M`;
  await account.runAsRoot(deps, [script, tar, finish, join(into, '.tree'), raw, size, join(into, 'packages.txt')], {
    ...options,
    doing: 'make the root disk',
  });
  await deps.files.remove(tar);
  // Unlike a sparse raw file it stays small when it is copied, and its checksum is quickly made.
  await runTool(deps, 'qemu-img', ['convert', '-q', '-f', 'raw', '-O', 'qcow2', raw, join(into, 'root.qcow2')], {
    ...options,
    doing: 'pack the root disk',
  });
  await deps.files.remove(raw);
}
