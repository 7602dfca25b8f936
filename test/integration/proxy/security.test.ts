import { chmod, stat, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { createLog } from '../../../electron/core/platform/log.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';
import { aJob, aRun, jobToken, vmToken } from './a-run.ts';

const base = '/api/v4/jobs/4711';

it('S01 says that there is no job router', async () => {
  await using run = await aRun();
  const answer = await run.machine.send({
    method: 'GET',
    target: '/api/v4/runners/router/discovery',
    headers: { 'runner-token': vmToken },
  });
  expect(answer.status).toBe(501);
});

it('S02 verifies the token of the run and no other', async () => {
  await using run = await aRun();
  const verify = (token: string) =>
    run.machine.send({ method: 'POST', target: '/api/v4/runners/verify', body: JSON.stringify({ token }) });
  const verified = await verify(vmToken);
  expect([verified.status, JSON.parse(verified.body.toString())]).toEqual([
    200,
    { id: 0, token: vmToken, token_expires_at: null },
  ]);
  expect((await verify('glrt-other')).status).toBe(403);
});

it.each([
  ['POST', '/api/v4/runners'],
  ['DELETE', '/api/v4/runners'],
  ['DELETE', '/api/v4/runners/managers'],
  ['POST', '/api/v4/runners/reset_authentication_token'],
  ['POST', '/api/v4/runners/7/reset_authentication_token'],
])('S03 refuses %s %s', async (method, target) => {
  await using run = await aRun();
  const answer = await run.machine.send({ method, target, body: JSON.stringify({ token: vmToken }) });
  expect([answer.status, run.gitlab.requests]).toEqual([403, []]);
});

it('S04 says where git should go instead', async () => {
  await using run = await aRun();
  const answer = await run.machine.send({ method: 'GET', target: '/grp/p.git/info/refs?service=git-upload-pack' });
  expect([answer.status, run.gitlab.requests]).toEqual([404, []]);
  expect(answer.body.toString()).toContain('BENCH_CLONE_URL');
  expect(run.of('refused')).toEqual([expect.objectContaining({ route: 'git', status: 404, count: 1 })]);
});

it.each([
  ['S05', 404, '//evil.example/api/v4/jobs/4711'],
  ['S06', 400, 'http://evil.example/api/v4/jobs/4711'],
  ['S07', 404, '/api/v4/jobs/1/../4711'],
  ['S07', 404, '/api/v4/jobs/%2e%2e/jobs/4711'],
  ['S07', 404, '/api/v4/jobs%2f4711'],
  ['S07', 404, '/api/v4\\jobs/4711'],
  ['S07', 404, '/api/v4/jobs/4711;x'],
  ['S07', 404, '/api/v4/jobs/4711#x'],
  ['S07', 404, '/api//v4/jobs/4711'],
  ['S13', 400, `${base}?token=${jobToken}`],
  ['S13', 400, `${base}?a=b&job_token=${jobToken}`],
  ['S14', 404, '/api/v4/jobs/007'],
  ['S14', 404, '/api/v4/jobs/-1'],
  ['S14', 404, '/api/v4/jobs/12345678901234567890'],
])('%s answers %i to %s', async (_, status, target) => {
  await using run = await aRun();
  const body = `{"token":"${jobToken}","state":"running"}`;
  const answer = await run.machine.raw(
    `PUT ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nJOB-TOKEN: ${jobToken}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(run.gitlab.requests).toEqual([]);
});

it.each([
  ['CONNECT', 'CONNECT gitlab.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['TRACE', `TRACE ${base} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`],
  ['OPTIONS', 'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
  ['Upgrade', `GET ${base}/artifacts HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`],
])('S08 answers 405 to %s', async (_, bytes) => {
  await using run = await aRun();
  expect(await run.machine.raw(bytes)).toMatch(/^HTTP\/1\.1 405 /);
  expect(run.gitlab.requests).toEqual([]);
});

describe('S09 request smuggling', () => {
  const head = `PATCH ${base}/trace HTTP/1.1\r\nHost: x\r\nJOB-TOKEN: ${jobToken}\r\nContent-Range: 0-4\r\n`;
  it.each([
    ['a length and a coding', `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['two lengths', `${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`],
    ['a coding that is not served', `${head}Transfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n0\r\n\r\n`],
    ['an obsolete line fold', `${head}X-A: b\r\n c\r\nTransfer-Encoding: identity\r\nConnection: close\r\n\r\n`],
    ['a zero byte in a value', `${head}X-Request-Id: a\0b\r\nContent-Length: 0\r\n\r\n`],
    [
      'a GET with a body',
      `GET ${base}/artifacts HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello`,
    ],
  ])('answers 400 to %s and closes the connection', async (_, bytes) => {
    await using run = await aRun();
    const answer = await run.machine.raw(bytes);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(run.gitlab.requests).toEqual([]);
  });
});

