import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const jobToken = 'glcbt-bench';

/** Where a client connects to: a port of loopback, or a unix socket. */
export type Address = { port: number; host: string } | { socketPath: string };

/** What the process in the middle has used since it started. */
export interface Usage {
  cpuMs: number;
  rssBytes: number;
}

/** One way from a client to the upstream; several addresses stand for several runs. */
export interface Path {
  name: 'direct' | 'relay' | 'nginx';
  addresses: readonly Address[];
  /** undefined where there is nothing in the middle. */
  usage: () => Promise<Usage | undefined>;
}

/** How many runs the middle serves. */
export const runCount = 8;

/** Starts the upstream and what stands before it, each in a process of its own; all end with the scope. */
export async function openPaths(): Promise<AsyncDisposable & { paths: Path[] }> {
  await using held = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'fb-rb-'));
  held.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const upstream = startChild('relay-upstream.ts', []);
  held.defer(() => end(upstream));
  const [{ port }] = (await once(upstream, 'message')) as [{ port: number }];
  const address = { host: '127.0.0.1', port };
  const paths: Path[] = [
    { name: 'direct', addresses: Array.from({ length: runCount }, () => address), usage: async () => undefined },
  ];

  const sockets = Array.from({ length: runCount }, (_, index) => join(folder, `${index}.sock`));
  const relay = startChild('relay-server.ts', [`http://127.0.0.1:${port}`, jobToken, ...sockets]);
  held.defer(() => end(relay));
  await once(relay, 'message');
  paths.push({
    name: 'relay',
    addresses: sockets.map((socketPath) => ({ socketPath })),
    usage: async () => {
      const answer = once(relay, 'message') as Promise<[Usage]>;
      relay.send('usage');
      return (await answer)[0];
    },
  });

  const program = await findProgram('nginx');
  if (program !== undefined) {
    const nginx = await startNginx(program, folder, port);
    held.defer(() => end(nginx));
    const socketPath = join(folder, 'nginx.sock');
    await answering(socketPath);
    paths.push({
      name: 'nginx',
      addresses: Array.from({ length: runCount }, () => ({ socketPath })),
      usage: () => procUsage(nginx.pid),
    });
  }
  const opened = held.move();
  return { paths, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

function startChild(file: string, args: string[]): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), args, { execArgv: [] });
}

/** nginx as a plain reverse proxy that streams: one process, so that its CPU time is read from one place. */
async function startNginx(program: string, folder: string, port: number): Promise<ChildProcess> {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  await mkdir(join(folder, 'nginx'));
  const config = `
daemon off; master_process off; pid ${folder}/nginx/pid; error_log stderr crit;
events { worker_connections 64; }
http {
  access_log off; client_max_body_size 0; keepalive_requests 1000000;
  ${temporary.map((name) => `${name}_temp_path ${folder}/nginx/${name};`).join(' ')}
  upstream gitlab { server 127.0.0.1:${port}; keepalive 16; keepalive_requests 1000000; }
  server {
    listen unix:${folder}/nginx.sock;
    location / {
      proxy_pass http://gitlab; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_request_buffering off; proxy_max_temp_file_size 0;
    }
  }
}
`;
  const path = join(folder, 'nginx', 'nginx.conf');
  await writeFile(path, config);
  return spawn(program, ['-c', path, '-p', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']) {
    const path = join(folder, name);
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}

/** proc(5): fields 14 and 15 count in hundredths of a second, field 24 in pages of 4 KiB. */
async function procUsage(pid: number | undefined): Promise<Usage> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { cpuMs: (Number(fields[11]) + Number(fields[12])) * 10, rssBytes: Number(fields[21]) * 4096 };
}

async function answering(socketPath: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    const socket = connect(socketPath);
    const isThere = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nothing listens on ${socketPath}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
