import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as this GitLab got it. */
export interface SeenRequest {
  method: string;
  target: string;
  headers: IncomingHttpHeaders;
  /** Whole once `isWhole`. */
  body: Buffer;
  isWhole: boolean;
  /** The client broke off before the end of its request. */
  isAborted: boolean;
}

export interface ScriptedAnswer {
  status: number;
  headers?: Record<string, string | string[]>;
  body?: string | Buffer;
}
type Script = ScriptedAnswer | ((request: IncomingMessage, response: ServerResponse, seen: SeenRequest) => void);

/**
 * GitLab as far as a relay needs it: it keeps one trace with its offsets, takes status updates and artifacts, and
 * answers the next requests as it is told to instead. A function in the script answers by itself, body or not.
 */
export class ScriptedGitLab implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  /** The trace as GitLab stores it. */
  trace = Buffer.alloc(0);
  artifact = Buffer.from('the artifact');
  readonly #server: Server;
  readonly #script: Script[] = [];

  private constructor() {
    this.#server = createServer({ requestTimeout: 0 }, (request, response) => this.#serve(request, response));
  }

  static async start(): Promise<ScriptedGitLab> {
    const gitlab = new ScriptedGitLab();
    await new Promise<void>((resolve) => gitlab.#server.listen(0, '127.0.0.1', resolve));
    return gitlab;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The only request there was. */
  get request(): SeenRequest {
    const [only, ...others] = this.requests;
    if (only === undefined || others.length > 0) throw new Error(`expected one request, got ${this.requests.length}`);
    return only;
  }

  /** Answers the next requests so, in this order; then by itself again. */
  next(...script: Script[]): void {
    this.#script.push(...script);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url: target = '', headers } = request;
    const seen: SeenRequest = { method, target, headers, body: Buffer.alloc(0), isWhole: false, isAborted: false };
    this.requests.push(seen);
    request.once('error', () => {
      seen.isAborted = true;
    });
    const scripted = this.#script.shift();
    if (typeof scripted === 'function') {
      scripted(request, response, seen);
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => {
      seen.body = Buffer.concat(chunks);
      seen.isWhole = true;
      const answer = scripted ?? this.#answer(seen);
      response.writeHead(answer.status, answer.headers);
      response.end(answer.body);
    });
  }

  #answer({ method, target, headers, body }: SeenRequest): ScriptedAnswer {
    const running = { 'Job-Status': 'running' };
    switch (method) {
      case 'PUT':
        return { status: 200, headers: { ...running, 'Content-Type': 'application/json' }, body: '200' };
      case 'PATCH': {
        const start = Number(/^(\d+)-/.exec(headers['content-range'] ?? '')?.[1]);
        if (start !== this.trace.length)
          return { status: 416, headers: { ...running, Range: `0-${this.trace.length}` } };
        this.trace = Buffer.concat([this.trace, body]);
        const range = `0-${this.trace.length}`;
        return {
          status: 202,
          headers: { ...running, Range: range, 'X-GitLab-Trace-Update-Interval': '60' },
          body: '0',
        };
      }
      case 'POST':
        return { status: 201, headers: { 'Content-Type': 'application/json' }, body: '{"message":"201 Created"}' };
      default:
        return target.includes('/artifacts')
          ? { status: 200, headers: { 'Content-Type': 'application/zip' }, body: this.artifact }
          : { status: 404 };
    }
  }
}
