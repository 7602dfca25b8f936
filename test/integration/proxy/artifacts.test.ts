import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { expect, it, vi } from 'vitest';
import type { JobId } from '../../../electron/contract/ids.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { aJob, aRun, jobToken } from './a-run.ts';

const target = '/api/v4/jobs/4711/artifacts';
const multipart = 'multipart/form-data; boundary=b';
const upload = { 'job-token': jobToken, 'content-type': multipart, 'transfer-encoding': 'chunked' };
const mib = 1024 * 1024;

/** Writes `count` MiB as fast as they are taken. */
async function writeMib(request: NodeJS.WritableStream, count: number, onPiece?: (piece: Buffer) => void) {
  for (let index = 0; index < count; index += 1) {
    const piece = Buffer.alloc(mib, index % 251);
    onPiece?.(piece);
    if (!request.write(piece)) await new Promise((resolve) => request.once('drain', resolve));
  }
}

/** Waits until something has begun to move and stands still again. */
async function settled(read: () => number): Promise<void> {
  let last = 0;
  await vi.waitFor(
    () => {
      const before = last;
      last = read();
      expect([last > 0, last]).toEqual([true, before]);
    },
    { interval: 200, timeout: 10_000 },
  );
}

it('A01 streams 256 MiB up in chunks, byte for byte, holding little of it', { timeout: 60_000 }, async () => {
  await using run = await aRun();
  const received = createHash('sha256');
  let receivedBytes = 0;
  run.gitlab.next((request, response) => {
    request.on('data', (chunk: Buffer) => {
      received.update(chunk);
      receivedBytes += chunk.length;
    });
    request.once('end', () => response.writeHead(201).end());
  });
  const sent = createHash('sha256');
  const request = run.machine.open(
    'POST',
    `${target}?artifact_format=zip&artifact_type=archive&expire_in=in+3+days`,
    upload,
  );
  const answer = new Promise<number>((resolve) => {
    request.once('response', (response) => resolve(response.resume().statusCode ?? 0));
  });
  await writeMib(request, 32, (piece) => sent.update(piece));
  // Measured from here, when pools and pages have been taken: what grows with the upload would still grow.
  const before = process.memoryUsage();
  let mostBytes = 0;
  await writeMib(request, 224, (piece) => {
    sent.update(piece);
    const now = process.memoryUsage();
    mostBytes = Math.max(mostBytes, now.rss - before.rss);
  });
  request.end();
  expect(await answer).toBe(201);
  expect([receivedBytes, received.digest('hex')]).toEqual([256 * mib, sent.digest('hex')]);
  expect(run.gitlab.request.target).toBe(`${target}?artifact_format=zip&artifact_type=archive&expire_in=in%203%20days`);
  expect(run.gitlab.request.headers).toMatchObject({ 'transfer-encoding': 'chunked', 'content-type': multipart });
  expect(mostBytes).toBeLessThan(64 * mib);
});

it('stops reading from the machine while GitLab does not read', async () => {
  await using run = await aRun();
  run.gitlab.next(() => {});
  const request = run.machine.open('POST', target, upload);
  request.on('error', () => {});
  let takenBytes = 0;
  const writeOn = () => {
    request.write(Buffer.alloc(64 * 1024), (error) => {
      if (error) return;
      takenBytes += 64 * 1024;
      writeOn();
    });
  };
  writeOn();
  await settled(() => takenBytes);
  expect(takenBytes).toBeLessThan(24 * mib);
  request.destroy();
});

it('A02 relays 201', async () => {
  await using run = await aRun();
  const answer = await run.machine.send({ method: 'POST', target, headers: upload, body: 'a small archive' });
  expect([answer.status, answer.body.toString()]).toEqual([201, '{"message":"201 Created"}']);
  expect(run.gitlab.request.body.toString()).toBe('a small archive');
  expect(run.of('job-active')).toHaveLength(1);
});

