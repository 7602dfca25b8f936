import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import type { FakeMachineArguments } from './arguments.ts';
import type { Behaviour } from './behaviour.ts';
import type { FakeGuest, GuestScript } from './guest.ts';
import { ended, listenAt, Monitor } from './monitor.ts';

/** A machine without a processor: QEMU's sockets, statuses and events, and a guest that is a script. */
export class FakeMachine {
  readonly #args: FakeMachineArguments;
  readonly #behaviour: () => Behaviour;
  readonly #monitor: Monitor;
  readonly #ending = new AbortController();
  readonly #consoles = new Set<Socket>();
  #status: 'prelaunch' | 'running' | 'paused' | 'io-error' | 'internal-error' | 'guest-panicked' = 'prelaunch';
  #hasBooted = false;
  #onPowerdown: (() => void) | undefined;

  constructor(args: FakeMachineArguments, behaviour: () => Behaviour) {
    this.#args = args;
    this.#behaviour = behaviour;
    this.#monitor = new Monitor(
      behaviour().version,
      () => behaviour().qmp,
      (command) => this.#execute(command),
    );
  }

  /** Makes its sockets and, unless it was told to wait, runs the guest. */
  async start(): Promise<void> {
    const { monitor, serial, socketsById } = this.#args;
    const consolePath = serial === undefined ? undefined : socketsById[serial];
    const monitorPath = monitor === undefined ? undefined : socketsById[monitor];
    const consoleServer = createServer((socket) => {
      this.#consoles.add(socket);
      socket.on('error', () => {});
      socket.on('data', () => {});
      socket.once('close', () => this.#consoles.delete(socket));
    });
    if (consolePath !== undefined) await listenAt(consoleServer, consolePath);
    if (monitorPath !== undefined) await this.#monitor.listen(monitorPath);
    process.on('SIGTERM', () => this.#shutDown(false, 'host-signal'));
    if (!this.#args.isPaused) this.#continue();
  }

  #execute(command: string): { result: unknown } | { error: { class: string; desc: string } } {
    switch (command) {
      case 'query-status': {
        const status = this.#status;
        return { result: { status, singlestep: false, running: status === 'running' } };
      }
      case 'cont':
        this.#continue();
        return { result: {} };
      case 'stop':
        this.#pause('paused');
        return { result: {} };
      case 'system_powerdown':
        this.#monitor.send('POWERDOWN');
        this.#pressPowerButton();
        return { result: {} };
      case 'quit':
        if (!this.#behaviour().ignoresQuit) this.#shutDown(false, 'host-qmp-quit');
        return { result: {} };
      default:
        return { error: { class: 'CommandNotFound', desc: `The command ${command} has not been found` } };
    }
  }

  #continue(): void {
    this.#monitor.send('RESUME');
    this.#status = 'running';
    if (this.#hasBooted) return;
    this.#hasBooted = true;
    // After the answer to `cont`, as a guest would.
    setImmediate(() => void this.#boot());
  }

  #pause(status: 'paused' | 'io-error' | 'internal-error' | 'guest-panicked'): void {
    this.#status = status;
    this.#monitor.send('STOP');
  }

  async #boot(): Promise<void> {
    const behaviour = this.#behaviour();
    const machine = this.#guest();
    if (behaviour.boot !== 'never') machine.print('[    0.000000] Linux version 0.0.0-fake\r\n');
    switch (behaviour.boot) {
      case 'never':
        break;
      case 'boots':
        if (behaviour.guest !== null) await this.#play(behaviour.guest, machine);
        break;
      case 'panics':
      case 'reports-panic':
        machine.panic({ isReported: behaviour.boot === 'reports-panic' });
        break;
      case 'powers-off':
        machine.powerOff();
        break;
      case 'resets':
        machine.reset();
        break;
      case 'fills-disk':
        machine.fillDisk();
        break;
      case 'breaks':
        process.stderr.write('KVM internal error. Suberror: 1\n');
        this.#pause('internal-error');
        break;
      case 'crashes':
        machine.crash(139, 'Segmentation fault');
        break;
    }
  }

  async #play(path: string, machine: FakeGuest): Promise<void> {
    try {
      const { guest }: { guest: GuestScript } = await import(pathToFileURL(path).href);
      await guest(machine);
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      machine.print(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\r\n`);
      machine.panic({ isReported: false });
    }
  }

  #guest(): FakeGuest {
    const { name, services, kernelArguments, memoryBytes, cpus, disks } = this.#args;
    return {
      runId: name.replace(/^forrest-/, ''),
      services,
      kernelArguments,
      memoryBytes,
      cpus,
      disks,
      signal: this.#ending.signal,
      get proxySocketPath() {
        const proxy = services.find(({ address, port }) => address === '10.0.2.100' && port === 80);
        if (proxy === undefined) throw new Error('this machine has no service at 10.0.2.100:80');
        return proxy.socketPath;
      },
      print: (text) => {
        for (const socket of this.#consoles) socket.write(text);
      },
      onPowerdown: (handler) => {
        this.#onPowerdown = handler;
      },
      powerOff: () => this.#shutDown(true, 'guest-shutdown'),
      reset: () => this.#shutDown(true, 'guest-reset'),
      panic: ({ isReported }) => this.#panic(isReported),
      fillDisk: () => {
        const device = { device: '', 'node-name': 'root', operation: 'write', action: 'stop' };
        this.#monitor.send('BLOCK_IO_ERROR', { ...device, nospace: true, reason: 'No space left on device' });
        this.#pause('io-error');
      },
      crash: (exitCode, stderr) => {
        process.stderr.write(`${stderr}\n`);
        process.exit(exitCode);
      },
    };
  }

  #panic(isReported: boolean): void {
    for (const socket of this.#consoles) {
      socket.write('[    1.000000] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100\r\n');
    }
    if (!isReported) {
      this.#shutDown(true, 'guest-reset');
      return;
    }
    this.#monitor.send('GUEST_PANICKED', { action: 'poweroff' });
    this.#pause('guest-panicked');
    this.#shutDown(true, 'guest-panic');
  }

  #pressPowerButton(): void {
    if (this.#status !== 'running' || this.#behaviour().ignoresPowerdown) return;
    if (this.#onPowerdown !== undefined) this.#onPowerdown();
    else if (this.#behaviour().boot === 'boots') this.#shutDown(true, 'guest-shutdown');
  }

  /** A clean end: the event, what is still to be sent, no socket left behind, exit code 0. */
  #shutDown(isGuest: boolean, reason: string): void {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort();
    this.#monitor.send('SHUTDOWN', { guest: isGuest, reason });
    for (const path of Object.values(this.#args.socketsById)) rmSync(path, { force: true });
    // After a turn, in which the command that brought this about is answered.
    setImmediate(async () => {
      await Promise.all([this.#monitor.end(), ...[...this.#consoles].map(ended)]);
      process.exit(0);
    });
  }
}
