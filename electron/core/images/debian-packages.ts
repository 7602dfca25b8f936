import { join } from 'node:path';
import type { PlatformDeps } from '../platform/deps.ts';
import { debianSources } from './debian-mirrors.ts';
import { ImageError } from './image-error.ts';
import { runTool } from './tools.ts';

type PackageDeps = Pick<PlatformDeps, 'files' | 'processes'>;

export interface ChosenPackage {
  name: string;
  version: string;
}

/**
 * Packages of one Debian release, by an apt that shares nothing with the host's but its mirrors and its way to the
 * network: own lists, own cache, no hooks, no root.
 */
export class DebianPackages {
  readonly #deps: PackageDeps;
  readonly #directory: string;
  readonly #suite: string;
  readonly #signal: AbortSignal | undefined;
  #sources: readonly string[] = [];
  #networkSettings: readonly string[] = [];

  private constructor(deps: PackageDeps, directory: string, suite: string, signal?: AbortSignal) {
    this.#deps = deps;
    this.#directory = directory;
    this.#suite = suite;
    this.#signal = signal;
  }

  /**
   * Fetches the lists of packages anew.
   * @param directory Made where it is missing; of no use once the packages are fetched.
   * @throws ImageError `images/build-failed` where no mirror answers.
   */
  static async open(
    deps: PackageDeps,
    directory: string,
    suite: string,
    signal?: AbortSignal,
  ): Promise<DebianPackages> {
    const packages = new DebianPackages(deps, join(directory, suite), suite, signal);
    await packages.#configure();
    await packages.#apt('apt-get', ['update', '--error-on=any'], "fetch Debian's lists of packages");
    return packages;
  }

  /** Lines of a sources list, as `mmdebstrap` takes them. */
  get sources(): readonly string[] {
    return this.#sources;
  }

  /** The host's settings of apt's way to the network, such as `Acquire::http::Proxy "http://..."`; perhaps none. */
  get networkSettings(): readonly string[] {
    return this.#networkSettings;
  }

  /** What would be installed now, in the order asked for. @throws ImageError `images/build-failed` for an unknown name. */
  async choose(names: readonly string[]): Promise<ChosenPackage[]> {
    const { stdout } = await this.#apt('apt-cache', ['show', '--no-all-versions', ...names], 'look up packages');
    const versions = new Map(stanzas(stdout).map((fields) => [fields.get('Package'), fields.get('Version')]));
    return names.map((name) => {
      const version = versions.get(name);
      if (version === undefined) throw unknownPackage(name, this.#suite);
      return { name, version };
    });
  }

  /** The package with the kernel itself that `metaPackage` depends on. */
  async kernelOf(metaPackage: string): Promise<ChosenPackage> {
    const { stdout } = await this.#apt('apt-cache', ['show', '--no-all-versions', metaPackage], 'look up the kernel');
    const depends = stanzas(stdout)[0]?.get('Depends') ?? '';
    const name = /(?:^|, )(linux-image-[0-9][a-z0-9.+-]*)/.exec(depends)?.[1];
    if (name === undefined) throw unknownPackage(metaPackage, this.#suite);
    const [kernel] = await this.choose([name]);
    if (kernel === undefined) throw unknownPackage(name, this.#suite);
    return kernel;
  }

  /** Downloads a package, checked against Debian's keys, and unpacks it into `into` without running anything of it. */
  async unpack({ name, version }: ChosenPackage, into: string): Promise<void> {
    const folder = join(into, '.download');
    await this.#deps.files.makeDirectory(folder);
    await this.#apt('apt-get', ['download', `${name}=${version}`], `download ${name}`, folder);
    for (const file of await this.#deps.files.list(folder)) {
      await runTool(this.#deps, 'dpkg-deb', ['--extract', join(folder, file), into], this.#options(`unpack ${name}`));
    }
    await this.#deps.files.remove(folder);
  }

  async #configure(): Promise<void> {
    const { files } = this.#deps;
    for (const folder of ['lists/partial', 'cache/archives/partial', 'empty']) {
      await files.makeDirectory(join(this.#directory, folder));
    }
    this.#sources = await debianSources(this.#deps, this.#suite, this.#signal);
    this.#networkSettings = await this.#hostNetworkSettings();
    await files.writeAtomically(join(this.#directory, 'sources.list'), `${this.#sources.join('\n')}\n`);
    await files.writeAtomically(join(this.#directory, 'status'), '');
    const settings = [...this.#ownSettings(), ...this.#networkSettings].map((line) => `${line};\n`);
    await files.writeAtomically(join(this.#directory, 'apt.conf'), settings.join(''));
  }

  #ownSettings(): string[] {
    const at = (name: string) => join(this.#directory, name);
    const settings = {
      'Dir::State::lists': at('lists'),
      'Dir::State::status': at('status'),
      'Dir::State::extended_states': at('extended_states'),
      'Dir::Cache': at('cache'),
      'Dir::Etc::main': '/dev/null',
      'Dir::Etc::parts': at('empty'),
      'Dir::Etc::sourcelist': at('sources.list'),
      'Dir::Etc::sourceparts': at('empty'),
      'Dir::Etc::preferences': '/dev/null',
      'Dir::Etc::preferencesparts': at('empty'),
      // The signatures are checked with the keys named in the sources, and with no others.
      'Dir::Etc::trusted': '/dev/null',
      'Dir::Etc::trustedparts': at('empty'),
      'APT::Architecture': 'amd64',
      'APT::Architectures': 'amd64',
      // Started by root, apt would fetch as a user who may not write into this folder.
      'APT::Sandbox::User': '',
      'Acquire::Languages': 'none',
    };
    return Object.entries(settings).map(([name, value]) => `${name} "${value}"`);
  }

  /** Proxies, certificates and the like: how this host reaches a mirror, whichever it is. */
  async #hostNetworkSettings(): Promise<string[]> {
    const { stdout } = await runTool(this.#deps, 'apt-config', ['dump'], this.#options("read the host's apt settings"));
    const isAbout = /^(Acquire::(?:https?|ftp|Retries|ForceIPv[46])\b.* "[^"]+");$/;
    return stdout.split('\n').flatMap((line) => isAbout.exec(line)?.[1] ?? []);
  }

  #apt(tool: 'apt-get' | 'apt-cache', args: readonly string[], doing: string, cwd?: string) {
    const options = this.#options(doing);
    return runTool(this.#deps, tool, ['--quiet', ...args], {
      ...options,
      env: { APT_CONFIG: join(this.#directory, 'apt.conf') },
      ...(cwd === undefined ? {} : { cwd }),
    });
  }

  #options(doing: string) {
    return { doing, ...(this.#signal === undefined ? {} : { signal: this.#signal }) };
  }
}

/** The paragraphs of Debian's control format; continued lines are left out. */
function stanzas(text: string): Map<string, string>[] {
  return text
    .split(/\n\n+/)
    .filter((stanza) => stanza.trim() !== '')
    .map((stanza) => {
      const fields = new Map<string, string>();
      for (const line of stanza.split('\n')) {
        const [, name, value] = /^([A-Za-z-]+): ?(.*)$/.exec(line) ?? [];
        if (name !== undefined && value !== undefined) fields.set(name, value);
      }
      return fields;
    });
}

function unknownPackage(name: string, suite: string): ImageError {
  return new ImageError('images/build-failed', `Debian ${suite} has no package ${name}`, {
    remedy: "Correct the recipe's list of packages, or update the host's lists with: sudo apt-get update",
  });
}
