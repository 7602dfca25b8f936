import { createHash } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import type { PlatformDeps } from '../core/platform/deps.ts';
import type { Directories } from '../core/platform/directories.ts';
import { lockFile } from '../core/platform/file-lock.ts';
import { HeadlessError } from './headless-error.ts';

type InstanceDeps = Pick<PlatformDeps, 'clock' | 'files'>;
type InstanceDirectories = Pick<Directories, 'state' | 'sockets'>;

const instanceSchema = z.object({
  pid: z.int().positive(),
  startedAt: z.int().nonnegative(),
  /** With the access token in it; the socket is in a folder of this user alone. */
  address: z.string().max(1000).nullable(),
});
export type Instance = z.infer<typeof instanceSchema>;

const socketPathLimitBytes = 107;
const askMs = 2000;
const answerLimitBytes = 4096;

/**
 * The one bench of a state folder. The lock is a file lock, which the kernel drops with the process however that ends;
 * the socket beside it only tells others who holds it.
 */
export class SingleInstance implements AsyncDisposable {
  readonly #lock: Disposable;
  readonly #server: Server;
  readonly #instance: Instance;

  private constructor(lock: Disposable, server: Server, instance: Instance) {
    this.#lock = lock;
    this.#server = server;
    this.#instance = instance;
  }

  /** @throws HeadlessError `headless/already-running`, `headless/path-too-long`. */
  static async take(deps: InstanceDeps, directories: InstanceDirectories): Promise<SingleInstance> {
    const { state } = directories;
    await deps.files.makeDirectory(state);
    const socketPath = instanceSocketPath(directories);
    const lock = lockFile(join(state, 'instance.lock'));
    if (lock === undefined) throw alreadyRunning(state, await SingleInstance.ask(deps, directories));
    try {
      // Holding the lock, a socket file that is still there belongs to nobody.
      await deps.files.remove(socketPath);
      await deps.files.makeDirectory(directories.sockets);
      const instance: Instance = { pid: process.pid, startedAt: deps.clock.now(), address: null };
      const server = createServer((connection) => {
        connection.on('error', () => {});
        connection.end(JSON.stringify(instance));
      });
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(socketPath, resolve);
      });
      return new SingleInstance(lock, server, instance);
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /** Who holds the lock, or undefined where nobody answers within two seconds. */
  static async ask(deps: InstanceDeps, directories: InstanceDirectories): Promise<Instance | undefined> {
    const connection = connect(instanceSocketPath(directories));
    using _deadline = deps.clock.after(askMs, () => connection.destroy());
    try {
      let text = '';
      for await (const chunk of connection.setEncoding('utf8')) {
        text += String(chunk);
        if (text.length > answerLimitBytes) return undefined;
      }
      return instanceSchema.parse(JSON.parse(text));
    } catch {
      return undefined;
    } finally {
      connection.destroy();
    }
  }

  /** What `ask` tells from now on. */
  announce(address: string): void {
    this.#instance.address = address;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    // Node removes the socket file; the lock goes last, so that nobody finds a socket that is about to vanish.
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#lock[Symbol.dispose]();
  }
}

/** In the state folder; where that is too deep for a socket, in the folder for sockets under a name made from it. */
function instanceSocketPath({ state, sockets }: InstanceDirectories): string {
  const hash = createHash('sha256').update(state).digest('hex').slice(0, 8);
  const candidates = [join(state, 'instance.sock'), join(sockets, `instance-${hash}.sock`)];
  const path = candidates.find((candidate) => Buffer.byteLength(candidate) <= socketPathLimitBytes);
  if (path !== undefined) return path;
  throw new HeadlessError('headless/path-too-long', `The state folder is too deep for a socket: ${state}`, {
    remedy: `Choose a folder with --data DIR so that DIR/state/instance.sock has at most ${socketPathLimitBytes} bytes.`,
  });
}

function alreadyRunning(state: string, holder: Instance | undefined): HeadlessError {
  const who = holder === undefined ? '' : ` as process ${holder.pid} since ${new Date(holder.startedAt).toISOString()}`;
  return new HeadlessError('headless/already-running', `A bench already runs with the state in ${state}${who}`, {
    remedy: 'Show its address with: forrest-bench address. For a second bench on this PC, give it its own --data DIR.',
  });
}
