import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listPackage } from '@electron/asar';
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { beforeAll, describe, expect, it } from 'vitest';
import { trayLooks } from '../../../electron/app/tray-view.ts';
import { buildAll } from '../../../electron/build.ts';
import { systemProcesses } from '../../../electron/core/platform/processes.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const root = join(import.meta.dirname, '../../..');
const configPath = join(root, 'resources/electron-builder.json');

/** Runs electron-builder up to an unpacked folder; nothing is downloaded. */
async function pack(directory: string, ...more: string[]) {
  const cli = join(root, 'node_modules/electron-builder/cli.js');
  const args = ['--linux', 'dir', '--config', configPath, '--publish', 'never'];
  const overrides = [
    `-c.electronDist=${join(directory, 'electron')}`,
    `-c.directories.output=${join(directory, 'release')}`,
    ...more,
  ];
  const { exitCode, stderr, stdout } = await systemProcesses.run(process.execPath, [cli, ...args, ...overrides], {
    cwd: root,
    timeoutMs: 120_000,
  });
  return { exitCode, printed: `${stdout}\n${stderr}` };
}

/** What electron-builder wants of an Electron distribution: some files, and one with the place where fuses are kept. */
async function writeElectronStandIn(directory: string): Promise<void> {
  const folder = join(directory, 'electron');
  await mkdir(join(folder, 'resources'), { recursive: true });
  await mkdir(join(folder, 'locales'));
  const [version, fuseCount] = [1, 9];
  const fuses = Buffer.concat([Buffer.from([version, fuseCount]), Buffer.from('0'.repeat(fuseCount))]);
  await writeFile(join(folder, 'electron'), Buffer.concat([Buffer.from('dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'), fuses]), {
    mode: 0o755,
  });
  await writeFile(join(folder, 'version'), '45.4.1');
  for (const name of ['LICENSE', 'LICENSES.chromium.html']) await writeFile(join(folder, name), '');
}

describe('packaging', { timeout: 180_000 }, () => {
  beforeAll(() => buildAll({ isQuiet: true }), 120_000);

  it('puts the bundles into the package, node-pty beside them, and nothing of the sources', async () => {
    await using directory = await temporaryDirectory();
    await writeElectronStandIn(directory.path);
    const { exitCode, printed } = await pack(directory.path);
    expect(exitCode, printed).toBe(0);
    const unpacked = join(directory.path, 'release/linux-unpacked');
    const files = listPackage(join(unpacked, 'resources/app.asar'), { isPack: false });
    expect(files).toEqual(
      expect.arrayContaining([
        '/package.json',
        '/dist/app/main.mjs',
        '/dist/app/preload.cjs',
        '/dist/headless/cli.mjs',
        '/dist/renderer/index.html',
        '/node_modules/node-pty/build/Release/pty.node',
        '/resources/icons/icon-256.png',
        ...trayLooks.flatMap((look) => [
          `/resources/icons/tray-${look}-22.png`,
          `/resources/icons/tray-${look}-22@2x.png`,
        ]),
      ]),
    );
    const modules = files.filter((path) => /^\/node_modules\/[^/]+$/.test(path));
    expect(modules).toEqual(['/node_modules/node-pty']);
    expect(files.filter((path) => /\.(map|ts|tsx)$|\.test\.js$/.test(path))).toEqual([]);
    const pty = join(unpacked, 'resources/app.asar.unpacked/node_modules/node-pty/build/Release/pty.node');
    expect((await readFile(pty)).length).toBeGreaterThan(0);

    const wire = await getCurrentFuseWire(join(unpacked, 'forrest-bench'));
    const isOn = (fuse: FuseV1Options) => String.fromCharCode(wire[fuse] ?? 0) === '1';
    expect({
      runAsNode: isOn(FuseV1Options.RunAsNode),
      nodeOptions: isOn(FuseV1Options.EnableNodeOptionsEnvironmentVariable),
      inspect: isOn(FuseV1Options.EnableNodeCliInspectArguments),
      fileProtocol: isOn(FuseV1Options.GrantFileProtocolExtraPrivileges),
      asarIntegrity: isOn(FuseV1Options.EnableEmbeddedAsarIntegrityValidation),
      onlyAsar: isOn(FuseV1Options.OnlyLoadAppFromAsar),
    }).toEqual({
      runAsNode: false,
      nodeOptions: false,
      inspect: false,
      fileProtocol: false,
      asarIntegrity: true,
      onlyAsar: true,
    });
  });

  it('refuses a setting that electron-builder does not know', async () => {
    await using directory = await temporaryDirectory();
    const { exitCode, printed } = await pack(directory.path, '-c.asarr=true');
    expect(exitCode).not.toBe(0);
    expect(printed).toContain("unknown property 'asarr'");
  });
});

describe('the desktop entry', () => {
  const path = join(root, 'resources/forrest-bench.desktop');

  it('names the program and icon that the package installs', async () => {
    const config = JSON.parse(await readFile(configPath, 'utf8')) as { linux: { executableName: string } };
    const entries = (await readFile(path, 'utf8'))
      .split('\n')
      .filter((line) => /^(Exec|Icon|StartupWMClass)=/.test(line));
    const name = config.linux.executableName;
    expect(entries).toEqual([`Exec=${name}`, `Icon=${name}`, `StartupWMClass=${name}`]);
  });

  it('is valid', async (context) => {
    try {
      const { exitCode, stdout } = await systemProcesses.run('desktop-file-validate', [path]);
      expect(exitCode, stdout).toBe(0);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
        return context.skip('desktop-file-validate is not installed here');
      }
      throw error;
    }
  });
});