it('sends the length on where the machine gave one', async () => {
  await using run = await aRun();
  const headers = { 'job-token': jobToken, 'content-length': '5' };
  await run.machine.send({ method: 'POST', target, headers, body: 'hello' });
  expect(run.gitlab.request.headers).toMatchObject({ 'content-length': '5' });
  expect(run.gitlab.request.headers['transfer-encoding']).toBeUndefined();
});

it('A03 relays an early 413 while the machine still sends, then closes the connection', async () => {
  await using run = await aRun();
  run.gitlab.next((request, response) => {
    request.resume();
    response.writeHead(413, { 'Content-Type': 'text/plain' }).end('too large');
  });
  const request = run.machine.open('POST', target, upload);
  const closed = new Promise<void>((resolve) => request.once('close', () => resolve()));
  request.on('error', () => {});
  request.write(Buffer.alloc(1024));
  const response = await new Promise<{ status: number; connection: string | undefined; body: string }>((resolve) => {
    request.once('response', (incoming) => {
      let body = '';
      incoming.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      incoming.on('error', () => {});
      incoming.once('close', () =>
        resolve({ status: incoming.statusCode ?? 0, connection: incoming.headers.connection, body }),
      );
    });
  });
  expect(response).toEqual({ status: 413, connection: 'close', body: 'too large' });
  await closed;
});

it('A04 sends a redirect within GitLab back to the listener, and any other on as it is', async () => {
  await using run = await aRun({ basePath: '/gitlab' });
  const same = `${run.gitlab.origin}/gitlab${target}?artifact_format=zip`;
  const other = 'https://secondary.example/api/v4/jobs/4711/artifacts';
  for (const status of [307, 308]) {
    run.gitlab.next({ status, headers: { Location: same } }, { status, headers: { Location: other } });
    const send = () => run.machine.send({ method: 'POST', target, headers: upload, body: 'x' });
    const [within, away] = [await send(), await send()];
    expect([within.status, within.headers.location]).toEqual([
      status,
      'http://10.0.2.100/api/v4/jobs/4711/artifacts?artifact_format=zip',
    ]);
    expect([away.status, away.headers.location]).toEqual([status, other]);
  }
});

it.each([301, 302, 303])('A05 answers 502 to a redirect %i of an upload', async (status) => {
  await using run = await aRun();
  run.gitlab.next({ status, headers: { Location: 'https://elsewhere.example/' } });
  const answer = await run.machine.send({ method: 'POST', target, headers: upload, body: 'x' });
  expect([answer.status, answer.headers.location]).toEqual([502, undefined]);
  expect(answer.body.toString()).toContain('canonical URL');
});

it('A06 does not cut an upload that is slow but moves', async () => {
  const clock = new FakeClock();
  await using run = await aRun({ clock });
  const request = run.machine.open('POST', target, upload);
  const answer = new Promise<number>((resolve) => {
    request.once('response', (response) => resolve(response.resume().statusCode ?? 0));
  });
  let seenBytes = 0;
  run.gitlab.next((incoming, response) => {
    incoming.on('data', (chunk: Buffer) => {
      seenBytes += chunk.length;
    });
    incoming.once('end', () => response.writeHead(201).end());
  });
  for (let minute = 1; minute <= 12; minute += 1) {
    request.write('x');
    await vi.waitFor(() => expect(seenBytes).toBe(minute));
    await clock.advance(60_000);
  }
  request.end();
  expect(await answer).toBe(201);
});

it('answers 408 to an upload that stands still for five minutes, and ends it at GitLab', async () => {
  const clock = new FakeClock();
  await using run = await aRun({ clock });
  run.gitlab.next((request) => request.resume());
  const request = run.machine.open('POST', target, upload);
  request.on('error', () => {});
  const status = new Promise<number>((resolve) => {
    request.once('response', (response) => resolve(response.resume().statusCode ?? 0));
  });
  request.write('x');
  await vi.waitFor(() => expect(run.gitlab.requests).toHaveLength(1));
  await clock.advance(300_000);
  expect(await status).toBe(408);
  await vi.waitFor(() => expect(run.gitlab.request.isAborted).toBe(true));
});

