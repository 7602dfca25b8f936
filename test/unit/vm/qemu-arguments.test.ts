import { expect, it } from 'vitest';
import { runIdSchema } from '../../../electron/contract/ids.ts';
import type { MachineStart } from '../../../electron/core/vm/machine-start.ts';
import { qemuArguments, qemuCommand } from '../../../electron/core/vm/qemu-arguments.ts';
import { runPaths } from '../../../electron/core/vm/run-directory.ts';

const runId = runIdSchema.parse('0badcafe');

function aStart(changes: Partial<MachineStart> = {}): MachineStart {
  const paths = runPaths({ runs: '/state/runs', sockets: '/run/fb' }, runId);
  return {
    runId,
    qemu: { path: '/usr/bin/qemu-system-x86_64', hasSandbox: true },
    accelerator: { kind: 'kvm' },
    machine: { cpus: 4, memoryBytes: 8 * 1024 ** 3 },
    image: {
      kernelPath: '/cache/debian/vmlinuz',
      initrdPath: '/cache/debian/initrd',
      kernelArguments: ['fb.root=root', 'lsm='],
      rootDisk: { path: '/cache/debian/root.raw', format: 'raw', sizeBytes: 4 * 1024 ** 3 },
      runnerDisk: { path: '/cache/debian/runner.raw', format: 'raw', sizeBytes: 64 * 1024 ** 2 },
    },
    paths,
    services: [
      { address: '10.0.2.100', port: 80, socketPath: paths.proxySocket },
      { address: '10.0.2.100', port: 3128, socketPath: paths.egressSocket },
    ],
    socatPath: '/usr/bin/socat',
    ...changes,
  };
}

function valueAfter(args: readonly string[], option: string): string | undefined {
  return args[args.indexOf(option) + 1];
}

it('gives a machine under KVM its disks, its services and nothing else', () => {
  expect(qemuArguments(aStart())).toEqual([
    ...['-name', 'guest=forrest-0badcafe', '-uuid', '0badcafe-0000-4000-8000-000000000000'],
    ...['-no-user-config', '-nodefaults', '-display', 'none', '-no-reboot', '-S'],
    ...['-sandbox', 'on,obsolete=deny,resourcecontrol=deny'],
    ...['-machine', 'q35', '-accel', 'kvm', '-cpu', 'host', '-smp', 'cpus=4', '-m', 'size=8192M', '-rtc', 'base=utc'],
    ...['-kernel', '/cache/debian/vmlinuz', '-initrd', '/cache/debian/initrd'],
    ...['-append', 'console=ttyS0 quiet panic=-1 oops=panic fb.root=root lsm='],
    '-blockdev',
    '{"driver":"qcow2","node-name":"root","discard":"unmap","cache":{"no-flush":true},"file":{"driver":"file",' +
      '"filename":"/state/runs/0badcafe/overlay.qcow2","discard":"unmap","cache":{"no-flush":true}}}',
    ...['-device', 'virtio-blk-pci,drive=root,serial=root'],
    '-blockdev',
    '{"driver":"raw","node-name":"runner","read-only":true,"file":{"driver":"file",' +
      '"filename":"/cache/debian/runner.raw","read-only":true}}',
    ...['-device', 'virtio-blk-pci,drive=runner,serial=runner'],
    ...['-object', 'rng-builtin,id=rng', '-device', 'virtio-rng-pci,rng=rng', '-device', 'pvpanic-pci'],
    '-netdev',
    'user,id=net,restrict=on,ipv6=off,net=10.0.2.0/24,dhcpstart=10.0.2.15,' +
      'guestfwd=tcp:10.0.2.100:80-cmd:/usr/bin/socat -t 3600 -b 65536 STDIO,,shut-down UNIX-CONNECT:/run/fb/0badcafe/p,' +
      'guestfwd=tcp:10.0.2.100:3128-cmd:/usr/bin/socat -t 3600 -b 65536 STDIO,,shut-down UNIX-CONNECT:/run/fb/0badcafe/e',
    ...['-device', 'virtio-net-pci,netdev=net,romfile='],
    ...['-chardev', 'socket,id=console,path=/run/fb/0badcafe/c,server=on,wait=off', '-serial', 'chardev:console'],
    ...['-chardev', 'socket,id=qmp,path=/run/fb/0badcafe/q,server=on,wait=off', '-mon', 'chardev=qmp,mode=control'],
  ]);
});

