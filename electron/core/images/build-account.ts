import type { PlatformDeps } from '../platform/deps.ts';
import type { RunOptions } from '../platform/processes.ts';
import { ImageError } from './image-error.ts';
import { runTool, type ToolDeps } from './tools.ts';

/**
 * As whom images are built. Files of a root disk belong to root and others, which an ordinary user can only write
 * within a user namespace that maps the subordinate ids it was given.
 */
export interface BuildAccount {
  isRoot: boolean;
  mmdebstrapMode: 'root' | 'unshare';
  /** Runs a shell script, `[path, ...arguments]`, as root or as what looks like it. */
  runAsRoot(
    deps: Pick<PlatformDeps, 'processes'>,
    script: readonly string[],
    options: RunOptions & { doing: string },
  ): Promise<void>;
}

/** @throws ImageError `images/tool-missing` for a user without subordinate ids. */
export async function findBuildAccount(deps: ToolDeps): Promise<BuildAccount> {
  const [uid = '', user = ''] = (await idOf(deps, '-u')).concat(await idOf(deps, '-un'));
  if (uid === '0') {
    return {
      isRoot: true,
      mmdebstrapMode: 'root',
      runAsRoot: async (runDeps, script, options) => {
        await runTool(runDeps, 'sh', script, options);
      },
    };
  }
  for (const path of ['/etc/subuid', '/etc/subgid']) {
    if (!(await hasSubordinateIds(deps, path, [user, uid]))) {
      throw new ImageError('images/tool-missing', `The user ${user} has no range of subordinate ids in ${path}`, {
        remedy: `Give it one: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user}`,
      });
    }
  }
  return {
    isRoot: false,
    mmdebstrapMode: 'unshare',
    runAsRoot: async (runDeps, script, options) => {
      const namespace = ['--user', '--map-auto', '--map-root-user', '--', 'sh'];
      await runTool(runDeps, 'unshare', [...namespace, ...script], options);
    },
  };
}

async function idOf({ processes }: ToolDeps, option: string): Promise<string[]> {
  const { stdout } = await processes.run('id', [option]);
  return [stdout.trim()];
}

async function hasSubordinateIds({ files }: ToolDeps, path: string, owners: readonly string[]): Promise<boolean> {
  if (!(await files.exists(path))) return false;
  const lines = (await files.readText(path)).split('\n').map((line) => line.split(':'));
  // mmdebstrap wants a whole range: the users of Debian's packages lie below 65536.
  return lines.some(([owner = '', , count]) => owners.includes(owner) && Number(count) >= 65_536);
}
