import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** What a QMP command does: answers, or refuses with QEMU's class and words. */
export type CommandHandler = (command: string) => { result: unknown } | { error: { class: string; desc: string } };

type Mode = 'normal' | 'silent' | 'garbage';

/** QEMU's control socket: one client at a time, the others wait for its greeting until that one has left. */
export class Monitor {
  readonly #server: Server;
  readonly #version: string;
  readonly #mode: () => Mode;
  readonly #onCommand: CommandHandler;
  readonly #waiting: Socket[] = [];
  #client: Socket | undefined;
  #hasCapabilities = false;

  constructor(version: string, mode: () => Mode, onCommand: CommandHandler) {
    this.#version = version;
    this.#mode = mode;
    this.#onCommand = onCommand;
    this.#server = createServer((socket) => {
      socket.on('error', () => {});
      this.#waiting.push(socket);
      this.#serveNext();
    });
  }

  listen(path: string): Promise<void> {
    return listenAt(this.#server, path);
  }

  send(event: string, data?: object): void {
    if (!this.#hasCapabilities) return;
    const nowMs = Date.now();
    const timestamp = { seconds: Math.floor(nowMs / 1000), microseconds: (nowMs % 1000) * 1000 };
    this.#write({ timestamp, event, ...(data === undefined ? {} : { data }) });
  }

  /** Hangs up once everything is sent. */
  end(): Promise<void> {
    return ended(this.#client);
  }

  #serveNext(): void {
    if (this.#client !== undefined) return;
    const client = this.#waiting.shift();
    if (client === undefined) return;
    this.#client = client;
    this.#hasCapabilities = false;
    client.once('close', () => {
      this.#client = undefined;
      this.#serveNext();
    });
    switch (this.#mode()) {
      case 'silent':
        return;
      case 'garbage':
        client.write('220 mail.example ESMTP\r\n');
        return;
      case 'normal':
        break;
    }
    const [major = 0, minor = 0, micro = 0] = this.#version.split(/[. ]/).map(Number);
    const lines = createInterface({ input: client });
    lines.on('line', (line) => this.#answer(line));
    lines.on('error', () => {});
    this.#write({ QMP: { version: { qemu: { micro, minor, major }, package: '' }, capabilities: ['oob'] } });
  }

  #answer(line: string): void {
    let request: { execute?: unknown; id?: unknown };
    try {
      request = JSON.parse(line);
    } catch {
      this.#write({ error: { class: 'GenericError', desc: `JSON parse error, invalid keyword '${line.trim()}'` } });
      return;
    }
    const id = request.id === undefined ? {} : { id: request.id };
    const refuse = (kind: string, desc: string) => this.#write({ error: { class: kind, desc }, ...id });
    if (typeof request.execute !== 'string') {
      refuse('GenericError', "QMP input lacks member 'execute'");
    } else if (!this.#hasCapabilities) {
      if (request.execute !== 'qmp_capabilities') {
        refuse('CommandNotFound', "Expecting capabilities negotiation with 'qmp_capabilities'");
        return;
      }
      this.#hasCapabilities = true;
      this.#write({ return: {}, ...id });
    } else {
      const answer = this.#onCommand(request.execute);
      this.#write('error' in answer ? { error: answer.error, ...id } : { return: answer.result, ...id });
    }
  }

  #write(message: object): void {
    this.#client?.write(`${JSON.stringify(message)}\r\n`);
  }
}

/** Resolves when everything is sent, or cannot be. */
export function ended(socket: Socket | undefined): Promise<void> {
  if (socket === undefined || socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    socket.once('finish', resolve);
    socket.once('close', () => resolve());
    socket.end();
  });
}

/** Binds as QEMU does: over whatever is left at the path. */
export async function listenAt(server: Server, path: string): Promise<void> {
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}
