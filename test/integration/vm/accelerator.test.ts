import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Files, systemFiles } from '../../../electron/core/platform/files.ts';
import { type Processes, systemProcesses } from '../../../electron/core/platform/processes.ts';
import { overruleKvm, type ProbeOptions, probeAccelerator } from '../../../electron/core/vm/accelerator.ts';
import type { Behaviour } from '../../fakes/qemu/behaviour.ts';
import { installFakeQemu } from '../../fakes/qemu/install-fake-qemu.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

interface Host {
  /** Why `/dev/kvm` does not open; undefined where it does. */
  kvmCode?: string;
  bootId?: string;
}

/** A host with a fake QEMU, whose probes are counted. */
async function aHost(probe: Behaviour['probe'], host: Host = {}) {
  const folder = await temporaryDirectory();
  const qemu = await installFakeQemu(folder.path, { probe });
  const probes: string[] = [];
  const files: Files = {
    ...systemFiles,
    whyNotOpened: async () => host.kvmCode,
    readText: async (path) => (path.endsWith('boot_id') ? (host.bootId ?? 'first boot') : systemFiles.readText(path)),
  };
  const processes: Processes = {
    ...systemProcesses,
    run(program, args, options) {
      const accelerator = args[args.indexOf('-accel') + 1] ?? '';
      probes.push(`${accelerator} ${options?.timeoutMs} ms`);
      return systemProcesses.run(program, args, options);
    },
  };
  const options: ProbeOptions = {
    qemu: { path: qemu.path, version: '7.2.22' },
    scratchDirectory: join(folder.path, 'scratch'),
    cachePath: join(folder.path, 'accelerator.json'),
  };
  const deps = { files, processes };
  return { deps, options, host, probes, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

it('uses KVM where the guest runs under it, and leaves no disk behind', async () => {
  await using bench = await aHost({ kvm: 'passes', tcg: 'passes' });
  expect(await probeAccelerator(bench.deps, bench.options)).toEqual({ kind: 'kvm', why: 'a test guest ran under KVM' });
  expect(bench.probes).toEqual(['kvm 3000 ms']);
  expect(await systemFiles.list(bench.options.scratchDirectory)).toEqual([]);
});

it.each([
  {
    name: 'a guest hangs under it',
    probe: { kvm: 'hangs', tcg: 'passes' } as const,
    host: {},
    code: 'vm/kvm-unusable',
    why: 'KVM does not run a real kernel here: a test guest hung for 3 seconds (it stopped after "W"), so machines run under TCG, which is slower',
    probes: ['kvm 3000 ms', 'tcg 20000 ms'],
  },
  {
    name: 'QEMU aborts under it',
    probe: { kvm: 'aborts', tcg: 'passes' } as const,
    host: {},
    code: 'vm/kvm-unusable',
    why: 'KVM does not run a real kernel here: QEMU ended with SIGABRT: qemu-system-x86_64: error: failed to set MSR 0x10a to 0x69, so machines run under TCG, which is slower',
    probes: ['kvm 3000 ms', 'tcg 20000 ms'],
  },
  {
    name: 'the host has none',
    probe: { kvm: 'passes', tcg: 'passes' } as const,
    host: { kvmCode: 'ENOENT' },
    code: 'vm/kvm-absent',
    why: 'this PC offers no KVM (/dev/kvm: ENOENT), so machines run under TCG, which is slower',
    probes: ['tcg 20000 ms'],
  },
  {
    name: 'the user may not',
    probe: { kvm: 'passes', tcg: 'passes' } as const,
    host: { kvmCode: 'EACCES' },
    code: 'vm/kvm-denied',
    why: 'you may not use KVM (/dev/kvm: EACCES), so machines run under TCG, which is slower',
    probes: ['tcg 20000 ms'],
  },
  {
    name: 'a container may not',
    probe: { kvm: 'passes', tcg: 'passes' } as const,
    host: { kvmCode: 'EPERM' },
    code: 'vm/kvm-denied',
    why: 'this container may not use KVM (/dev/kvm: EPERM), so machines run under TCG, which is slower',
    probes: ['tcg 20000 ms'],
  },
])('uses TCG where $name, and says so with a remedy', async ({ probe, host, code, why, probes }) => {
  await using bench = await aHost(probe, host);
  const accelerator = await probeAccelerator(bench.deps, bench.options);
  expect(accelerator).toMatchObject({ kind: 'tcg', why, problem: { code, remedy: expect.stringMatching(/\.$/) } });
  expect(bench.probes).toEqual(probes);
});

it('says that nothing runs here, and asks again the next time', async () => {
  await using bench = await aHost({ kvm: 'denied', tcg: 'denied' });
  for (const _time of [1, 2]) {
    await expect(probeAccelerator(bench.deps, bench.options)).rejects.toMatchObject({
      code: 'vm/accelerator-none',
      message: expect.stringMatching(/^No machine runs here\. KVM: .*Permission denied\. TCG: .*Permission denied$/),
    });
  }
  expect(bench.probes).toEqual(['kvm 3000 ms', 'tcg 20000 ms', 'tcg 20000 ms']);
});

it('asks again after a reboot, with another QEMU, when told to, and when the cache is no verdict', async () => {
  await using bench = await aHost({ kvm: 'passes', tcg: 'passes' });
  const probe = (changes: Partial<ProbeOptions> = {}) => probeAccelerator(bench.deps, { ...bench.options, ...changes });
  const first = await probe();
  expect(await probe()).toEqual(first);
  expect(bench.probes.length).toBe(1);
  await probe({ qemu: { ...bench.options.qemu, version: '10.0.2' } });
  expect(bench.probes.length).toBe(2);
  bench.host.bootId = 'second boot';
  await probe({ qemu: { ...bench.options.qemu, version: '10.0.2' } });
  expect(bench.probes.length).toBe(3);
  await probe({ isRenewed: true });
  expect(bench.probes.length).toBe(4);
  await writeFile(bench.options.cachePath, '{"bootId": 7}');
  expect(await probe()).toEqual(first);
  await writeFile(bench.options.cachePath, 'half a fi');
  expect(await probe()).toEqual(first);
  expect(bench.probes.length).toBe(6);
});

it('notices without a reboot that the user was let in', async () => {
  await using bench = await aHost({ kvm: 'passes', tcg: 'passes' }, { kvmCode: 'EACCES' });
  expect((await probeAccelerator(bench.deps, bench.options)).kind).toBe('tcg');
  delete bench.host.kvmCode;
  expect((await probeAccelerator(bench.deps, bench.options)).kind).toBe('kvm');
});

it('uses KVM no more once machines have failed to boot under it', async () => {
  await using bench = await aHost({ kvm: 'passes', tcg: 'passes' });
  await probeAccelerator(bench.deps, bench.options);
  await overruleKvm(bench.deps, bench.options, 'two machines in a row did not boot');
  expect(await probeAccelerator(bench.deps, bench.options)).toMatchObject({
    kind: 'tcg',
    why: 'KVM does not run a real kernel here: two machines in a row did not boot, so machines run under TCG, which is slower',
  });
  expect(JSON.parse(await readFile(bench.options.cachePath, 'utf8'))).toMatchObject({ bootId: 'first boot' });
});
