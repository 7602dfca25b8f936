import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemProcesses } from '../../../electron/core/platform/processes.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { busyboxTools, runnerScripts, type ShellName, shellNames, shells } from './shell-runner.ts';

let scope: AsyncDisposableStack;
let root: string;
let tools: string;
beforeEach(async () => {
  scope = new AsyncDisposableStack();
  root = scope.use(await temporaryDirectory()).path;
  tools = await busyboxTools(root);
});
afterEach(() => scope.disposeAsync());

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server of a test's own. @returns Its base URL. */
async function serve(handle: Handler): Promise<string> {
  const server = createServer(handle).listen(0, '127.0.0.1');
  scope.defer(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

/** Runs a request of http.sh; the answer's body is in `out.body` then. */
async function request(url: string, call: string, shell: ShellName = 'ash', timeoutSeconds = 20): Promise<string[]> {
  const [program, ...args] = shells[shell];
  const script = [
    `. '${join(runnerScripts, '../http.sh')}'`,
    `http_at '${url}'`,
    `HTTP_TIMEOUT=${timeoutSeconds}`,
    `http '${join(root, 'out')}' ${call}`,
    'printf "%s\\n" "$STATUS" "$JOB_STATUS" "$RANGE" "$TRACE_INTERVAL"',
  ];
  const { stdout, stderr } = await systemProcesses.run(program, [...args, '-c', script.join('\n')], {
    env: { PATH: `${tools}:${process.env['PATH']}`, LC_ALL: 'C' },
  });
  expect(stderr).toBe('');
  return stdout.split('\n').slice(0, 4);
}

const body = () => readFile(join(root, 'out.body'));

describe.each(shellNames)('a request under %s', (shell) => {
  it('sends its headers and files, and reads the headers that count', async () => {
    const seen: unknown[] = [];
    const url = await serve((incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        seen.push([incoming.method, incoming.url, incoming.headers['job-token'], Buffer.concat(chunks).toString()]);
        response.writeHead(202, { range: '0-42', 'JOB-STATUS': 'canceling', 'X-GitLab-Trace-Update-Interval': '7' });
        response.end();
      });
    });
    await writeFile(join(root, 'one'), 'one,');
    await writeFile(join(root, 'two'), 'two');
    const call = `PATCH /trace?x=1 'JOB-TOKEN: abc' -- '${root}/one' '${root}/two'`;
    expect(await request(`${url}/gitlab/`, call, shell)).toEqual(['202', 'canceling', '0-42', '7']);
    expect(seen).toEqual([['PATCH', '/gitlab/trace?x=1', 'abc', 'one,two']]);
  });

  it('takes a body of any bytes, by its length or in pieces', async () => {
    const bytes = randomBytes(300_000);
    const url = await serve((incoming, response) => {
      if (incoming.url === '/length') response.setHeader('Content-Length', bytes.length);
      response.write(bytes.subarray(0, 100_000));
      response.end(bytes.subarray(100_000));
    });
    for (const path of ['/length', '/pieces']) {
      expect(await request(url, `GET ${path}`, shell)).toEqual(['200', '', '', '']);
      expect((await body()).equals(bytes)).toBe(true);
    }
  });
});

describe('a request', () => {
  it('does not wait for the end of a connection that stays open', async () => {
    const url = await serve((_incoming, response) => {
      response.writeHead(200, { 'Content-Length': 5, Connection: 'keep-alive' });
      response.end('hello');
    });
    expect(await request(url, 'GET /')).toEqual(['200', '', '', '']);
    expect((await body()).toString()).toBe('hello');
  });

  it.each<[string, Handler]>([
    [
      'is cut short',
      (_incoming, response) => {
        response.writeHead(200, { 'Content-Length': 100 });
        response.write('half', () => response.destroy());
      },
    ],
    [
      'is cut short between two pieces',
      (_incoming, response) => {
        response.write('half', () => response.destroy());
      },
    ],
    ['does not come', (incoming) => incoming.socket.destroy()],
    ['is none of HTTP', (incoming) => incoming.socket.end('hello\r\n\r\n')],
  ])('has no status when the answer %s', async (_what, handle) => {
    expect(await request(await serve(handle), 'GET /')).toEqual(['000', '', '', '']);
  });

  it('has no status when nobody listens', async () => {
    expect(await request('http://127.0.0.1:1', 'GET /')).toEqual(['000', '', '', '']);
  });

  it('gives up after the time it may take', async () => {
    const url = await serve(() => {});
    expect(await request(url, 'GET /', 'ash', 1)).toEqual(['000', '', '', '']);
  });

  it('goes to port 80 of a URL without one', async () => {
    expect(await request('http://127.0.0.1/', 'GET / ; STATUS="$http_host:$http_port$http_base"')).toEqual([
      '127.0.0.1:80',
      '',
      '',
      '',
    ]);
  });
});
