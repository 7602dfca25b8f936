import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../electron/core/platform/clock.ts';
import { type Directories, directoriesBelow } from '../../../electron/core/platform/directories.ts';
import { systemFiles } from '../../../electron/core/platform/files.ts';
import { SingleInstance } from '../../../electron/headless/single-instance.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const deps = { clock: systemClock, files: systemFiles };
const program = fileURLToPath(new URL('hold-instance.ts', import.meta.url));

/** Another process that holds the lock of a state folder. */
async function aHolder(root: string): Promise<AsyncDisposable & { child: ChildProcess; pid: number }> {
  const child = spawn(process.execPath, [program, root], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const ended = once(child, 'exit');
  return {
    child,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

describe('one bench a state folder', () => {
  it('refuses a second one and says who the first is', async () => {
    await using folder = await temporaryDirectory();
    await using holder = await aHolder(folder.path);
    await expect(SingleInstance.take(deps, directoriesBelow(folder.path))).rejects.toMatchObject({
      code: 'headless/already-running',
      message: expect.stringContaining(`as process ${holder.pid} since 20`),
      remedy: expect.stringContaining('--data DIR'),
    });
  });

  it('tells the address of the first', async () => {
    await using folder = await temporaryDirectory();
    await using holder = await aHolder(folder.path);
    expect(await SingleInstance.ask(deps, directoriesBelow(folder.path))).toMatchObject({
      pid: holder.pid,
      address: 'http://127.0.0.1:1/?token=held',
    });
  });

  it('is free again after the first was killed', async () => {
    await using folder = await temporaryDirectory();
    const directories = directoriesBelow(folder.path);
    const holder = await aHolder(folder.path);
    await holder[Symbol.asyncDispose]();
    expect(await readdir(directories.state)).toContain('instance.sock');
    expect(await SingleInstance.ask(deps, directories)).toBeUndefined();
    await using instance = await SingleInstance.take(deps, directories);
    instance.announce('http://127.0.0.1:2/');
    expect(await SingleInstance.ask(deps, directories)).toMatchObject({
      pid: process.pid,
      address: 'http://127.0.0.1:2/',
    });
  });

  it('is free again after the first has ended, with no socket left', async () => {
    await using folder = await temporaryDirectory();
    const directories = directoriesBelow(folder.path);
    for (let time = 0; time < 2; time += 1) {
      const instance = await SingleInstance.take(deps, directories);
      await instance[Symbol.asyncDispose]();
      await instance[Symbol.asyncDispose]();
    }
    expect(await readdir(directories.state)).toEqual(['instance.lock']);
    expect(await SingleInstance.ask(deps, directories)).toBeUndefined();
  });

  it('lets exactly one of many through that start at the same moment after a crash', async () => {
    await using folder = await temporaryDirectory();
    const directories = directoriesBelow(folder.path);
    await (await aHolder(folder.path))[Symbol.asyncDispose]();
    const starts = await Promise.allSettled(Array.from({ length: 10 }, () => SingleInstance.take(deps, directories)));
    const taken = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
    expect(taken).toHaveLength(1);
    expect(await SingleInstance.ask(deps, directories)).toMatchObject({ pid: process.pid });
    for (const instance of taken) await instance[Symbol.asyncDispose]();
  });

  it('leaves two state folders to two benches', async () => {
    await using folder = await temporaryDirectory();
    await using _first = await SingleInstance.take(deps, directoriesBelow(join(folder.path, 'a')));
    await using _second = await SingleInstance.take(deps, directoriesBelow(join(folder.path, 'b')));
  });

  it('finds a short place for the socket where the state folder is deep, and refuses where there is none', async () => {
    await using folder = await temporaryDirectory();
    const deep = join(folder.path, 'x'.repeat(60), 'y'.repeat(60));
    const directories: Directories = { ...directoriesBelow(deep), sockets: folder.path };
    await using _instance = await SingleInstance.take(deps, directories);
    expect(await SingleInstance.ask(deps, directories)).toMatchObject({ pid: process.pid });
    await expect(SingleInstance.take(deps, directoriesBelow(join(deep, 'other')))).rejects.toMatchObject({
      code: 'headless/path-too-long',
    });
  });
});
