import { describe, expect, it } from 'vitest';
import { debianSources } from '../../../electron/core/images/debian-mirrors.ts';
import type { ProcessResult } from '../../../electron/core/platform/processes.ts';
import { FakeDebian, failed, succeeded } from './fake-debian.ts';

function sourcesOn(result: ProcessResult): Promise<string[]> {
  const debian = new FakeDebian([]);
  debian.faults.set('apt-get', () => result);
  debian.faults.set('mmdebstrap', () => failed(25, mmdebstrapSays));
  return debianSources(debian, 'bookworm');
}

/** What it prints when its first hook shows the sources and fails. */
const mmdebstrapSays = [
  "I: chroot architecture amd64 is equal to the host's architecture",
  'deb http://public.example/debian bookworm main',
  'deb [signed-by=/usr/share/keyrings/x.gpg] http://public.example/debian bookworm-updates main',
  'deb http://security.example/debian-security bookworm-security main',
  'E: command failed: cat',
].join('\n');

const signed = 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]';

describe('debianSources', () => {
  it("takes the host's mirrors of this release, of Debian and its main part only", async () => {
    const targets = [
      'Debian|bookworm|main|http://mirror.lab/debian/',
      'Debian|bookworm|main|http://mirror.lab/debian/',
      'Debian|bookworm|contrib|http://mirror.lab/debian/',
      'Debian|bookworm-updates|main|http://mirror.lab/debian/',
      'Debian|bookworm-security|main|http://mirror.lab/debian-security/',
      'Debian|trixie|main|http://mirror.lab/debian/',
      'Docker|bookworm|main|https://docker.lab/',
      '',
    ];
    expect(await sourcesOn(succeeded(targets.join('\n')))).toEqual([
      `${signed} http://mirror.lab/debian/ bookworm main`,
      `${signed} http://mirror.lab/debian/ bookworm-updates main`,
      `${signed} http://mirror.lab/debian-security/ bookworm-security main`,
    ]);
  });

  it.each<[string, ProcessResult]>([
    ['is another distribution', succeeded('Ubuntu|noble|main|http://mirror.lab/ubuntu/\n')],
    ['is another release', succeeded('Debian|trixie|main|http://mirror.lab/debian/\n')],
    ['has only updates of it', succeeded('Debian|bookworm-updates|main|http://mirror.lab/debian/\n')],
    ['has no apt that answers', failed(100, 'E: broken')],
    ['has an address that would be more than one word', succeeded('Debian|bookworm|main|http://a b/\n')],
  ])("takes Debian's public mirrors where the host %s", async (_what, result) => {
    const sources = await sourcesOn(result);
    expect(sources).toEqual([
      `${signed} http://public.example/debian bookworm main`,
      `${signed} http://public.example/debian bookworm-updates main`,
      `${signed} http://security.example/debian-security bookworm-security main`,
    ]);
  });
});
