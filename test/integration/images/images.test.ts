import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BootImage } from '../../../electron/core/images/boot-image.ts';
import { cpioArchive } from '../../../electron/core/images/cpio.ts';
import { ImageCatalogue } from '../../../electron/core/images/image-catalogue.ts';
import { systemClock } from '../../../electron/core/platform/clock.ts';
import { systemFiles } from '../../../electron/core/platform/files.ts';
import { silentLog } from '../../../electron/core/platform/log.ts';
import { systemProcesses } from '../../../electron/core/platform/processes.ts';
import { systemRandom } from '../../../electron/core/platform/random.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

let scope: AsyncDisposableStack;
let root: string;
let catalogue: ImageCatalogue;
beforeEach(async () => {
  scope = new AsyncDisposableStack();
  root = scope.use(await temporaryDirectory()).path;
  catalogue = new ImageCatalogue(
    { files: systemFiles, processes: systemProcesses, clock: systemClock, random: systemRandom, log: silentLog },
    { recipesDirectory: join(root, 'recipes'), cacheDirectory: join(root, 'cache') },
  );
});
afterEach(() => scope.disposeAsync());

const image: BootImage = {
  name: 'debian',
  contentHash: '0123456789abcdef',
  kernelPath: '/kernel',
  initrdPath: '/initrd',
  kernelArguments: [],
  rootDisk: null,
  runnerDisk: null,
  runner: {
    name: 'forrest-bench-shell-runner',
    version: '0.1.0',
    revision: 'HEAD',
    platform: 'linux',
    architecture: 'amd64',
    executor: 'shell',
    shell: 'bash',
    features: { refspecs: true },
  },
  minimumMemoryBytes: 1,
};

/** A program that answers as gitlab-runner does. */
async function runnerBinary(name: string, lines: readonly string[], exitCode = 0): Promise<string> {
  const path = join(root, name);
  const output = lines.map((line) => `echo '${line}'\n`).join('');
  await writeFile(path, `#!/bin/sh\n[ "$1" = --version ] || exit 9\n${output}exit ${exitCode}\n`);
  await chmod(path, 0o755);
  return path;
}

const version = (text: string, architecture = 'amd64') => [
  `Version:      ${text}`,
  'Git revision: abc12345',
  'GO version:   go1.24.4',
  `OS/Arch:      linux/${architecture}`,
];

async function output(program: string, args: readonly string[]): Promise<string> {
  const result = await systemProcesses.run(program, args);
  expect(result.exitCode, result.stderr).toBe(0);
  return result.stdout;
}

