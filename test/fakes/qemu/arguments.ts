import { existsSync } from 'node:fs';
import type { FakeGuestService } from './guest.ts';

/** QEMU's own words for an argument list it cannot use. */
export class ArgumentError extends Error {
  /** What it puts before them; a kernel that is missing is told by another part of it. */
  readonly prefix: string;

  constructor(message: string, prefix = 'qemu-system-x86_64') {
    super(message);
    this.prefix = prefix;
  }
}

/** What the fake takes from its arguments. */
export interface FakeMachineArguments {
  name: string;
  isPaused: boolean;
  kernelArguments: string[];
  memoryBytes: number;
  cpus: number;
  accelerator: string;
  disks: Record<string, string>;
  services: FakeGuestService[];
  /** Socket paths by the id of their chardev. */
  socketsById: Record<string, string>;
  serial: string | undefined;
  monitor: string | undefined;
  isProbe: boolean;
}

const flags = ['-no-user-config', '-nodefaults', '-no-reboot', '-S', '--version', '-version'];
const withValue =
  '-name -uuid -display -sandbox -machine -accel -cpu -smp -m -rtc -kernel -initrd -append -blockdev -device -object -netdev -chardev -serial -mon'.split(
    ' ',
  );

/** Options in the order given; `value` is empty for flags. */
export function splitArguments(args: readonly string[]): { option: string; value: string }[] {
  const options: { option: string; value: string }[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const option = args[index] ?? '';
    if (flags.includes(option)) {
      options.push({ option, value: '' });
    } else if (withValue.includes(option)) {
      const value = args[index + 1];
      if (value === undefined) throw new ArgumentError(`${option}: requires an argument`);
      options.push({ option, value });
      index += 1;
    } else {
      throw new ArgumentError(`${option}: invalid option`);
    }
  }
  return options;
}

/** Checks what QEMU checks of it (files, paths of sockets, references) and reads what a fake machine needs. */
export function readArguments(args: readonly string[]): FakeMachineArguments {
  const options = splitArguments(args);
  const valuesOf = (name: string) => options.filter(({ option }) => option === name).map(({ value }) => value);
  const keyed = (name: string) => valuesOf(name).map(keyValues);

  for (const name of ['-kernel', '-initrd']) {
    for (const path of valuesOf(name)) {
      if (!existsSync(path))
        throw new ArgumentError(`could not open kernel file '${path}': No such file or directory`, 'qemu');
    }
  }
  const disksByNode = new Map(valuesOf('-blockdev').map(readBlockdev));
  const devices = keyed('-device');
  const disks: Record<string, string> = {};
  for (const device of devices.filter(([driver]) => driver?.key === 'virtio-blk-pci')) {
    const node = valueIn(device, 'drive') ?? '';
    const path = disksByNode.get(node);
    if (path === undefined)
      throw new ArgumentError(`-device virtio-blk-pci: Cannot find device='' nor node-name='${node}'`);
    disks[valueIn(device, 'serial') ?? node] = path;
  }
  const socketsById = Object.fromEntries(
    keyed('-chardev').map((chardev) => [valueIn(chardev, 'id') ?? '', checkSocketPath(valueIn(chardev, 'path') ?? '')]),
  );
  const serial = valuesOf('-serial').at(-1);
  return {
    name: (valuesOf('-name').at(-1) ?? '').replace(/^guest=/, ''),
    isPaused: options.some(({ option }) => option === '-S'),
    kernelArguments: (valuesOf('-append').at(-1) ?? '').split(' ').filter((word) => word !== ''),
    memoryBytes: Number(/^(?:size=)?(\d+)M?$/.exec(valuesOf('-m').at(-1) ?? '128')?.[1]) * 1024 * 1024,
    cpus: Number(/^(?:cpus=)?(\d+)/.exec(valuesOf('-smp').at(-1) ?? '1')?.[1]),
    accelerator: (valuesOf('-accel').at(-1) ?? 'tcg').split(',')[0] ?? 'tcg',
    disks,
    services: keyed('-netdev').flatMap((netdev) =>
      netdev.filter(({ key }) => key === 'guestfwd').map(({ value }) => readGuestForward(value)),
    ),
    socketsById,
    serial: serial?.startsWith('chardev:') === true ? serial.slice('chardev:'.length) : undefined,
    monitor: keyed('-mon').map((monitor) => valueIn(monitor, 'chardev'))[0],
    isProbe: devices.some(([driver]) => driver?.key === 'isa-debug-exit'),
  };
}

type KeyValue = { key: string; value: string };

/** QEMU's `a=b,c=d` with doubled commas; a part without `=` is a key of its own. */
function keyValues(text: string): KeyValue[] {
  return text.split(/(?<!,),(?!,)|(?<=(?:,,)+),(?!,)/).map((part) => {
    const [key = '', ...rest] = part.replaceAll(',,', ',').split('=');
    return { key, value: rest.join('=') };
  });
}

function valueIn(list: readonly KeyValue[], key: string): string | undefined {
  return list.find((entry) => entry.key === key)?.value;
}

function readBlockdev(text: string): [node: string, path: string] {
  const node: { 'node-name': string; file: { filename: string } } = JSON.parse(text);
  const path = node.file.filename;
  if (!existsSync(path))
    throw new ArgumentError(`-blockdev ${text}: Could not open '${path}': No such file or directory`);
  return [node['node-name'], path];
}

function checkSocketPath(path: string): string {
  if (Buffer.byteLength(path) > 107) {
    throw new ArgumentError(`-chardev: UNIX socket path '${path}' is too long\nPath must be less than 108 bytes`);
  }
  return path;
}

/** `tcp:ADDRESS:PORT-cmd:WORDS`, of which the last word is `UNIX-CONNECT:PATH`. */
function readGuestForward(value: string): FakeGuestService {
  const match = /^tcp:([\d.]+):(\d+)-cmd:(.*)$/.exec(value);
  const target = shellWords(match?.[3] ?? '').at(-1) ?? '';
  if (match === null || !target.startsWith('UNIX-CONNECT:')) {
    throw new ArgumentError(`-netdev user: conflicting/invalid host forwarding rule '${value}'`);
  }
  const socketPath = target.slice('UNIX-CONNECT:'.length).replaceAll(/\\(.)/g, '$1');
  return { address: match[1] ?? '', port: Number(match[2]), socketPath };
}

/** Words as GLib's `g_shell_parse_argv` takes them apart: blanks, single quotes, backslashes. */
function shellWords(text: string): string[] {
  const words = text.match(/(?:'[^']*'|\\.|[^\s'\\])+/g) ?? [];
  return words.map((word) => word.replaceAll(/'([^']*)'|\\(.)/g, (_all, quoted, escaped) => quoted ?? escaped));
}
