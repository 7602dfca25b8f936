import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemFiles } from '../../../electron/core/platform/files.ts';
import { systemProcesses } from '../../../electron/core/platform/processes.ts';
import { locateQemu } from '../../../electron/core/vm/qemu-binary.ts';
import { locateSocat } from '../../../electron/core/vm/socat-binary.ts';
import { installFakeQemu } from '../../fakes/qemu/install-fake-qemu.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

const deps = { files: systemFiles, processes: systemProcesses };

it('finds QEMU in PATH and says what it is', async () => {
  await using folder = await temporaryDirectory();
  const { path } = await installFakeQemu(folder.path, { version: '10.0.2 (Debian 1:10.0.2+ds-2~bpo12+1)' });
  expect(await locateQemu(deps, { env: { PATH: `/nowhere:${folder.path}` } })).toEqual({
    path,
    version: '10.0.2',
    major: 10,
    minor: 0,
    hasSandbox: true,
  });
});

it('knows a QEMU without seccomp', async () => {
  await using folder = await temporaryDirectory();
  const { path } = await installFakeQemu(folder.path, { hasSandbox: false });
  expect(await locateQemu(deps, { path, env: {} })).toMatchObject({ version: '7.2.22', hasSandbox: false });
});

it('tells how to install QEMU where there is none', async () => {
  await using folder = await temporaryDirectory();
  await expect(locateQemu(deps, { path: join(folder.path, 'qemu'), env: {} })).rejects.toMatchObject({
    code: 'vm/qemu-missing',
    remedy:
      'Install it: "sudo apt install qemu-system-x86" (Debian, Ubuntu), "sudo dnf install qemu-system-x86-core" (Fedora, RHEL) or "sudo pacman -S qemu-base" (Arch).',
  });
});

it.each([
  { name: 'too old', behaviour: { version: '5.2.0 (Debian 1:5.2+dfsg-11)' }, says: 'QEMU 5.2.0 is too old' },
  { name: 'without user networking', behaviour: { netdevs: ['tap'] }, says: 'without user networking' },
  { name: 'without a version', behaviour: { version: 'unknown' }, says: 'does not say its version' },
])('refuses a QEMU $name', async ({ behaviour, says }) => {
  await using folder = await temporaryDirectory();
  const { path } = await installFakeQemu(folder.path, behaviour);
  await expect(locateQemu(deps, { path, env: {} })).rejects.toMatchObject({
    code: 'vm/qemu-unsuitable',
    message: expect.stringContaining(says),
  });
});

it('refuses a program that cannot be run', async () => {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, 'qemu');
  await writeFile(path, 'MZ', { mode: 0o755 });
  await expect(locateQemu(deps, { path, env: {} })).rejects.toMatchObject({ code: 'vm/qemu-unsuitable' });
});

it('finds socat, or tells how to install it', async () => {
  await using folder = await temporaryDirectory();
  await expect(locateSocat(deps, { env: { PATH: folder.path } })).rejects.toMatchObject({ code: 'vm/socat-missing' });
  const path = join(folder.path, 'socat');
  await writeFile(path, '', { mode: 0o755 });
  expect(await locateSocat(deps, { env: { PATH: folder.path } })).toBe(path);
});