it('answers 413 to an upload over the cap, announced or not', async () => {
  await using run = await aRun({ limits: { uploadBytes: 1000 } });
  const announced = { 'job-token': jobToken, 'content-length': 2000 };
  const first = await run.machine.send({ method: 'POST', target, headers: announced, body: Buffer.alloc(2000) });
  expect([first.status, run.gitlab.requests.length]).toEqual([413, 0]);
  const second = await run.machine.send({ method: 'POST', target, headers: upload, body: Buffer.alloc(2000) });
  expect(second.status).toBe(413);
});

it('A07 ends an upload at GitLab when the machine hangs up', async () => {
  await using run = await aRun();
  run.gitlab.next((request) => request.resume());
  const request = run.machine.open('POST', target, upload);
  request.on('error', () => {});
  request.write(Buffer.alloc(100_000));
  await vi.waitFor(() => expect(run.gitlab.requests).toHaveLength(1));
  request.destroy();
  await vi.waitFor(() => expect(run.gitlab.request.isAborted).toBe(true));
});

const dependent = (token: string) => aJob({ dependencies: [{ id: 4690 as JobId, token }] });

it('A08 relays a download with its headers', async () => {
  await using run = await aRun({ job: dependent('glcbt-of-4690') });
  const headers = {
    'Content-Type': 'application/zip',
    'Content-Disposition': 'attachment; filename="artifacts.zip"',
    ETag: '"abc"',
    'Accept-Ranges': 'bytes',
    'Content-Length': '7',
  };
  run.gitlab.next({ status: 200, headers, body: 'the zip' });
  const answer = await run.machine.send({
    method: 'GET',
    target: '/api/v4/jobs/4690/artifacts?direct_download=true',
    headers: { 'job-token': 'glcbt-of-4690' },
  });
  expect([answer.status, answer.body.toString()]).toEqual([200, 'the zip']);
  expect(answer.headers).toMatchObject({
    'content-type': 'application/zip',
    'content-disposition': 'attachment; filename="artifacts.zip"',
    etag: '"abc"',
    'accept-ranges': 'bytes',
    'content-length': '7',
  });
  expect([run.gitlab.request.target, run.gitlab.request.headers['job-token']]).toEqual([
    '/api/v4/jobs/4690/artifacts?direct_download=true',
    'glcbt-of-4690',
  ]);
});

it('A09 relays a redirect to storage untouched and follows it not', async () => {
  await using run = await aRun();
  const location = 'https://storage.example/bucket/a.zip?signature=abc%2Fdef';
  run.gitlab.next({ status: 302, headers: { Location: location } });
  const answer = await run.machine.send({ method: 'GET', target, headers: { 'job-token': jobToken } });
  expect([answer.status, answer.headers.location, run.gitlab.requests.length]).toEqual([302, location, 1]);
});

it('A10 asks GitLab to send the artifact itself where that is configured', async () => {
  await using run = await aRun({ downloads: 'via-gitlab' });
  await run.machine.send({
    method: 'GET',
    target: `${target}?direct_download=true`,
    headers: { 'job-token': jobToken },
  });
  expect(run.gitlab.request.target).toBe(target);
});

it('A11 answers 403 to a download of a job that is not listed', async () => {
  await using run = await aRun({ job: dependent('glcbt-of-4690') });
  const answer = await run.machine.send({
    method: 'GET',
    target: '/api/v4/jobs/4691/artifacts',
    headers: { 'job-token': jobToken },
  });
  expect([answer.status, run.gitlab.requests]).toEqual([403, []]);
});

it.each([
  ['the token of the running job, as current servers do', jobToken],
  ['the token of the dependency, as older servers do', 'glcbt-of-4690'],
])('A12 takes a dependency with %s, if it was listed so', async (_, listed) => {
  await using run = await aRun({ job: dependent(listed) });
  const get = async (token: string) => {
    const headers = { 'job-token': token };
    return (await run.machine.send({ method: 'GET', target: '/api/v4/jobs/4690/artifacts', headers })).status;
  };
  expect(await get(listed)).toBe(200);
  expect(await get(listed === jobToken ? 'glcbt-of-4690' : jobToken)).toBe(403);
});

