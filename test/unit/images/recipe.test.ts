import { cp, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { guestDrivers } from '../../../electron/core/images/initramfs.ts';
import { loadRecipe, recipeNames } from '../../../electron/core/images/recipe.ts';
import { systemFiles } from '../../../electron/core/platform/files.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const deps = { files: systemFiles };
const recipes = resolve('vm-images');

async function ownCopy(): Promise<AsyncDisposable & { path: string }> {
  const folder = await temporaryDirectory();
  await cp(recipes, folder.path, { recursive: true });
  return folder;
}

describe('the recipes that come with Forrest Bench', () => {
  it('are these', async () => {
    expect(await recipeNames(deps, recipes)).toEqual(['debian-12', 'smoke']);
  });

  it.each(['debian-12', 'smoke'])('%s is valid, and its runner never announces two-phase commit', async (name) => {
    const recipe = await loadRecipe(deps, recipes, name);
    expect(recipe.runner.features).toMatchObject({ two_phase_job_commit: false, session: false, terminal: false });
    expect(recipe.common.map((file) => file.path)).toContain('init');
  });

  it('name the network driver among the early ones and the power button among the later', async () => {
    const { common } = await loadRecipe(deps, recipes, 'smoke');
    const drivers = guestDrivers(common);
    expect(drivers.early).toEqual([...new Set(drivers.early)]);
    expect(drivers.early).toContain('virtio_net');
    expect(drivers.later).toContain('button');
  });
});

describe('the hash of the inputs', () => {
  const hashOf = async (directory: string, name = 'smoke') => (await loadRecipe(deps, directory, name)).inputsHash;

  it('is the same for the same files wherever they are', async () => {
    await using copy = await ownCopy();
    expect(await hashOf(copy.path)).toBe(await hashOf(recipes));
    expect(await hashOf(recipes)).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each(['common/init', 'common/bench/runner/runner.sh', 'smoke/more.txt'])('changes with %s', async (path) => {
    await using copy = await ownCopy();
    await writeFile(join(copy.path, path), 'something else');
    expect(await hashOf(copy.path)).not.toBe(await hashOf(recipes));
  });

  it.each(['README.md', 'debian-12/finish-root.sh', 'common/README.md'])('does not change with %s', async (path) => {
    await using copy = await ownCopy();
    await writeFile(join(copy.path, path), 'something else');
    expect(await hashOf(copy.path)).toBe(await hashOf(recipes));
  });
});
