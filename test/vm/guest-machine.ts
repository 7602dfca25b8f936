import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BootImage } from '../../electron/core/images/boot-image.ts';
import { ImageCatalogue } from '../../electron/core/images/image-catalogue.ts';
import { systemClock } from '../../electron/core/platform/clock.ts';
import { systemDirectories } from '../../electron/core/platform/directories.ts';
import { systemFiles } from '../../electron/core/platform/files.ts';
import { silentLog } from '../../electron/core/platform/log.ts';
import { systemProcesses } from '../../electron/core/platform/processes.ts';
import { systemRandom } from '../../electron/core/platform/random.ts';
import { setupShell } from '../../electron/core/proxy/guest-setup.ts';
import { temporaryDirectory } from '../fakes/temporary-directory.ts';

const gibibyte = 1024 ** 3;

/** The images of whoever runs the tests: built once, then taken from the cache. */
export function ownCatalogue(): ImageCatalogue {
  return new ImageCatalogue(
    { files: systemFiles, processes: systemProcesses, clock: systemClock, random: systemRandom, log: silentLog },
    {
      recipesDirectory: fileURLToPath(new URL('../../vm-images', import.meta.url)),
      cacheDirectory: systemDirectories(process.env).cache,
    },
  );
}

export interface GuestOptions {
  /** Where the guest's requests go that are not for the agent: a stand-in GitLab. */
  gitlabUrl: string;
  /** The runner token the agent is told. */
  token: string;
  memoryMebibytes?: number;
  diskBytes?: number;
  caPem?: string;
  hosts?: readonly { address: string; name: string }[];
  httpProxy?: string;
  /** How many times the agent is told that the app is not ready yet. */
  notReadyCount?: number;
}

/**
 * A machine started by a plain QEMU command under TCG, with a stand-in of its listener: what an image needs to show
 * that it boots, without the rooms that start machines in the product.
 */
export class GuestMachine implements AsyncDisposable {
  /** Milliseconds from the start of QEMU to the first request. */
  readonly firstRequest: Promise<number>;
  /** Resolves with the milliseconds QEMU ran. */
  readonly ended: Promise<number>;
  readonly requests: string[] = [];
  #console = '';
  readonly #qemu: ChildProcess;
  readonly #qmpPath: string;
  readonly #stack: AsyncDisposableStack;