it("S10 S11 sends none of the machine's other headers on, whatever it calls hop-by-hop", async () => {
  await using run = await aRun();
  const answer = await run.put(
    { state: 'running' },
    {
      'job-token': jobToken,
      connection: 'JOB-TOKEN, keep-alive',
      authorization: 'Bearer x',
      cookie: 'a=b',
      'private-token': 'x',
      'runner-token': 'x',
      'x-forwarded-for': '1.2.3.4',
      'gitlab-workhorse-api-request': 'x',
      'x-gitlab-y': 'x',
      forwarded: 'for=x',
      te: 'trailers',
      'user-agent': 'gitlab-runner 19.1.0',
      'x-request-id': 'abc-123',
      accept: 'application/json',
    },
  );
  expect(answer.status).toBe(200);
  const { host, ...sent } = run.gitlab.request.headers;
  expect(sent).toEqual({
    'job-token': jobToken,
    'user-agent': 'gitlab-runner 19.1.0',
    'x-request-id': 'abc-123',
    accept: 'application/json',
    'content-type': 'application/json',
    'content-length': expect.any(String),
    connection: 'keep-alive',
  });
});

it("S12 keeps GitLab's other headers to itself", async () => {
  await using run = await aRun();
  run.gitlab.next({
    status: 200,
    headers: {
      'Set-Cookie': ['a=b', 'c=d'],
      'Strict-Transport-Security': 'max-age=1',
      'Alt-Svc': 'h3=":443"',
      'Content-Security-Policy': "default-src 'none'",
      'Gitlab-Lb': 'x',
      'X-Request-Id': 'from-gitlab',
      Location: 'https://gitlab.example.com/',
      'Job-Status': 'running',
    },
    body: '200',
  });
  const { date, ...headers } = (await run.put({ state: 'running' })).headers;
  expect(headers).toEqual({
    'x-request-id': 'from-gitlab',
    'job-status': 'running',
    'content-length': '3',
    connection: 'keep-alive',
    'keep-alive': expect.any(String),
  });
});

