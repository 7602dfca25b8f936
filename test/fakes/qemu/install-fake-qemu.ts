import { chmod, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Behaviour } from './behaviour.ts';

const launcher = fileURLToPath(new URL('qemu-system-x86_64', import.meta.url));

/** A program to start in place of QEMU, and what it is told. */
export interface FakeQemu {
  path: string;
  /** Takes effect at the fake's next decision, in machines that run already too. */
  behave(behaviour: Partial<Behaviour>): Promise<void>;
}

/** Path of a guest script of `test/fakes/qemu/guests`. */
export function guestScript(name: string): string {
  return fileURLToPath(new URL(`guests/${name}.ts`, import.meta.url));
}

/** Puts a fake QEMU into `folder`, a test's own, with a behaviour of its own: tests that run side by side share none. */
export async function installFakeQemu(folder: string, behaviour: Partial<Behaviour> = {}): Promise<FakeQemu> {
  const path = join(folder, 'qemu-system-x86_64');
  const controlPath = join(folder, 'fake-qemu.json');
  const behave = async (next: Partial<Behaviour>) => {
    await writeFile(`${controlPath}.new`, JSON.stringify(next));
    await rename(`${controlPath}.new`, controlPath);
  };
  await behave(behaviour);
  const quoted = (value: string) => `'${value.replaceAll("'", "'\\''")}'`;
  await writeFile(path, `#!/bin/sh\nFAKE_QEMU_CONTROL=${quoted(controlPath)} exec ${quoted(launcher)} "$@"\n`);
  await chmod(path, 0o755);
  return { path, behave };
}
