import { lstat, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type ConfigEvent, ConfigFile } from '../../../electron/core/config/config-file.ts';
import { systemClock } from '../../../electron/core/platform/clock.ts';
import { systemFiles } from '../../../electron/core/platform/files.ts';
import { silentLog } from '../../../electron/core/platform/log.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const gibibyte = 2 ** 30;
const deps = {
  files: systemFiles,
  clock: systemClock,
  log: silentLog,
  host: { cpus: 8, memoryBytes: 32 * gibibyte, diskBytes: 400 * gibibyte },
  homeDirectory: '/home/kim',
};
const text = `# mine
lending:
  enabled: true   # the switch
capacity:
  here: { cpus: 4, memory: 8G, disk: 40G, runs: 1 }
machines:
  small: { image: debian-12, cpus: 2, memory: 1G, disk: 1G }
`;

async function aConfigFile(content = text) {
  const folder = await temporaryDirectory();
  const path = join(folder.path, 'config.yaml');
  await writeFile(path, content, { mode: 0o640 });
  const file = await ConfigFile.open(deps, path);
  const events: ConfigEvent[] = [];
  file.onChange((event) => events.push(event));
  return {
    path,
    folder: folder.path,
    file,
    events,
    async [Symbol.asyncDispose]() {
      await file[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe('a config file in use', () => {
  it('takes what an editor writes, and says so', async () => {
    await using bench = await aConfigFile();
    await writeFile(bench.path, text.replace('true', 'false'));
    await vi.waitFor(() => expect(bench.events).toHaveLength(1));
    expect(bench.events[0]).toEqual({ kind: 'changed', config: bench.file.current });
    expect(bench.file.current.lending).toEqual({ isEnabled: false });
  });

  it('takes what an editor puts in its place by a rename', async () => {
    await using bench = await aConfigFile();
    for (const [index, isEnabled] of [false, true].entries()) {
      await writeFile(`${bench.path}.new`, text.replace('true', String(isEnabled)));
      await rename(`${bench.path}.new`, bench.path);
      await vi.waitFor(() => expect(bench.events).toHaveLength(index + 1));
      expect(bench.file.current.lending).toEqual({ isEnabled });
    }
  });

  it('leaves the last right one in force while the file is broken, and goes on when it is mended', async () => {
    await using bench = await aConfigFile();
    const before = bench.file.current;
    await writeFile(bench.path, 'lending: [\n');
    await vi.waitFor(() => expect(bench.events).toHaveLength(1));
    expect(bench.events[0]).toMatchObject({ kind: 'broken', error: { code: 'config/invalid' } });
    expect(bench.file.current).toBe(before);
    await writeFile(bench.path, text);
    await vi.waitFor(() => expect(bench.events).toHaveLength(2));
    expect(bench.events[1]).toEqual({ kind: 'changed', config: before });
  });

  it('says that the file is gone, once, and takes it up when it is back', async () => {
    await using bench = await aConfigFile();
    await rm(bench.path);
    await vi.waitFor(() => expect(bench.events).toHaveLength(1));
    expect(bench.events[0]).toMatchObject({ kind: 'broken', error: { code: 'config/missing' } });
    await writeFile(bench.path, text);
    await vi.waitFor(() => expect(bench.events).toHaveLength(2));
    expect(bench.events[1]).toMatchObject({ kind: 'changed' });
  });

  it('writes the switch with comments and permissions kept, and tells of it once', async () => {
    await using bench = await aConfigFile();
    await bench.file.setLending(false);
    expect(await readFile(bench.path, 'utf8')).toBe(text.replace('true', 'false'));
    expect((await stat(bench.path)).mode & 0o777).toBe(0o640);
    expect(bench.file.current.lending).toEqual({ isEnabled: false });
    // A change of another's making comes after the echo of our own, which must have told nobody.
    await writeFile(bench.path, text.replace('true', 'false').replace('cpus: 4', 'cpus: 3'));
    await vi.waitFor(() => expect(bench.file.current.capacity.cpus).toBe(3));
    expect(bench.events.map((event) => event.kind)).toEqual(['changed', 'changed']);
  });

  it('writes the sliders, one after the other', async () => {
    await using bench = await aConfigFile();
    const capacity = (cpus: number) => ({
      cpus,
      memoryBytes: cpus * gibibyte,
      diskBytes: 40 * gibibyte,
      slotCount: 2,
    });
    await Promise.all([2, 3, 5].map((cpus) => bench.file.setCapacity(capacity(cpus))));
    expect(bench.file.current.capacity).toEqual(capacity(5));
    expect(await readFile(bench.path, 'utf8')).toBe(
      text.replace('cpus: 4, memory: 8G', 'cpus: 5, memory: 5G').replace('runs: 1', 'runs: 2'),
    );
  });

  it('does not lose what somebody wrote just before the switch was thrown', async () => {
    await using bench = await aConfigFile();
    await writeFile(bench.path, text.replace('cpus: 4', 'cpus: 7'));
    await bench.file.setLending(false);
    expect(bench.file.current.capacity.cpus).toBe(7);
    expect(bench.file.current.lending).toEqual({ isEnabled: false });
  });

  it('writes nothing into a broken file', async () => {
    await using bench = await aConfigFile();
    await writeFile(bench.path, 'lending: [\n');
    await expect(bench.file.setLending(false)).rejects.toMatchObject({ code: 'config/invalid' });
    expect(await readFile(bench.path, 'utf8')).toBe('lending: [\n');
  });

  it('refuses to lend less than a machine needs, with nothing written', async () => {
    await using bench = await aConfigFile();
    const little = { cpus: 1, memoryBytes: gibibyte, diskBytes: gibibyte, slotCount: 1 };
    await expect(bench.file.setCapacity(little)).rejects.toMatchObject({ code: 'config/invalid' });
    expect(await readFile(bench.path, 'utf8')).toBe(text);
    expect(bench.file.current.capacity.cpus).toBe(4);
  });

  it('refuses to change what other places share, with nothing written', async () => {
    const shared =
      'capacity: { here: { cpus: &n 2 } }\nmachines: { a: { image: x, cpus: *n, memory: 1G, disk: 1G } }\n';
    await using bench = await aConfigFile(shared);
    const { current } = bench.file;
    await expect(bench.file.setCapacity({ ...current.capacity, cpus: 3 })).rejects.toMatchObject({
      code: 'config/not-editable',
      remedy: expect.stringContaining('anchor'),
    });
    expect(await readFile(bench.path, 'utf8')).toBe(shared);
    expect(bench.file.current).toBe(current);
  });

  it('writes through a symbolic link and leaves the link', async () => {
    await using folder = await temporaryDirectory();
    await mkdir(join(folder.path, 'dotfiles'));
    const real = join(folder.path, 'dotfiles', 'bench.yaml');
    const path = join(folder.path, 'config.yaml');
    await writeFile(real, text);
    await symlink(real, path);
    await using file = await ConfigFile.open(deps, path);
    await file.setLending(false);
    expect((await lstat(path)).isSymbolicLink()).toBe(true);
    expect(await readFile(real, 'utf8')).toBe(text.replace('true', 'false'));
    await writeFile(real, text);
    await vi.waitFor(() => expect(file.current.lending).toEqual({ isEnabled: true }));
  });

  it('tells nobody after it was closed', async () => {
    await using folder = await temporaryDirectory();
    const path = join(folder.path, 'config.yaml');
    await writeFile(path, text);
    const file = await ConfigFile.open(deps, path);
    const listener = vi.fn();
    file.onChange(listener);
    await file[Symbol.asyncDispose]();
    await file[Symbol.asyncDispose]();
    await writeFile(path, text.replace('true', 'false'));
    await using witness = await ConfigFile.open(deps, path);
    await writeFile(path, text);
    await vi.waitFor(() => expect(witness.current.lending).toEqual({ isEnabled: true }));
    expect(listener).not.toHaveBeenCalled();
  });

  it('says how to make one where there is none', async () => {
    await using folder = await temporaryDirectory();
    const path = join(folder.path, 'config.yaml');
    await expect(ConfigFile.open(deps, path)).rejects.toMatchObject({
      code: 'config/missing',
      remedy: expect.stringContaining(`forrest-bench init --config ${path}`),
    });
  });

  it('says what it is where it is no file', async () => {
    await using folder = await temporaryDirectory();
    await expect(ConfigFile.open(deps, folder.path)).rejects.toMatchObject({ code: 'config/unreadable' });
  });
});
