import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Files, systemFiles } from '../../../electron/core/platform/files.ts';
import type { Processes, ProcessResult, RunOptions } from '../../../electron/core/platform/processes.ts';

const release = '6.1.0-1-cloud-amd64';
const kernelPackage = `linux-image-${release}`;

/**
 * The host's tools for building images, as far as images are concerned: an archive of packages with versions, and
 * programs that download, unpack and install from it. Files they write are real, in the folder they are told.
 */
export class FakeDebian {
  /** Package to version; what is missing here is in no archive. */
  readonly versions = new Map<string, string>();
  /** Programs that are not installed. */
  readonly missingTools = new Set<string>();
  /** Every program that was run, as one line. */
  readonly ran: string[] = [];
  /** What a program does instead, by its name. */
  readonly faults = new Map<string, (args: readonly string[]) => ProcessResult | Error>();
  uid = 0;
  freeBytes = 100 * 1024 ** 3;
  /** Modules the kernel package brings. */
  modules: string[];
  builtIn: string[] = [];

  constructor(modules: readonly string[]) {
    this.modules = [...modules];
    this.versions.set('linux-image-cloud-amd64', '6.1.100-1').set(kernelPackage, '6.1.100-1');
    this.versions.set('busybox-static', '1:1.35.0-4');
  }

  /** How often a program was run. */
  count(program: string): number {
    return this.ran.filter((line) => line.startsWith(program)).length;
  }

  get files(): Files {
    return {
      ...systemFiles,
      isExecutable: async (path) => {
        const isTool = /^\/(usr\/)?s?bin\//.test(path);
        return isTool ? !this.missingTools.has(basename(path)) : systemFiles.isExecutable(path);
      },
      exists: async (path) =>
        path.startsWith('/usr/share/keyrings/') ? !this.missingTools.has('keyring') : systemFiles.exists(path),
      readText: (path) =>
        path === '/etc/subuid' || path === '/etc/subgid'
          ? Promise.resolve('builder:100000:65536\n')
          : systemFiles.readText(path),
      freeBytes: async () => this.freeBytes,
    };
  }

  get processes(): Processes {
    return {
      run: (program, args, options = {}) => this.#run(program, args, options),
      startDetached: () => Promise.reject(new Error('building images starts nothing that stays')),
      startTime: async (pid) => (pid === process.pid ? 'now' : undefined),
      commandLine: async () => undefined,
      kill: () => false,
    };
  }

  async #run(program: string, args: readonly string[], options: RunOptions): Promise<ProcessResult> {
    this.ran.push([program, ...args].join(' '));
    options.signal?.throwIfAborted();
    if (this.missingTools.has(program)) throw Object.assign(new Error('spawn ENOENT'), { code: 'ENOENT' });
    const fault = this.faults.get(program)?.(args);
    if (fault instanceof Error) throw fault;
    if (fault !== undefined) return fault;
    return succeeded(await this.#output(program, args, options));
  }

  async #output(program: string, args: readonly string[], options: RunOptions): Promise<string> {
    switch (program) {
      case 'id':
        return args[0] === '-u' ? String(this.uid) : 'builder';
      case 'apt-get':
        return this.#aptGet(args, options.cwd ?? '/nowhere');
      case 'apt-cache':
        return args
          .slice(3)
          .map((name) => this.#stanza(name))
          .join('\n');
      case 'apt-config':
        return 'APT "";\nAcquire::http::Proxy "http://proxy.lab:3142";\nAcquire::Languages "none";\n';
      case 'dpkg-deb':
        await this.#unpack(basename(args[1] ?? ''), args[2] ?? '');
        return '';
      case 'mmdebstrap':
        if (args[0] !== '--version') await writeFile(args.find((arg) => arg.endsWith('.tar')) ?? '', 'a tree');
        options.onLine?.('I: installing essential packages...');
        return 'mmdebstrap 1.3.5';
      case 'unshare':
      case 'sh':
        // make-root-disk.sh TAR FINISH TREE DISK SIZE PACKAGES
        await writeFile(args.at(-3) ?? '', `a disk of ${args.at(-2)}`);
        await writeFile(args.at(-1) ?? '', 'bash\t5\n');
        return '';
      case 'qemu-img':
        if (args[0] === 'convert') await writeFile(args.at(-1) ?? '', 'packed: a disk');
        return 'qemu-img version 7';
      case 'mke2fs':
        if (args[0] !== '-V') await writeFile(args.at(-2) ?? '', 'a file system');
        return '';
      default:
        throw new Error(`no such program here: ${program}`);
    }
  }

  #aptGet(args: readonly string[], cwd: string): string | Promise<string> {
    if (args[0] === 'indextargets') return 'Debian|bookworm|main|http://mirror.lab/debian/\n';
    const [, action, what = ''] = args;
    if (action !== 'download') return '';
    const [name, version] = what.split('=');
    return writeFile(join(cwd, `${name}.deb`), `${name} ${version}`).then(() => '');
  }

  #stanza(name: string): string {
    const version = this.versions.get(name);
    if (version === undefined) return '';
    const depends = name === 'linux-image-cloud-amd64' ? `Depends: ${kernelPackage} (= ${version})\n` : '';
    return `Package: ${name}\nVersion: ${version}\n${depends}Description: something\n of several lines\n`;
  }

  async #unpack(file: string, into: string): Promise<void> {
    const write = async (path: string, content: string) => {
      await mkdir(dirname(join(into, path)), { recursive: true });
      await writeFile(join(into, path), content);
    };
    if (file === 'busybox-static.deb') {
      await write('bin/busybox', `busybox ${this.versions.get('busybox-static')}`);
      return;
    }
    await write(`boot/vmlinuz-${release}`, `kernel ${this.versions.get(kernelPackage)}`);
    const order = this.modules.map((name) => `kernel/drivers/${name}.ko`);
    for (const path of order) await write(`lib/modules/${release}/${path}`, `module ${path}`);
    await write(`lib/modules/${release}/modules.order`, `${order.join('\n')}\n`);
    const builtIn = this.builtIn.map((name) => `kernel/drivers/${name}.ko\n`);
    await write(`lib/modules/${release}/modules.builtin`, builtIn.join(''));
  }
}

export function succeeded(stdout = ''): ProcessResult {
  return { exitCode: 0, signal: null, stdout, stderr: '' };
}

export function failed(exitCode: number, stderr: string): ProcessResult {
  return { exitCode, signal: null, stdout: '', stderr };
}