describe('withRunner', () => {
  it('puts the binary on a disk of its own and says what it can do', async () => {
    const binary = await runnerBinary('gitlab-runner', version('18.11.4'));
    const attached = await catalogue.withRunner(image, binary);
    expect(attached).toMatchObject({
      rootDisk: null,
      runnerDisk: { format: 'raw', path: expect.stringContaining(join(root, 'cache/runners/runner-')) },
      runner: {
        name: 'gitlab-runner',
        version: '18.11.4',
        revision: 'abc12345',
        executor: 'shell',
        shell: 'bash',
        features: { cancel_gracefully: true, job_inputs: true, two_phase_job_commit: false },
      },
    });
    const disk = attached.runnerDisk?.path ?? '';
    expect(await output('debugfs', ['-R', 'cat /gitlab-runner', disk])).toBe(await readFile(binary, 'utf8'));
    expect(await output('debugfs', ['-R', 'stat /gitlab-runner', disk])).toMatch(/Mode: {2}0755/);
    expect(await output('blkid', ['-s', 'LABEL', '-o', 'value', disk])).toBe('bench-runner\n');
  });

  it('makes one disk for each content, wherever the binary lies', async () => {
    const one = await catalogue.withRunner(image, await runnerBinary('one', version('17.0.0')));
    const same = await catalogue.withRunner(image, await runnerBinary('same', version('17.0.0')));
    const other = await catalogue.withRunner(image, await runnerBinary('one', version('17.0.1')));
    expect(same.runnerDisk).toEqual(one.runnerDisk);
    expect(other.runnerDisk).not.toEqual(one.runnerDisk);
    expect((await readdir(join(root, 'cache/runners'))).filter((name) => name !== '.lock')).toHaveLength(2);
  });

  it('announces what the executor it is told can do', async () => {
    const binary = await runnerBinary('gitlab-runner', version('18.11.4'));
    const { runner } = await catalogue.withRunner(image, binary, { executor: 'docker' });
    expect(runner).toMatchObject({ executor: 'docker', features: { image: true, services: true } });
    expect(runner.features).not.toHaveProperty('shared');
  });

  it.each<[string, () => Promise<string>, string]>([
    ['does not exist', async () => join(root, 'nothing'), 'there is no such file'],
    ['is a folder', async () => root, 'it may not be executed'],
    ['fails', () => runnerBinary('broken', [], 3), 'asked for its version, it ends with exit code 3'],
    ['is another program', () => runnerBinary('other', ['GNU bash 5']), 'it does not name itself'],
    ['is for another machine', () => runnerBinary('arm', version('18.0.0', 'arm64')), 'it is made for linux/arm64'],
  ])('refuses a binary that %s', async (_what, path, why) => {
    await expect(catalogue.withRunner(image, await path())).rejects.toMatchObject({
      code: 'images/runner-unusable',
      message: expect.stringContaining(why),
    });
  });

  it('refuses a file that may not be executed, or that the kernel does not run', async () => {
    const path = join(root, 'text');
    await writeFile(path, 'not a program');
    await expect(catalogue.withRunner(image, path)).rejects.toThrow('it may not be executed');
    await chmod(path, 0o755);
    await expect(catalogue.withRunner(image, path)).rejects.toThrow('asked for its version, it ends with exit code');
  });
});

describe('createOverlay', () => {
  it('makes a layer on the base, with the size asked for', async () => {
    const base = join(root, 'base.raw');
    const overlay = join(root, 'overlay.qcow2');
    await output('qemu-img', ['create', '-q', '-f', 'raw', base, '1M']);
    const rootDisk = { path: base, format: 'raw', sizeBytes: 1024 * 1024 } as const;
    await catalogue.createOverlay({ ...image, rootDisk }, overlay, 5 * 1024 * 1024);
    const info: unknown = JSON.parse(await output('qemu-img', ['info', '--output=json', overlay]));
    expect(info).toMatchObject({
      format: 'qcow2',
      'virtual-size': 5 * 1024 * 1024,
      'backing-filename': base,
      'backing-filename-format': 'raw',
    });
  });

  it('says which image to check when the base is gone', async () => {
    const rootDisk = { path: join(root, 'gone'), format: 'raw', sizeBytes: 1024 } as const;
    await expect(catalogue.createOverlay({ ...image, rootDisk }, join(root, 'o'), 1024)).rejects.toMatchObject({
      code: 'images/overlay-failed',
      message: expect.stringContaining('gone'),
    });
  });
});

describe('cpioArchive', () => {
  it('is unpacked by others as it was meant', async () => {
    const archive = join(root, 'archive');
    const bytes = Buffer.alloc(70_001, 'x');
    await writeFile(
      archive,
      cpioArchive([
        { kind: 'directory', path: 'a', mode: 0o750 },
        { kind: 'file', path: 'a/tool', mode: 0o755, bytes },
        { kind: 'link', path: 'a/name', target: 'tool' },
      ]),
    );
    const listing = await output('busybox', ['cpio', '-tv', '-F', archive]);
    // mode, owner, size, date, time, name
    expect(listing.replaceAll(/^(\S+) (\S+) +(\d+) \S+ \S+ (.*)$/gm, '$1 $2 $3 $4').split('\n')).toEqual([
      'drwxr-x--- 0/0 0 a',
      '-rwxr-xr-x 0/0 70001 a/tool',
      'lrwxrwxrwx 0/0 0 a/name -> tool',
      '',
    ]);
    const into = join(root, 'into');
    await mkdir(into);
    const result = await systemProcesses.run('busybox', ['cpio', '-id', '-F', archive], { cwd: into });
    expect(result.exitCode).toBe(0);
    expect(await readFile(join(into, 'a/name'))).toEqual(bytes);
  });
});