  private constructor(at: {
    qemu: ChildProcess;
    server: Server;
    qmpPath: string;
    options: GuestOptions;
    stack: AsyncDisposableStack;
  }) {
    const startedMs = performance.now();
    this.#qemu = at.qemu;
    this.#qmpPath = at.qmpPath;
    this.#stack = at.stack;
    this.#qemu.stdout?.on('data', (chunk: Buffer) => {
      this.#console += chunk.toString();
    });
    this.#qemu.stderr?.on('data', (chunk: Buffer) => {
      this.#console += chunk.toString();
    });
    this.ended = once(this.#qemu, 'close').then(() => performance.now() - startedMs);
    const first = Promise.withResolvers<number>();
    this.firstRequest = first.promise;
    answerGuest(at.server, at.options, (line) => {
      this.requests.push(line);
      first.resolve(performance.now() - startedMs);
    });
  }

  /** @param catalogue Makes the overlay of an image with a root disk. */
  static async start(catalogue: ImageCatalogue, image: BootImage, options: GuestOptions): Promise<GuestMachine> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await temporaryDirectory());
    const [listener, overlay, qmpPath] = ['proxy', 'overlay.qcow2', 'qmp'].map((name) => join(folder.path, name)) as [
      string,
      string,
      string,
    ];
    const server = createServer();
    server.listen(listener);
    await once(server, 'listening');
    stack.defer(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    if (image.rootDisk !== null) await catalogue.createOverlay(image, overlay, options.diskBytes ?? 4 * gibibyte);
    const qemu = spawn('qemu-system-x86_64', [
      ...['-no-user-config', '-nodefaults', '-display', 'none', '-no-reboot'],
      ...['-machine', 'q35', '-accel', 'tcg,tb-size=256', '-cpu', 'max', '-smp', '1'],
      ...['-m', `${options.memoryMebibytes ?? 512}M`, '-kernel', image.kernelPath, '-initrd', image.initrdPath],
      ...['-append', ['console=ttyS0 quiet panic=-1 oops=panic no_timer_check', ...image.kernelArguments].join(' ')],
      ...(image.rootDisk === null ? [] : drive('root', overlay, 'qcow2')),
      ...(image.runnerDisk === null ? [] : drive('runner', image.runnerDisk.path, image.runnerDisk.format)),
      ...['-object', 'rng-builtin,id=rng', '-device', 'virtio-rng-pci,rng=rng', '-device', 'pvpanic-pci'],
      '-netdev',
      `user,id=net,restrict=on,ipv6=off,guestfwd=tcp:10.0.2.100:80-cmd:/usr/bin/socat -t 3600 STDIO UNIX-CONNECT:${listener}`,
      ...['-device', 'virtio-net-pci,netdev=net,romfile=', '-chardev', 'stdio,id=console,signal=off'],
      ...['-serial', 'chardev:console', '-qmp', `unix:${qmpPath},server=on,wait=off`],
    ]);
    stack.defer(async () => {
      qemu.kill('SIGKILL');
      if (qemu.exitCode === null && qemu.signalCode === null) await once(qemu, 'close');
    });
    return new GuestMachine({ qemu, server, qmpPath, options, stack: stack.move() });
  }

  /** What the guest has written to its serial console, and QEMU to its error output. */
  get console(): string {
    return this.#console.replaceAll('\r', '');
  }

  /** Presses the power button. */
  async pressPowerButton(): Promise<void> {
    const commands = ['qmp_capabilities', 'system_powerdown'].map((execute) => JSON.stringify({ execute })).join('\n');
    const result = await systemProcesses.run('socat', ['-t', '5', 'STDIO', `UNIX-CONNECT:${this.#qmpPath}`], {
      input: `${commands}\n`,
    });
    if (!result.stdout.includes('POWERDOWN')) throw new Error(`no power button: ${result.stdout}${result.stderr}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

function drive(name: string, path: string, format: string): string[] {
  const isReadOnly = name === 'runner' ? ',readonly=on' : '';
  return [
    ...['-drive', `if=none,id=${name},file=${path},format=${format},cache=unsafe${isReadOnly}`],
    ...['-device', `virtio-blk-pci,drive=${name},serial=${name}`],
  ];
}

function answerGuest(server: Server, options: GuestOptions, onRequest: (line: string) => void): void {
  let notReadyCount = options.notReadyCount ?? 0;
  server.on('request', (incoming, response) => {
    onRequest(`${incoming.method} ${incoming.url}`);
    if (incoming.url === '/bench/v1/run?format=sh') {
      notReadyCount -= 1;
      response.statusCode = notReadyCount >= 0 ? 503 : 200;
      response.end(notReadyCount >= 0 ? '' : setup(options));
      return;
    }
    const outgoing = request(new URL(incoming.url ?? '/', options.gitlabUrl), {
      method: incoming.method ?? 'GET',
      headers: incoming.headers,
    });
    incoming.pipe(outgoing);
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
  });
}

function setup(options: GuestOptions): string {
  return setupShell({
    url: 'http://10.0.2.100/',
    token: options.token,
    runnerName: 'bench of a test',
    cloneUrl: null,
    executor: 'shell',
    shell: 'bash',
    buildsDirectory: '/builds',
    outputLimitKib: 4096,
    hosts: options.hosts ?? [],
    httpProxy: options.httpProxy ?? null,
    noProxy: ['10.0.2.100'],
    caPem: options.caPem ?? null,
    waitTimeoutSeconds: 60,
    epochSeconds: Math.floor(Date.now() / 1000),
  });
}
