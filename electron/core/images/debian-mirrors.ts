import type { PlatformDeps } from '../platform/deps.ts';
import { ImageError } from './image-error.ts';
import { keyringPath } from './tools.ts';

/**
 * The lines of a sources list that packages of `suite` are fetched by: the host's own mirrors, where it is a Debian
 * of that release, because they are near and allowed; Debian's public ones else, as mmdebstrap knows them.
 * @throws ImageError `images/build-failed` where neither names any.
 */
export async function debianSources(
  { processes }: Pick<PlatformDeps, 'processes'>,
  suite: string,
  signal?: AbortSignal,
): Promise<string[]> {
  const { exitCode, stdout } = await processes.run(
    'apt-get',
    ['indextargets', '--format', '$(ORIGIN)|$(CODENAME)|$(COMPONENT)|$(REPO_URI)', 'Created-By: Packages'],
    signal === undefined ? {} : { signal },
  );
  const own = exitCode === 0 ? sourcesOf(stdout, suite) : [];
  return own.some((line) => line.endsWith(` ${suite} main`)) ? own : await publicSources({ processes }, suite, signal);
}

function sourcesOf(targets: string, suite: string): string[] {
  const lines = new Set<string>();
  for (const target of targets.split('\n')) {
    const [origin, codename = '', component, uri = ''] = target.split('|');
    if (origin !== 'Debian' || component !== 'main' || !/^[a-z+]+:\S+$/.test(uri)) continue;
    if ([suite, `${suite}-updates`, `${suite}-security`].includes(codename)) lines.add(sourceLine(uri, codename));
  }
  return [...lines];
}

/** mmdebstrap writes them into a tree it begins; its first hook shows them and ends it before anything is fetched. */
async function publicSources(
  { processes }: Pick<PlatformDeps, 'processes'>,
  suite: string,
  signal?: AbortSignal,
): Promise<string[]> {
  const { stderr } = await processes.run(
    'mmdebstrap',
    [
      '--mode=chrootless',
      '--variant=custom',
      '--format=null',
      '--setup-hook=cat "$1/etc/apt/sources.list" >&2; exit 1',
      suite,
      '/dev/null',
    ],
    signal === undefined ? {} : { signal },
  );
  const sources = stderr.split('\n').flatMap((line) => {
    const [, uri, name] = /^deb (?:\[[^\]]*\] )?([a-z+]+:\S+) (\S+) main$/.exec(line) ?? [];
    return uri === undefined || name === undefined ? [] : [sourceLine(uri, name)];
  });
  if (sources.length > 0) return sources;
  throw new ImageError('images/build-failed', `No mirror of Debian ${suite} is known to apt or to mmdebstrap here`, {
    remedy: `Add a Debian mirror of ${suite} to this PC's apt sources, or update mmdebstrap.`,
  });
}

function sourceLine(uri: string, suite: string): string {
  return `deb [signed-by=${keyringPath}] ${uri} ${suite} main`;
}
