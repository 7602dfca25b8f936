import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildProgress } from '../../../electron/core/images/image-builder.ts';
import { ImageCatalogue } from '../../../electron/core/images/image-catalogue.ts';
import { silentLog } from '../../../electron/core/platform/log.ts';
import { systemRandom } from '../../../electron/core/platform/random.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { FakeDebian, failed } from './fake-debian.ts';

const recipe = {
  name: 'small',
  description: 'an image of a test',
  suite: 'bookworm',
  kernelPackage: 'linux-image-cloud-amd64',
  rootDisk: null,
  minimumMemoryMebibytes: 128,
  kernelArguments: ['lsm='],
  runner: {
    name: 'a-runner',
    version: '1.0',
    revision: 'abc',
    platform: 'linux',
    architecture: 'amd64',
    executor: 'shell',
    shell: 'sh',
    features: { refspecs: true },
  },
};
const rootDisk = { packages: ['git', 'curl'], sizeMebibytes: 1024 };

let scope: AsyncDisposableStack;
let root: string;
let debian: FakeDebian;
let clock: FakeClock;
let catalogue: ImageCatalogue;

beforeEach(async () => {
  scope = new AsyncDisposableStack();
  root = scope.use(await temporaryDirectory()).path;
  debian = new FakeDebian(['virtio', 'virtio_net', 'button']);
  debian.versions.set('git', '2.39').set('curl', '7.88');
  clock = new FakeClock();
  catalogue = anotherCatalogue();
  await writeRecipe('small', recipe);
  await writeRecipe('debian', { ...recipe, name: 'debian', rootDisk });
  await write('debian/finish-root.sh', '# nothing\n');
  await write('common/init', '#!/bin/sh\n');
  await write('common/make-root-disk.sh', '# nothing\n');
  await write('common/bench/agent.sh', '# the agent\n');
  await write('common/bench/drivers', '1af4:1000 virtio virtio_net\nlater button\n');
});
afterEach(() => scope.disposeAsync());

function anotherCatalogue(): ImageCatalogue {
  const deps = { files: debian.files, processes: debian.processes, clock, log: silentLog, random: systemRandom };
  return new ImageCatalogue(deps, { recipesDirectory: join(root, 'recipes'), cacheDirectory: join(root, 'cache') });
}

async function write(path: string, content: string): Promise<void> {
  const full = join(root, 'recipes', path);
  await mkdir(join(full, '..'), { recursive: true });
  await writeFile(full, content);
}

function writeRecipe(name: string, content: object): Promise<void> {
  return write(`${name}/recipe.json`, JSON.stringify(content));
}

const images = (...path: string[]) => join(root, 'cache/images', ...path);

/** What lies in the folder of images, beside the lock. */
async function imageFolders(): Promise<string[]> {
  return (await readdir(images())).filter((name) => name !== '.lock').sort();
}