it('gives a machine under TCG a bounded cache of code and no disks where its image has none', () => {
  const start = aStart({
    accelerator: { kind: 'tcg' },
    qemu: { path: '/usr/bin/qemu-system-x86_64', hasSandbox: false },
    machine: { cpus: 1, memoryBytes: 300_000_000 },
    image: { kernelPath: '/k', initrdPath: '/i', kernelArguments: [], rootDisk: null, runnerDisk: null },
    services: [],
  });
  expect(qemuArguments(start)).toEqual([
    ...['-name', 'guest=forrest-0badcafe', '-uuid', '0badcafe-0000-4000-8000-000000000000'],
    ...['-no-user-config', '-nodefaults', '-display', 'none', '-no-reboot', '-S'],
    ...['-machine', 'q35', '-accel', 'tcg,tb-size=256', '-cpu', 'max', '-smp', 'cpus=1', '-m', 'size=286M'],
    ...['-rtc', 'base=utc', '-kernel', '/k', '-initrd', '/i'],
    ...['-append', 'console=ttyS0 quiet panic=-1 oops=panic no_timer_check'],
    ...['-object', 'rng-builtin,id=rng', '-device', 'virtio-rng-pci,rng=rng', '-device', 'pvpanic-pci'],
    ...['-netdev', 'user,id=net,restrict=on,ipv6=off,net=10.0.2.0/24,dhcpstart=10.0.2.15'],
    ...['-device', 'virtio-net-pci,netdev=net,romfile='],
    ...['-chardev', 'socket,id=console,path=/run/fb/0badcafe/c,server=on,wait=off', '-serial', 'chardev:console'],
    ...['-chardev', 'socket,id=qmp,path=/run/fb/0badcafe/q,server=on,wait=off', '-mon', 'chardev=qmp,mode=control'],
  ]);
});

it('quotes a socket path for QEMU, for GLib and for socat, each in its own way', () => {
  const services = [{ address: '10.0.2.100', port: 80, socketPath: "/home/jo d'or,a:b/p" }];
  expect(valueAfter(qemuArguments(aStart({ services })), '-netdev')).toBe(
    'user,id=net,restrict=on,ipv6=off,net=10.0.2.0/24,dhcpstart=10.0.2.15,guestfwd=tcp:10.0.2.100:80-cmd:' +
      `/usr/bin/socat -t 3600 -b 65536 STDIO,,shut-down 'UNIX-CONNECT:/home/jo d\\'\\''or\\,,a\\:b/p'`,
  );
});

it('opens the network of a routed machine only behind its launcher', () => {
  const start = aStart({ network: { kind: 'routed', launcher: ['/usr/bin/pasta', '--config-net', '--'] } });
  const { program, args } = qemuCommand(start);
  expect([program, ...args]).toEqual([
    ...['/usr/bin/pasta', '--config-net', '--', '/usr/bin/qemu-system-x86_64'],
    ...qemuArguments(start),
  ]);
  expect(valueAfter(args, '-netdev')).toContain('user,id=net,restrict=off,ipv6=off,');
});

it('starts QEMU itself where there is no launcher', () => {
  const start = aStart({ network: { kind: 'restricted' } });
  expect(qemuCommand(start)).toEqual({ program: '/usr/bin/qemu-system-x86_64', args: qemuArguments(start) });
});

it.each([
  { address: '10.0.2.2', port: 80 },
  { address: '10.0.2.15', port: 80 },
  { address: '10.0.2.255', port: 80 },
  { address: '192.168.1.1', port: 80 },
  { address: '10.0.2.100,hostfwd=tcp::1-:1', port: 80 },
  { address: '10.0.2.100', port: 0 },
  { address: '10.0.2.100', port: 80.5 },
])('refuses a service at $address:$port', ({ address, port }) => {
  const start = aStart({ services: [{ address, port, socketPath: '/run/fb/p' }] });
  expect(() => qemuArguments(start)).toThrow(RangeError);
});