it('A13 takes an empty query', async () => {
  await using run = await aRun();
  expect(
    (await run.machine.send({ method: 'GET', target: `${target}?`, headers: { 'job-token': jobToken } })).status,
  ).toBe(200);
  expect(run.gitlab.request.target).toBe(target);
});

it('A14 sends a range on and relays 206', async () => {
  await using run = await aRun();
  run.gitlab.next({ status: 206, headers: { 'Content-Range': 'bytes 0-0/7' }, body: 't' });
  const answer = await run.machine.send({
    method: 'GET',
    target,
    headers: { 'job-token': jobToken, range: 'bytes=0-0' },
  });
  expect([answer.status, answer.headers['content-range'], answer.body.toString()]).toEqual([206, 'bytes 0-0/7', 't']);
  expect(run.gitlab.request.headers.range).toBe('bytes=0-0');
});

it('A15 leaves an encoding alone', async () => {
  await using run = await aRun();
  const encoded = Buffer.from([0x1f, 0x8b, 0x08, 0x00, 0x01, 0x02]);
  run.gitlab.next({ status: 200, headers: { 'Content-Encoding': 'gzip' }, body: encoded });
  const headers = { 'job-token': jobToken, 'accept-encoding': 'gzip' };
  const answer = await run.machine.send({ method: 'GET', target, headers });
  expect([answer.headers['content-encoding'], answer.body]).toEqual(['gzip', encoded]);
});

it('A16 answers 403 to what belongs to GitLab itself', async () => {
  await using run = await aRun();
  const answer = await run.machine.send({
    method: 'POST',
    target: `${target}/authorize`,
    headers: { 'job-token': jobToken },
  });
  expect([answer.status, run.gitlab.requests]).toEqual([403, []]);
});

it('cuts a download off that GitLab cut off, instead of ending it well', async () => {
  await using run = await aRun();
  run.gitlab.next((_, response) => {
    response.writeHead(200, { 'Content-Length': '1000' });
    response.write('only a part', () => response.destroy());
  });
  await expect(run.machine.send({ method: 'GET', target, headers: { 'job-token': jobToken } })).rejects.toThrow();
});

it('ends a download at GitLab when the machine hangs up, and takes no more of it meanwhile', async () => {
  await using run = await aRun();
  let upstream: ServerResponse | undefined;
  let writtenBytes = 0;
  run.gitlab.next((_, response) => {
    upstream = response;
    response.writeHead(200);
    const writeOn = () => {
      response.write(Buffer.alloc(64 * 1024), (error) => {
        if (error) return;
        writtenBytes += 64 * 1024;
        if (writtenBytes < 64 * mib) writeOn();
      });
    };
    writeOn();
  });
  const request = run.machine.open('GET', target, { 'job-token': jobToken });
  request.on('error', () => {});
  const begun = new Promise<void>((resolve) => {
    request.once('response', (response) => {
      response.pause();
      resolve();
    });
  });
  request.end();
  await begun;
  await settled(() => writtenBytes);
  expect(writtenBytes).toBeLessThan(32 * mib);
  request.destroy();
  await vi.waitFor(() => expect(upstream?.destroyed).toBe(true));
});

it('answers 503 where GitLab is down, and the runner may try again', async () => {
  await using run = await aRun();
  await run.gitlab[Symbol.asyncDispose]();
  const answer = await run.machine.send({ method: 'POST', target, headers: upload, body: 'x' });
  expect([answer.status, answer.headers['retry-after']]).toEqual([503, '3']);
});

it('answers 100 only where the machine asked for it, and only to what may pass', async () => {
  await using run = await aRun();
  const post = (token: string) =>
    run.machine.raw(
      `POST ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nJOB-TOKEN: ${token}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi`,
    );
  expect(await post(jobToken)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /);
  expect(await post('wrong')).toMatch(/^HTTP\/1\.1 403 /);
  expect(run.gitlab.request.headers.expect).toBeUndefined();
});