describe('the image catalogue', () => {
  it('names the images there are recipes for', async () => {
    await write('README.md', 'not an image');
    expect(await catalogue.names()).toEqual(['debian', 'small']);
  });

  it('builds an image and finds it again', async () => {
    const built = await catalogue.build('small');
    const folder = images(`small-${built.contentHash}`);
    expect(built).toEqual({
      name: 'small',
      contentHash: expect.stringMatching(/^[0-9a-f]{16}$/),
      kernelPath: expect.stringMatching(/\/parts\/kernel-[0-9a-f]{16}\/kernel$/),
      initrdPath: join(folder, 'initrd'),
      kernelArguments: ['lsm='],
      rootDisk: null,
      runnerDisk: null,
      runner: recipe.runner,
      minimumMemoryBytes: 128 * 1024 * 1024,
    });
    expect(await catalogue.resolve('small')).toEqual(built);
    expect(await readFile(built.kernelPath, 'utf8')).toBe('kernel 6.1.100-1');
    expect(await imageFolders()).toEqual(['parts', `small-${built.contentHash}`]);
  });

  it('writes down what an image consists of', async () => {
    const built = await catalogue.build('debian');
    const manifest = JSON.parse(await readFile(images(`debian-${built.contentHash}`, 'manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({
      format: 1,
      builtAt: '2026-11-23T09:00:00.000Z',
      versions: {
        'linux-image-6.1.0-1-cloud-amd64': '6.1.100-1',
        'busybox-static': '1:1.35.0-4',
        git: '2.39',
        curl: '7.88',
      },
      tools: { mmdebstrap: 'mmdebstrap 1.3.5', 'qemu-img': 'qemu-img version 7' },
      rootDisk: { sizeBytes: 'packed: a disk'.length, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(built.rootDisk).toEqual({
      path: expect.stringMatching(/\/parts\/root-[0-9a-f]{16}\/root\.qcow2$/),
      format: 'qcow2',
      sizeBytes: 1024 ** 3,
    });
  });

  it('does nothing for an image that is built', async () => {
    await catalogue.build('debian');
    const before = debian.ran.length;
    await anotherCatalogue().build('debian');
    expect(debian.ran.slice(before)).toEqual([]);
  });

  it('packs new scripts without fetching or installing anything', async () => {
    const before = await catalogue.build('debian');
    const [installs, updates] = [debian.count('mmdebstrap --mode'), debian.count('apt-get')];
    await write('common/bench/agent.sh', '# a better agent\n');
    await expect(catalogue.resolve('debian')).rejects.toMatchObject({ code: 'images/missing' });
    const after = await catalogue.build('debian');
    expect([debian.count('mmdebstrap --mode'), debian.count('apt-get')]).toEqual([installs, updates]);
    expect(after.contentHash).not.toBe(before.contentHash);
    expect([after.kernelPath, after.rootDisk]).toEqual([before.kernelPath, before.rootDisk]);
  });

  it('shares one kernel between images', async () => {
    const small = await catalogue.build('small');
    const downloads = debian.ran.filter((line) => line.includes('download linux-image')).length;
    expect((await catalogue.build('debian')).kernelPath).toBe(small.kernelPath);
    expect(debian.ran.filter((line) => line.includes('download linux-image'))).toHaveLength(downloads);
  });

  it('takes newer packages only when it is asked to', async () => {
    const before = await catalogue.build('debian');
    debian.versions.set('git', '2.40');
    expect(await catalogue.build('debian')).toEqual(before);
    const after = await catalogue.build('debian', { isRefresh: true });
    expect(after.rootDisk?.path).not.toBe(before.rootDisk?.path);
    expect(after.kernelPath).toBe(before.kernelPath);
  });

  it('keeps the build before the newest one, and the parts of both', async () => {
    const builds = [];
    for (const agent of ['one', 'two', 'three']) {
      await write('common/bench/agent.sh', agent);
      debian.versions.set('git', agent);
      builds.push(await catalogue.build('debian', { isRefresh: true }));
      await clock.advance(1000);
    }
    const folders = builds.map((image) => `debian-${image.contentHash}`);
    expect(await imageFolders()).toEqual([...folders.slice(1), 'parts'].sort());
    expect((await readdir(images('parts'))).filter((part) => part.startsWith('root-'))).toHaveLength(2);
  });

  it('builds from the mirrors of the host, and by its proxy', async () => {
    await catalogue.build('debian');
    const install = debian.ran.find((line) => line.startsWith('mmdebstrap --mode'));
    expect(install).toContain('--mode=root');
    expect(install).toContain('] http://mirror.lab/debian/ bookworm main');
    expect(install).toContain('--aptopt=Acquire::http::Proxy "http://proxy.lab:3142"');
    expect(install).not.toContain('Languages');
  });

  it('installs within a user namespace for a user who is not root', async () => {
    debian.uid = 1000;
    await catalogue.build('debian');
    expect(debian.ran.find((line) => line.startsWith('mmdebstrap --mode'))).toContain('--mode=unshare');
    expect(debian.ran.find((line) => line.includes('make-root-disk.sh'))).toMatch(
      /^unshare --user --map-auto --map-root-user -- sh /,
    );
  });

  it('tells how far a build is, and how long it has taken', async () => {
    const progress: BuildProgress[] = [];
    await catalogue.build('debian', { onProgress: (step) => progress.push(step) });
    expect(progress).toEqual([
      { step: 'packages', text: "Fetching Debian's lists of packages", elapsedMs: 0 },
      { step: 'kernel', text: 'Fetching linux-image-6.1.0-1-cloud-amd64 6.1.100-1', elapsedMs: 0 },
      { step: 'root-disk', text: 'Installing Debian bookworm with git, curl', elapsedMs: 0 },
      { step: 'root-disk', text: 'Installing Debian: installing essential packages', elapsedMs: 0 },
      { step: 'initramfs', text: 'Packing the first file system', elapsedMs: 0 },
      { step: 'finished', text: 'debian is ready', elapsedMs: 0 },
    ]);
  });

  it('builds once for several who ask at the same time', async () => {
    const both = Promise.all([catalogue.build('small'), anotherCatalogue().build('small')]);
    let isDone = false;
    void both.finally(() => {
      isDone = true;
    });
    while (!isDone) await clock.advance(500);
    const [one, other] = await both;
    expect(one).toEqual(other);
    expect(debian.ran.filter((line) => line.includes('download linux-image'))).toHaveLength(1);
  });

  it('leaves nothing of a build that fails, and builds the next time', async () => {
    debian.faults.set('mmdebstrap', () => failed(25, 'E: apt-get failed\nE: something broke'));
    await expect(catalogue.build('debian')).rejects.toMatchObject({
      code: 'images/build-failed',
      message: expect.stringContaining('mmdebstrap failed with exit code 25\nE: apt-get failed\nE: something broke'),
      remedy: expect.stringContaining('build the image again'),
    });
    expect(await imageFolders()).toEqual(['parts']);
    expect((await readdir(images('parts'))).map((part) => part.split('-')[0])).toEqual(['kernel']);
    debian.faults.clear();
    expect((await catalogue.build('debian')).name).toBe('debian');
  });

  it('removes what a build has left that was killed', async () => {
    await mkdir(images('.building-abc'), { recursive: true });
    await mkdir(images('parts/.building-def'), { recursive: true });
    const { contentHash } = await catalogue.build('small');
    expect(await imageFolders()).toEqual(['parts', `small-${contentHash}`]);
    expect(await readdir(images('parts'))).toHaveLength(1);
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    debian.faults.set('dpkg-deb', () => {
      stop.abort(new Error('enough'));
      return Object.assign(new Error('aborted'), { code: 'ABORT_ERR' });
    });
    await expect(catalogue.build('small', { signal: stop.signal })).rejects.toThrow('enough');
    expect(await imageFolders()).toEqual(['parts']);
  });
});

describe('what keeps an image from being built', () => {
  it('is a name without a recipe', async () => {
    await expect(catalogue.build('../etc')).rejects.toMatchObject({
      code: 'images/unknown',
      message: 'There is no image called "../etc"',
      remedy: 'Use one of: debian, small.',
    });
  });

  it.each<[string, string]>([
    ['no JSON', '{'],
    ['an unknown field', JSON.stringify({ ...recipe, more: 1 })],
    ['another name', JSON.stringify({ ...recipe, name: 'other' })],
  ])('is a recipe with %s', async (_what, json) => {
    await write('small/recipe.json', json);
    await expect(catalogue.build('small')).rejects.toMatchObject({ code: 'images/recipe-invalid' });
  });

  it('is a missing tool, named with all the others in one command', async () => {
    debian.missingTools.add('mmdebstrap').add('mke2fs').add('keyring');
    await expect(catalogue.build('debian')).rejects.toMatchObject({
      code: 'images/tool-missing',
      remedy: 'On Debian or Ubuntu: sudo apt-get install mmdebstrap e2fsprogs debian-archive-keyring',
    });
    // A kernel alone needs only the keys.
    debian.missingTools.delete('keyring');
    expect((await catalogue.build('small')).name).toBe('small');
  });

  it('is a user without subordinate ids', async () => {
    debian.uid = 1000;
    const files = { ...debian.files, readText: (path: string) => emptySubids(path) };
    const emptySubids = (path: string) =>
      path.startsWith('/etc/sub') ? Promise.resolve('somebody:100000:65536\n') : debian.files.readText(path);
    const deps = { files, processes: debian.processes, clock, log: silentLog, random: systemRandom };
    const other = new ImageCatalogue(deps, {
      recipesDirectory: join(root, 'recipes'),
      cacheDirectory: join(root, 'cache'),
    });
    await expect(other.build('debian')).rejects.toMatchObject({
      code: 'images/tool-missing',
      remedy: 'Give it one: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 builder',
    });
  });

  it('is a full disk, before anything is fetched', async () => {
    debian.freeBytes = 10 * 1024 * 1024;
    await expect(catalogue.build('small')).rejects.toMatchObject({ code: 'images/no-space' });
    expect(debian.count('apt-get')).toBe(0);
  });

  it('is a disk that fills up meanwhile', async () => {
    debian.faults.set('sh', () => failed(1, 'mke2fs: No space left on device while writing'));
    await expect(catalogue.build('debian')).rejects.toMatchObject({ code: 'images/no-space' });
  });

  it('is a kernel without a driver', async () => {
    debian.modules = ['virtio', 'button'];
    await expect(catalogue.build('small')).rejects.toMatchObject({
      code: 'images/build-failed',
      message: expect.stringContaining('it has no driver virtio_net'),
    });
    debian.builtIn = ['virtio_net'];
    expect((await catalogue.build('small')).name).toBe('small');
  });

  it('is a package that Debian does not have', async () => {
    debian.versions.delete('curl');
    await expect(catalogue.build('debian')).rejects.toMatchObject({
      code: 'images/build-failed',
      message: 'Debian bookworm has no package curl',
    });
  });
});

describe('a built image', () => {
  it('is missing before it is built, with the command that builds it', async () => {
    await expect(catalogue.resolve('small')).rejects.toMatchObject({
      code: 'images/missing',
      remedy: 'Build it with: forrest-bench images build small',
    });
  });

  it('is whole when its checksums are right', async () => {
    await catalogue.build('debian');
    await expect(catalogue.verify('debian')).resolves.toBeUndefined();
  });

  it('is corrupt when a file has another length, and is built again', async () => {
    const built = await catalogue.build('small');
    await writeFile(built.initrdPath, 'short');
    await expect(catalogue.resolve('small')).rejects.toMatchObject({
      code: 'images/corrupt',
      message: expect.stringContaining('has 5 bytes instead of'),
    });
    expect(await catalogue.build('small')).toEqual(built);
    await expect(catalogue.verify('small')).resolves.toBeUndefined();
  });

  it('is corrupt when a part of it is gone, and only that part is made again', async () => {
    const built = await catalogue.build('debian');
    await rm(built.kernelPath);
    const installs = debian.count('mmdebstrap --mode');
    expect(await catalogue.build('debian')).toEqual(built);
    expect(debian.count('mmdebstrap --mode')).toBe(installs);
  });

  it('is removed when its checksum is wrong, and built again', async () => {
    const built = await catalogue.build('debian');
    const disk = built.rootDisk?.path ?? '';
    await writeFile(disk, 'Packed: a disk');
    expect(await catalogue.resolve('debian')).toEqual(built);
    await expect(catalogue.verify('debian')).rejects.toMatchObject({
      code: 'images/corrupt',
      message: expect.stringContaining('root.qcow2 has another checksum'),
    });
    await catalogue.build('debian');
    expect(await readFile(disk, 'utf8')).toBe('packed: a disk');
  });
});

describe('createOverlay', () => {
  it('makes a layer as large as asked for, on the format the base has', async () => {
    const image = await catalogue.build('debian');
    await catalogue.createOverlay(image, '/run/overlay', 20 * 1024 ** 3 + 1);
    expect(debian.ran.at(-1)).toBe(
      `qemu-img create -q -f qcow2 -F qcow2 -b ${image.rootDisk?.path} /run/overlay ${20 * 1024 ** 3 + 512}`,
    );
  });

  it('never makes it smaller than the base', async () => {
    const image = await catalogue.build('debian');
    await catalogue.createOverlay(image, '/run/overlay', 5);
    expect(debian.ran.at(-1)).toMatch(new RegExp(` /run/overlay ${1024 ** 3}$`));
  });

  it('refuses an image without a root disk', async () => {
    const image = await catalogue.build('small');
    await expect(catalogue.createOverlay(image, '/run/overlay', 5)).rejects.toMatchObject({
      code: 'images/no-root-disk',
    });
  });

  it('says how to check the image when qemu-img fails', async () => {
    const image = await catalogue.build('debian');
    debian.faults.set('qemu-img', () => failed(1, 'Could not open backing file'));
    await expect(catalogue.createOverlay(image, '/run/overlay', 5)).rejects.toMatchObject({
      code: 'images/overlay-failed',
      message: expect.stringContaining('Could not open backing file'),
      remedy: 'Check the image with: forrest-bench images verify debian',
    });
  });
});
