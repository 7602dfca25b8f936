import type { PlatformDeps } from '../platform/deps.ts';
import { keyringPath } from './tools.ts';

/** Debian's own addresses, for hosts that are no Debian of this release. The same stand in what is built. */
const publicMirror = 'http://deb.debian.org/debian';
const publicSecurityMirror = 'http://deb.debian.org/debian-security';

/**
 * The lines of a sources list that packages of `suite` are fetched by: the host's own mirrors, where it is a Debian
 * of that release, because they are near and allowed; Debian's public ones else.
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
  return own.some((line) => line.endsWith(` ${suite} main`)) ? own : publicSources(suite);
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

function publicSources(suite: string): string[] {
  return [
    sourceLine(publicMirror, suite),
    sourceLine(publicMirror, `${suite}-updates`),
    sourceLine(publicSecurityMirror, `${suite}-security`),
  ];
}

function sourceLine(uri: string, suite: string): string {
  return `deb [signed-by=${keyringPath}] ${uri} ${suite} main`;
}
