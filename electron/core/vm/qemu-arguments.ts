import type { GuestService, MachineStart } from './machine-start.ts';

const mebibyte = 1024 * 1024;
/** Under TCG, translated code is kept up to this; QEMU's own default of 1 GiB is memory that no reservation counts. */
const translationCacheMebibytes = 256;

/**
 * The arguments of QEMU for one run, without the program itself. Pure.
 * The machine is started paused (`-S`): it runs once the supervisor listens to its events and console.
 * @throws RangeError for a service whose address or port cannot be forwarded.
 */
export function qemuArguments(start: MachineStart): string[] {
  const { accelerator, machine, image, paths } = start;
  return [
    ...['-name', `guest=forrest-${start.runId}`, '-uuid', `${start.runId}-0000-4000-8000-000000000000`],
    // Nothing but what is listed here: no default devices, no config files of the host's QEMU, no window.
    ...['-no-user-config', '-nodefaults', '-display', 'none'],
    // A guest that resets (a kernel panic with panic=-1, or `reboot`) ends QEMU: one run is one boot.
    ...['-no-reboot', '-S'],
    ...sandbox(start),
    ...['-machine', 'q35', ...acceleratorArguments(accelerator.kind)],
    ...['-smp', `cpus=${machine.cpus}`, '-m', `size=${Math.floor(machine.memoryBytes / mebibyte)}M`],
    ...['-rtc', 'base=utc'],
    ...['-kernel', image.kernelPath, '-initrd', image.initrdPath, '-append', kernelCommandLine(start)],
    ...disks(start),
    // The guest's random numbers; without it a young guest waits for entropy.
    ...['-object', 'rng-builtin,id=rng', '-device', 'virtio-rng-pci,rng=rng'],
    // Lets a guest with the pvpanic-pci module say that its kernel has panicked.
    ...['-device', 'pvpanic-pci'],
    ...['-netdev', netdev(start)],
    // romfile= leaves out the network boot ROM: the kernel is given above.
    ...['-device', 'virtio-net-pci,netdev=net,romfile='],
    // The app reads the console from the socket and keeps a bounded log of it; a `logfile=` here would grow without end.
    ...['-chardev', `socket,id=console,path=${optionValue(paths.consoleSocket)},server=on,wait=off`],
    ...['-serial', 'chardev:console'],
    ...['-chardev', `socket,id=qmp,path=${optionValue(paths.qmpSocket)},server=on,wait=off`],
    ...['-mon', 'chardev=qmp,mode=control'],
  ];
}

/** The program to start and its arguments: QEMU, or the launcher that confines it and then becomes it. */
export function qemuCommand(start: MachineStart): { program: string; args: string[] } {
  const [program = start.qemu.path, ...args] = [...(start.network?.launcher ?? []), start.qemu.path];
  return { program, args: [...args, ...qemuArguments(start)] };
}

function sandbox({ qemu }: MachineStart): string[] {
  // Not spawn=deny and not elevateprivileges=deny: either kills QEMU at the first connection of the guest to a
  // service, because each is carried by a process of its own (see guestForward).
  return qemu.hasSandbox ? ['-sandbox', 'on,obsolete=deny,resourcecontrol=deny'] : [];
}

function acceleratorArguments(kind: 'kvm' | 'tcg'): string[] {
  return kind === 'kvm'
    ? ['-accel', 'kvm', '-cpu', 'host']
    : ['-accel', `tcg,tb-size=${translationCacheMebibytes}`, '-cpu', 'max'];
}

function kernelCommandLine({ accelerator, image }: MachineStart): string {
  return [
    'console=ttyS0',
    // Kernel messages on an emulated serial port take up to a quarter of the boot.
    'quiet',
    // A panic or oops ends the machine at once instead of leaving it standing.
    'panic=-1',
    'oops=panic',
    // The kernel's check of the timer counts real time; on a busy host without KVM it fails now and then, and panics.
    ...(accelerator.kind === 'tcg' ? ['no_timer_check'] : []),
    ...image.kernelArguments,
  ].join(' ');
}

function disks({ image, paths }: MachineStart): string[] {
  const root =
    image.rootDisk === null
      ? []
      : disk('root', {
          driver: 'qcow2',
          'node-name': 'root',
          // What the guest frees is given back to the host.
          discard: 'unmap',
          // A run's disk dies with the run, so nothing of it needs to survive a power cut.
          cache: { 'no-flush': true },
          file: { driver: 'file', filename: paths.overlay, discard: 'unmap', cache: { 'no-flush': true } },
        });
  const runner =
    image.runnerDisk === null
      ? []
      : disk('runner', {
          driver: image.runnerDisk.format,
          'node-name': 'runner',
          'read-only': true,
          file: { driver: 'file', filename: image.runnerDisk.path, 'read-only': true },
        });
  return [...root, ...runner];
}

/** As JSON, where a path needs no quoting. The guest finds a disk by its serial number. */
function disk(name: string, node: object): string[] {
  return ['-blockdev', JSON.stringify(node), '-device', `virtio-blk-pci,drive=${name},serial=${name}`];
}

function netdev(start: MachineStart): string {
  const isRestricted = start.network === undefined || start.network.kind === 'restricted';
  return [
    'user,id=net',
    // Plain user networking would give the guest the host's loopback, the LAN and the internet; IPv6 has no way to be closed.
    `restrict=${isRestricted ? 'on' : 'off'},ipv6=off`,
    'net=10.0.2.0/24,dhcpstart=10.0.2.15',
    ...start.services.map((service) => optionValue(guestForward(service, start.socatPath))),
  ].join(',');
}

/**
 * A process per connection: a guestfwd to a socket chardev serves one connection in the machine's life, then hangs.
 * `-t 3600`: the default ends the answer half a second after a client that has said all shuts its sending half.
 * `shut-down`: STDIO is one socket twice, and closing one of the two descriptors would not tell the guest of an end.
 */
function guestForward({ address, port, socketPath }: GuestService, socatPath: string): string {
  const host = /^10\.0\.2\.(\d{1,3})$/.exec(address)?.[1];
  if (host === undefined || [2, 3, 15].includes(Number(host)) || Number(host) < 1 || Number(host) > 254) {
    throw new RangeError(`a guest service cannot have the address ${address}`);
  }
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RangeError(`no TCP port: ${port}`);
  const words = [
    socatPath,
    '-t',
    '3600',
    '-b',
    '65536',
    'STDIO,shut-down',
    `UNIX-CONNECT:${socatPathValue(socketPath)}`,
  ];
  return `guestfwd=tcp:${address}:${port}-cmd:${words.map(shellWord).join(' ')}`;
}

/** A value in QEMU's `key=value,...` lists: a comma is written twice. */
function optionValue(value: string): string {
  return value.replaceAll(',', ',,');
}

/** One word for GLib's `g_shell_parse_argv`, with which QEMU's user network takes a command apart. There is no shell. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A path in one of socat's addresses, where these characters part, nest or quote. */
function socatPathValue(path: string): string {
  return path.replaceAll(/[\\,:!"'()[\]{}]/g, (character) => `\\${character}`);
}
