import { expect, it } from 'vitest';
import { findProgram } from '../../../electron/core/vm/program-path.ts';

const filesWith = (...paths: string[]) => ({ isExecutable: async (path: string) => paths.includes(path) });

it('takes the first in PATH, then well-known places', async () => {
  const env = { PATH: '/usr/local/bin:/usr/bin' };
  const files = filesWith('/usr/bin/qemu', '/usr/libexec/qemu-kvm');
  expect(await findProgram(files, ['qemu'], { env }, ['/usr/libexec/qemu-kvm'])).toBe('/usr/bin/qemu');
  const elsewhere = filesWith('/usr/libexec/qemu-kvm');
  expect(await findProgram(elsewhere, ['qemu'], { env }, ['/usr/libexec/qemu-kvm'])).toBe('/usr/libexec/qemu-kvm');
});

it('passes over parts of PATH that depend on the folder we were started in', async () => {
  expect(await findProgram(filesWith('./qemu', 'bin/qemu', 'qemu'), ['qemu'], { env: { PATH: ':.:bin' } })).toBe(
    undefined,
  );
});

it('tries nothing else where the owner names a path', async () => {
  const search = { env: { PATH: '/usr/bin' }, path: '/opt/qemu' };
  expect(await findProgram(filesWith('/usr/bin/qemu'), ['qemu'], search)).toBe(undefined);
  expect(await findProgram(filesWith('/opt/qemu'), ['qemu'], search)).toBe('/opt/qemu');
});
