import {
  Agent,
  type ClientRequest,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  request as send,
} from 'node:http';
import { connect } from 'node:net';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface MachineRequest {
  method: string;
  target: string;
  headers?: OutgoingHttpHeaders;
  body?: string | Uint8Array;
}

/** A runner in a machine, as its listener sees it: HTTP over the run's socket, connections kept as Go does. */
export class MachineClient implements Disposable {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  send({ method, target, headers = {}, body }: MachineRequest): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = this.open(method, target, headers);
      request.once('error', reject);
      request.once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      });
      request.end(body);
    });
  }

  /** A request whose body the test writes. */
  open(method: string, target: string, headers: OutgoingHttpHeaders = {}): ClientRequest {
    return send({ socketPath: this.#socketPath, agent: this.#agent, method, path: target, headers });
  }

  /** Sends bytes as they are and gives back all that comes until the connection ends. */
  raw(bytes: string, options: { halfClose?: boolean } = {}): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect({ path: this.#socketPath, allowHalfOpen: true });
      let received = '';
      socket.setEncoding('latin1');
      socket.on('data', (chunk: string) => {
        received += chunk;
      });
      socket.once('error', (error) => (received === '' ? reject(error) : resolve(received)));
      socket.once('end', () => {
        socket.destroy();
        resolve(received);
      });
      socket.write(bytes, 'latin1', () => {
        if (options.halfClose) socket.end();
      });
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
