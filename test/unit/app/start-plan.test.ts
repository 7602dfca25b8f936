import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  findElectron,
  headlessArguments,
  obstacleToWindow,
  type StartRequest,
  windowArguments,
} from '../../../electron/start-plan.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

function aRequest(more: Partial<StartRequest> = {}): StartRequest {
  return { args: [], env: { DISPLAY: ':0' }, platform: 'linux', isRoot: false, ...more };
}

describe('obstacleToWindow', () => {
  it.each<[string, Partial<StartRequest>]>([
    ['an X display', { env: { DISPLAY: ':0' } }],
    ['a Wayland display', { env: { WAYLAND_DISPLAY: 'wayland-0' } }],
    ['root who does without the sandbox', { isRoot: true, args: ['--no-sandbox'] }],
    ['macOS', { platform: 'darwin', env: {} }],
    ['Windows', { platform: 'win32', env: {} }],
  ])('finds none on %s', (_name, more) => {
    expect(obstacleToWindow(aRequest(more))).toBeUndefined();
  });

  it.each<[Partial<StartRequest>, RegExp]>([
    [{ args: ['--headless'] }, /asked/],
    [{ env: {} }, /no display/],
    [{ env: { DISPLAY: '' } }, /no display/],
    [{ isRoot: true }, /root/],
  ])('finds one with %j', (more, expected) => {
    expect(obstacleToWindow(aRequest(more))).toMatch(expected);
  });
});

describe('findElectron', () => {
  it('finds nothing where nothing is', async () => {
    await using folder = await temporaryDirectory();
    expect(findElectron(folder.path, {})).toBeUndefined();
    expect(findElectron(folder.path, { ELECTRON_OVERRIDE_DIST_PATH: folder.path })).toBeUndefined();
  });

  it('finds the executable that the package names, and before it the one of the environment', async () => {
    await using folder = await temporaryDirectory();
    const dist = join(folder.path, 'node_modules/electron/dist');
    const other = join(folder.path, 'other');
    await mkdir(join(dist, 'bin'), { recursive: true });
    await mkdir(join(other, 'bin'), { recursive: true });
    await writeFile(join(folder.path, 'node_modules/electron/path.txt'), 'bin/electron');
    await writeFile(join(dist, 'bin/electron'), '');
    expect(findElectron(folder.path, {})).toBe(join(dist, 'bin/electron'));
    expect(findElectron(folder.path, { ELECTRON_OVERRIDE_DIST_PATH: other })).toBe(join(dist, 'bin/electron'));
    await writeFile(join(other, 'bin/electron'), '');
    expect(findElectron(folder.path, { ELECTRON_OVERRIDE_DIST_PATH: other })).toBe(join(other, 'bin/electron'));
  });
});

describe('arguments', () => {
  const args = ['--download', '--hidden', '--config', 'bench.yaml', '--no-sandbox'];

  it('go to the window without those of the start itself', () => {
    expect(windowArguments(args)).toEqual(['--hidden', '--config', 'bench.yaml', '--no-sandbox']);
  });

  it('go to the headless shell without those of a window', () => {
    expect(headlessArguments(args)).toEqual(['run', '--config', 'bench.yaml']);
  });
});