it('S15 refuses the seventeenth connection and serves the others', async () => {
  await using run = await aRun();
  using sockets = new DisposableStack();
  const open = () => {
    const socket = connect(run.socketPath);
    socket.on('error', () => {});
    sockets.defer(() => socket.destroy());
    return socket;
  };
  const kept = Array.from({ length: 16 }, open);
  await Promise.all(kept.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
  // Node counts a connection when it has taken it, so each says something first.
  await Promise.all(
    kept.map((socket) => {
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      return new Promise((resolve) => socket.once('data', resolve));
    }),
  );
  await new Promise((resolve) => open().once('close', resolve));
  expect(run.of('refused').some(({ route }) => route === 'connection')).toBe(true);
  kept[0]?.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  expect(await new Promise((resolve) => kept[0]?.once('data', (bytes) => resolve(String(bytes))))).toMatch(/ 404 /);
});

it('answers 429 to more than eight requests at once', async () => {
  await using run = await aRun();
  const waiting = Array.from({ length: 8 }, () =>
    run.machine.open('POST', `${base}/artifacts`, { 'job-token': jobToken }),
  );
  for (const request of waiting) {
    request.on('error', () => {});
    request.write('x');
  }
  await vi.waitFor(() => expect(run.gitlab.requests).toHaveLength(8));
  const ninth = await run.put({ state: 'running' });
  expect([ninth.status, ninth.headers['retry-after']]).toEqual([429, '1']);
  for (const request of waiting) request.destroy();
  await vi.waitFor(async () => expect((await run.put({ state: 'running' })).status).toBe(200));
});

it('S16 closes a connection whose head does not come', async () => {
  await using run = await aRun({ limits: { headerMs: 200 } });
  expect(await run.machine.raw('PUT /api/v4/jobs/4711 HTTP/1.1\r\nHost:')).toMatch(/^HTTP\/1\.1 408 /);
  expect(await run.machine.raw('')).toMatch(/^HTTP\/1\.1 408 /);
});

it('answers 431 to a head over 16 KiB', async () => {
  await using run = await aRun();
  expect(await run.machine.raw(`GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
});

it('S17 counts a thousand wrong tokens and tells few of them', async () => {
  await using run = await aRun();
  for (let index = 0; index < 1000; index += 1) {
    expect((await run.ask({}, `glrt-abcdefghi_${index}`)).status).toBe(403);
  }
  expect(run.listener.refusedCount).toBe(1000);
  expect(run.of('refused')).toHaveLength(50 + 10);
  expect((await run.ask()).status).toBe(201);
});

it('S18 refuses connections when it is closed, ends those there are, and removes its socket', async () => {
  await using run = await aRun();
  run.gitlab.next((request) => request.resume());
  const pending = run.put({ state: 'running' });
  pending.catch(() => {});
  await vi.waitFor(() => expect(run.gitlab.requests).toHaveLength(1));
  await run.listener[Symbol.asyncDispose]();
  await expect(pending).rejects.toThrow();
  await expect(run.put({ state: 'running' })).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(stat(run.socketPath)).rejects.toMatchObject({ code: 'ENOENT' });
});

it('S21 logs neither tokens nor query values', async () => {
  const lines: string[] = [];
  const log = createLog({ level: 'debug', destination: { write: (line) => lines.push(line) } });
  await using run = await aRun({ log });
  await run.ask();
  await run.ask({}, 'glrt-wrong-token');
  await run.put({ state: 'running' });
  await run.put({ state: 'running', token: 'glcbt-wrong-token' });
  await run.patch(0, 'the trace says hidden-output');
  const artifacts = { 'job-token': jobToken, 'content-length': 1 };
  const query = 'artifact_type=archive&expire_in=hidden-days';
  await run.machine.send({ method: 'POST', target: `${base}/artifacts?${query}`, headers: artifacts, body: 'x' });
  await run.machine.send({ method: 'GET', target: `/x?private_token=hidden-query` });
  await run.machine.raw('hidden-garbage\r\n\r\n');
  await run.put({ state: 'success' });
  const text = lines.join('');
  expect(lines.length).toBeGreaterThan(6);
  expect(text).toContain('"route":"trace"');
  for (const secret of [vmToken, jobToken, 'wrong-token', 'hidden-']) expect(text).not.toContain(secret);
});

describe('S22 two runs with crossed ids and tokens', () => {
  it('passes only what is of one run in all three', async () => {
    const job = (id: number, token: string) =>
      aJob({ id: id as ReturnType<typeof aJob>['id'], token, payload: Buffer.from(`{"id":${id},"token":"${token}"}`) });
    await using a = await aRun({ job: job(1, 'glcbt-a') });
    await using b = await aRun({ job: job(2, 'glcbt-b') });
    const requests = [
      { method: 'PUT', path: '', headers: {}, body: (token: string) => JSON.stringify({ token, state: 'running' }) },
      { method: 'PATCH', path: '/trace', headers: { 'content-range': '0-0' }, body: () => 'x' },
      { method: 'POST', path: '/artifacts', headers: {}, body: () => 'x' },
      { method: 'GET', path: '/artifacts', headers: {}, body: () => undefined },
    ];
    const passed: string[] = [];
    for (const [name, run] of Object.entries({ a, b })) {
      for (const id of ['1', '2']) {
        for (const token of ['glcbt-a', 'glcbt-b']) {
          for (const { method, path, headers, body } of requests) {
            const text = body(token);
            const answer = await run.machine.send({
              method,
              target: `/api/v4/jobs/${id}${path}`,
              headers: { ...headers, 'job-token': token },
              ...(text === undefined ? {} : { body: text }),
            });
            if (answer.status !== 403) passed.push(`${name} ${id} ${token} ${method} ${answer.status}`);
          }
        }
      }
    }
    expect(passed).toEqual([
      'a 1 glcbt-a PUT 200',
      'a 1 glcbt-a PATCH 202',
      'a 1 glcbt-a POST 201',
      'a 1 glcbt-a GET 200',
      'b 2 glcbt-b PUT 200',
      'b 2 glcbt-b PATCH 202',
      'b 2 glcbt-b POST 201',
      'b 2 glcbt-b GET 200',
    ]);
  });
});

it('answers 403 to everything about the job before it was offered', async () => {
  await using run = await aRun({ startIn: 'booting' });
  expect((await run.put({ state: 'running' })).status).toBe(403);
});

describe('the socket', () => {
  it('belongs to its owner alone', async () => {
    await using run = await aRun();
    expect(((await stat(run.socketPath)).mode & 0o022).toString(8)).toBe('0');
  });

  it('replaces one that a killed process left behind', async () => {
    await using folder = await temporaryDirectory();
    const socketPath = join(folder.path, 'left.sock');
    await writeFile(socketPath, '');
    await chmod(socketPath, 0o600);
    await using run = await aRun({ socketPath });
    expect(run.listener.phase).toBe('offered');
  });

  it('leaves one alone that is served', async () => {
    await using folder = await temporaryDirectory();
    const socketPath = join(folder.path, 'busy.sock');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    await expect(aRun({ socketPath })).rejects.toMatchObject({ code: 'proxy/socket-in-use' });
    await new Promise((resolve) => server.close(resolve));
  });

  it('has a path that the kernel takes', async () => {
    await expect(aRun({ socketPath: `/tmp/${'x'.repeat(103)}` })).rejects.toMatchObject({
      code: 'proxy/socket-path-too-long',
    });
    await expect(aRun({ socketPath: '/nowhere/at/all.sock' })).rejects.toMatchObject({ code: 'proxy/listen-failed' });
  });
});
