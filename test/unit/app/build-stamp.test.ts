import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readStamps, sourceHash, writeStamp } from '../../../electron/build-stamp.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

async function aTree() {
  const folder = await temporaryDirectory();
  await mkdir(join(folder.path, 'src/deep'), { recursive: true });
  await writeFile(join(folder.path, 'src/a.ts'), 'a');
  await writeFile(join(folder.path, 'src/deep/b.ts'), 'b');
  await writeFile(join(folder.path, 'lock.json'), '{}');
  await writeFile(join(folder.path, 'other.txt'), '1');
  return { ...folder, hash: () => sourceHash(folder.path, ['src', 'lock.json']) };
}

describe('sourceHash', () => {
  it('is the same for the same sources, whatever lies beside them', async () => {
    await using tree = await aTree();
    const before = tree.hash();
    await writeFile(join(tree.path, 'other.txt'), '2');
    expect(tree.hash()).toBe(before);
  });

  it.each<[string, (path: string) => Promise<void>]>([
    ['a file changes', (path) => writeFile(join(path, 'src/deep/b.ts'), 'c')],
    ['a file comes', (path) => writeFile(join(path, 'src/c.ts'), '')],
    ['a file is renamed', (path) => rename(join(path, 'src/a.ts'), join(path, 'src/z.ts'))],
    ['a single file changes', (path) => writeFile(join(path, 'lock.json'), '[]')],
  ])('is another when %s', async (_name, change) => {
    await using tree = await aTree();
    const before = tree.hash();
    await change(tree.path);
    expect(tree.hash()).not.toBe(before);
  });
});

describe('stamps', () => {
  it('are kept by name', async () => {
    await using folder = await temporaryDirectory();
    expect(readStamps(folder.path)).toEqual({});
    writeStamp(folder.path, 'app', '1');
    writeStamp(folder.path, 'headless', '2');
    writeStamp(folder.path, 'app', '3');
    expect(readStamps(folder.path)).toEqual({ app: '3', headless: '2' });
  });

  it('that cannot be read are none', async () => {
    await using folder = await temporaryDirectory();
    writeStamp(folder.path, 'app', '1');
    await writeFile(join(folder.path, 'node_modules/.cache/forrest-bench/build.json'), '{"app": 7}');
    expect(readStamps(folder.path)).toEqual({});
  });
});
