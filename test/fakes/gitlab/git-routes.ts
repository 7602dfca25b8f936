import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { ClientGone, type Exchange, Refusal } from './exchange.ts';
import type { JobQueue } from './job-queue.ts';
import type { ProjectRegistry } from './projects.ts';
import type { Route } from './routes.ts';

export interface GitRouteDeps {
  queue: JobQueue;
  projects: ProjectRegistry;
}

const repository = '([A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)+)\\.git';

/** Git over smart HTTP, to read. Any job that executes may read any project. */
export function gitRoutes(deps: GitRouteDeps): Route[] {
  const route = (method: 'GET' | 'POST', path: string): Route => ({
    name: 'git',
    method,
    path: new RegExp(`^/${repository}/(${path})$`),
    handle: (exchange, [project = '', service = '']) => serveGit(deps, exchange, project, service),
  });
  return [route('GET', 'info/refs'), route('POST', 'git-upload-pack'), route('POST', 'git-receive-pack')];
}

async function serveGit(deps: GitRouteDeps, exchange: Exchange, projectPath: string, service: string): Promise<void> {
  if (deps.queue.executingByToken(jobTokenOf(exchange.header('authorization'))) === undefined) {
    throw new Refusal(401, 'HTTP Basic: Access denied.', { 'WWW-Authenticate': 'Basic realm="GitLab"' });
  }
  const project = deps.projects.byPath(projectPath);
  if (project === undefined || project.repositoryDirectory === null) throw new Refusal(404, '404 Not Found');
  const asked = service === 'info/refs' ? exchange.query.get('service') : service;
  if (asked !== 'git-upload-pack') throw new Refusal(403, 'You are not allowed to upload code.');
  await runBackend(exchange, deps.projects.directory, `/${projectPath}.git/${service}`);
}

/** The password of `gitlab-ci-token`; empty where the header says anything else. */
function jobTokenOf(authorization: string | undefined): string {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/.exec(authorization ?? '')?.[1];
  const match = /^gitlab-ci-token:(.*)$/.exec(Buffer.from(encoded ?? '', 'base64').toString());
  return match?.[1] ?? '';
}

/** Hands the request to git's own CGI program and its answer back. */
async function runBackend(exchange: Exchange, root: string, pathInfo: string): Promise<void> {
  const { request, response } = exchange;
  const length = exchange.header('content-length');
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    signal: exchange.signal,
    killSignal: 'SIGKILL',
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      // Whoever started this server owns the repositories, or is root in a container where another user does.
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      PATH_INFO: pathInfo,
      REQUEST_METHOD: exchange.entry.method,
      QUERY_STRING: exchange.entry.query,
      CONTENT_TYPE: exchange.header('content-type') ?? '',
      HTTP_CONTENT_ENCODING: exchange.header('content-encoding') ?? '',
      GIT_PROTOCOL: exchange.header('git-protocol') ?? '',
      REMOTE_ADDR: '127.0.0.1',
      ...(length === undefined ? {} : { CONTENT_LENGTH: length }),
    },
  });
  const closed = once(child, 'close');
  // git may answer without reading all it was sent; its answer says why.
  const sent = pipeline(request, child.stdin).catch(() => {});
  try {
    const output = child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const { status, headers, rest } = await readCgiHead(output);
    await exchange.replyStream(status, headers, remaining(rest, output));
    await Promise.all([closed, sent]);
  } catch (error) {
    child.kill('SIGKILL');
    await closed.catch(() => {});
    if (exchange.signal.aborted || response.destroyed) throw new ClientGone(error);
    throw error;
  }
}

interface CgiHead {
  status: number;
  headers: Record<string, string>;
  /** What was read of the body already. */
  rest: Buffer;
}

const cgiHeadBytes = 16 * 1024;

async function readCgiHead(output: AsyncIterator<Buffer>): Promise<CgiHead> {
  let head = Buffer.alloc(0);
  for (;;) {
    const end = head.indexOf('\r\n\r\n');
    if (end >= 0) return { ...parseCgiHead(head.toString('latin1', 0, end)), rest: head.subarray(end + 4) };
    const next = await output.next();
    if (next.done === true || head.length > cgiHeadBytes) throw new Error('git http-backend gave no answer');
    head = Buffer.concat([head, next.value]);
  }
}

function parseCgiHead(text: string): Pick<CgiHead, 'status' | 'headers'> {
  const headers: Record<string, string> = {};
  let status = 200;
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else headers[name] = value;
  }
  return { status, headers };
}

async function* remaining(first: Buffer, output: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first;
  for (;;) {
    const next = await output.next();
    if (next.done === true) return;
    yield next.value;
  }
}
