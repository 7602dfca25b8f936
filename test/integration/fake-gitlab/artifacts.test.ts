import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import type { FakeJob } from '../../fakes/gitlab/fake-job.ts';
import { type AGitLab, aGitLab } from './a-gitlab.ts';

const mebibyte = 1024 ** 2;

/** A job that depends on one that succeeded, with that one's archive. */
async function twoJobs(bench: AGitLab, bytes: Buffer<ArrayBuffer>): Promise<{ first: FakeJob; second: FakeJob }> {
  const first = await bench.runningJob({ name: 'first' });
  await bench.client.upload(first.id, first.token, { bytes });
  await bench.client.update(first, { state: 'success' });
  return { first, second: await bench.runningJob({ name: 'second', needs: [first] }) };
}

describe('an upload', () => {
  it('is stored byte for byte', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    const bytes = randomBytes(5 * mebibyte + 3);
    const query = 'artifact_format=zip&artifact_type=archive&expire_in=1+week';
    const response = await bench.client.upload(job.id, job.token, { bytes, filename: 'my artifacts.zip', query });
    const [artifact] = job.artifacts;
    expect([response.status, artifact]).toEqual([
      201,
      {
        type: 'archive',
        format: 'zip',
        filename: 'my_artifacts.zip',
        sizeBytes: bytes.length,
        sha256: createHash('sha256').update(bytes).digest('hex'),
        expireIn: '1 week',
        path: expect.stringContaining(`/artifacts/${job.id}/archive`),
      },
    ]);
    expect((await readFile(artifact?.path ?? '')).equals(bytes)).toBe(true);
    expect(job.updates.map(({ kind, status }) => [kind, status])).toEqual([
      ['request', 201],
      ['upload', 201],
    ]);
  });

  it('takes type and format from the form where the query has none', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    const fields = { artifact_type: 'junit', artifact_format: 'gzip' };
    await bench.client.upload(job.id, job.token, { bytes: Buffer.from('x'), query: '', fields });
    expect(job.artifacts.map(({ type, format }) => [type, format])).toEqual([['junit', 'gzip']]);
  });

  it('may be repeated with the same content, not with another', async () => {
    await using bench = await aGitLab();
    const { client } = bench;
    const job = await bench.runningJob();
    const upload = (text: string) => client.upload(job.id, job.token, { bytes: Buffer.from(text) });
    const statuses = [(await upload('one')).status, (await upload('one')).status, (await upload('two')).status];
    expect([statuses, job.artifacts.length]).toEqual([[201, 201, 400], 1]);
  });

  it.each([
    ['a type GitLab does not have', 'artifact_type=poetry&artifact_format=zip'],
    ['a format GitLab does not have', 'artifact_type=archive&artifact_format=rar'],
  ])('of %s is answered 400', async (_what, query) => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    expect((await bench.client.upload(job.id, job.token, { bytes: Buffer.from('x'), query })).status).toBe(400);
    expect(job.artifacts).toEqual([]);
  });

  it.each([
    ['no form', 'application/zip', 'bytes'],
    [
      'a form without a file',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n',
    ],
    [
      'a form that is cut short',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx',
    ],
    ['nothing', 'multipart/form-data; boundary=b', ''],
  ])('of %s is answered 400', async (_what, type, body) => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    const headers = { 'JOB-TOKEN': job.token, 'Content-Type': type };
    const response = await bench.client.send('POST', `/jobs/${job.id}/artifacts`, { headers, body });
    expect([response.status, job.artifacts]).toEqual([400, []]);
  });

  it('is refused with a wrong token and after the job', async () => {
    await using bench = await aGitLab();
    const { client } = bench;
    const job = await bench.runningJob();
    const upload = { bytes: Buffer.from('x') };
    const wrong = await client.upload(job.id, 'glcbt-64_1001_wrong', upload);
    await client.update(job, { state: 'success' });
    const late = await client.upload(job.id, job.token, upload);
    expect([wrong.status, late.status, late.headers.get('job-status')]).toEqual([403, 403, 'success']);
  });

  it('that names too great a length is refused before it is sent', async () => {
    await using bench = await aGitLab({ artifactLimitBytes: mebibyte });
    const job = await bench.runningJob();
    using upload = rawUpload(bench, job, { 'Content-Length': String(3 * mebibyte) });
    upload.request.flushHeaders();
    expect((await upload.answer).statusCode).toBe(413);
  });

  it('without a length is refused when it has grown too large, and read on a while so that the answer arrives', async () => {
    await using bench = await aGitLab({ artifactLimitBytes: mebibyte });
    const job = await bench.runningJob();
    using upload = rawUpload(bench, job, { 'Transfer-Encoding': 'chunked' });
    upload.request.write(filePartHead);
    upload.request.write(Buffer.alloc(3 * mebibyte));
    const answer = await upload.answer;
    answer.resume();
    upload.request.end();
    expect([answer.statusCode, job.artifacts]).toEqual([413, []]);
  });

  it('is cut where a client will not stop', async () => {
    await using bench = await aGitLab({ artifactLimitBytes: mebibyte });
    const job = await bench.runningJob();
    using upload = rawUpload(bench, job, { 'Transfer-Encoding': 'chunked' });
    upload.request.write(filePartHead);
    const closed = new Promise<void>((resolve) => upload.request.once('close', resolve));
    const send = () => {
      while (!upload.request.destroyed && upload.request.write(Buffer.alloc(mebibyte)));
      upload.request.once('drain', send);
    };
    send();
    await closed;
    expect(job.artifacts).toEqual([]);
  });

  it('leaves nothing behind when the client dies', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    using upload = rawUpload(bench, job, { 'Transfer-Encoding': 'chunked' });
    upload.request.write(filePartHead);
    upload.request.write(Buffer.alloc(mebibyte));
    await vi.waitFor(() => expect(bench.gitlab.requests.at(-1)?.route).toBe('artifacts-upload'));
    upload.request.destroy();
    await expect(upload.answer).rejects.toThrow();
    expect([job.artifacts, (await bench.client.update(job, { state: 'success' })).status]).toEqual([[], 200]);
  });

  it('is sent elsewhere once, where the instance redirects', async () => {
    await using bench = await aGitLab({ redirectsUploads: true });
    const { client, gitlab } = bench;
    const job = await bench.runningJob();
    const upload = { bytes: Buffer.from('x') };
    const first = await client.upload(job.id, job.token, upload);
    const second = await client.upload(job.id, job.token, upload);
    expect([first.status, first.headers.get('location'), second.status]).toEqual([
      307,
      `${gitlab.url}/api/v4/jobs/${job.id}/artifacts?artifact_format=zip&artifact_type=archive`,
      201,
    ]);
  });

  it('may not be authorized by clients', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    const headers = { 'JOB-TOKEN': job.token };
    expect((await bench.client.send('POST', `/jobs/${job.id}/artifacts/authorize`, { headers })).status).toBe(403);
  });
});

describe('a download', () => {
  it('gives a job what it depends on, byte for byte', async () => {
    await using bench = await aGitLab();
    const bytes = randomBytes(3 * mebibyte + 1);
    const { first, second } = await twoJobs(bench, bytes);
    const response = await bench.client.download(first.id, second.token);
    expect([response.status, Buffer.from(await response.arrayBuffer()).equals(bytes)]).toEqual([200, true]);
    const names = ['content-type', 'content-disposition', 'content-length', 'accept-ranges', 'etag'];
    expect(names.map((name) => response.headers.get(name))).toEqual([
      'application/zip',
      'attachment; filename="artifacts.zip"',
      String(bytes.length),
      'bytes',
      `"${first.archive?.sha256}"`,
    ]);
    expect(second.updates.at(-1)).toMatchObject({ kind: 'download', status: 200 });
  });

  it('gives a job its own artifacts while it runs', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    await bench.client.upload(job.id, job.token, { bytes: Buffer.from('own') });
    expect(await (await bench.client.download(job.id, job.token)).text()).toBe('own');
    await bench.client.update(job, { state: 'success' });
    expect((await bench.client.download(job.id, job.token)).status).toBe(401);
  });

  it.each([
    ['bytes=0-0', 206, 'bytes 0-0/10', '0'],
    ['bytes=4-', 206, 'bytes 4-9/10', '456789'],
    ['bytes=-3', 206, 'bytes 7-9/10', '789'],
    ['bytes=8-100', 206, 'bytes 8-9/10', '89'],
    ['bytes=10-', 416, 'bytes */10', ''],
    ['lines=1-2', 200, null, '0123456789'],
  ])('of the range %s is answered %i', async (range, status, contentRange, text) => {
    await using bench = await aGitLab();
    const { first, second } = await twoJobs(bench, Buffer.from('0123456789'));
    const response = await bench.client.download(first.id, second.token, { range });
    expect([response.status, response.headers.get('content-range'), await response.text()]).toEqual([
      status,
      contentRange,
      text,
    ]);
  });

  it('is refused without a token, with an unknown one, and for a job that is no dependency', async () => {
    await using bench = await aGitLab();
    const { first, second } = await twoJobs(bench, Buffer.from('x'));
    const other = await bench.runningJob();
    const statuses = await Promise.all(
      [
        bench.client.download(first.id, undefined),
        bench.client.download(first.id, 'glcbt-64_1001_wrong'),
        bench.client.download(first.id, first.token),
        bench.client.download(first.id, other.token),
        bench.client.download(9999, second.token),
      ].map(async (answer) => (await answer).status),
    );
    expect(statuses).toEqual([401, 401, 401, 403, 403]);
  });

  it('takes the own token of a finished dependency, as older servers do', async () => {
    await using bench = await aGitLab({ dependencyTokens: 'dependency' });
    const { first, second } = await twoJobs(bench, Buffer.from('x'));
    const own = await bench.client.download(first.id, first.token);
    const cross = await bench.client.download(second.id, first.token);
    expect([own.status, cross.status]).toEqual([200, 403]);
  });

  it('of nothing is answered 404', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    expect((await bench.client.download(job.id, job.token)).status).toBe(404);
    await bench.client.upload(job.id, job.token, {
      bytes: Buffer.from('x'),
      query: 'artifact_type=junit&artifact_format=gzip',
    });
    expect((await bench.client.download(job.id, job.token)).status).toBe(404);
  });

  it('goes to object storage only where the client asks for it and there is one', async () => {
    await using bench = await aGitLab({ hasObjectStorage: true });
    const { client, gitlab } = bench;
    const { first, second } = await twoJobs(bench, Buffer.from('stored'));
    const direct = await client.download(first.id, second.token, { query: '?direct_download=true' });
    const streamed = await client.download(first.id, second.token, { query: '?direct_download=false' });
    const location = direct.headers.get('location') ?? '';
    expect([direct.status, location.startsWith(`${gitlab.url}/-/storage/`), streamed.status]).toEqual([302, true, 200]);
    expect(await (await fetch(location)).text()).toBe('stored');
    expect((await fetch(location.replace(/storage\/..../, 'storage/aaaa'))).status).toBe(403);
  });
});

const filePartHead = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n';

interface RawUpload extends Disposable {
  request: ClientRequest;
  answer: Promise<IncomingMessage>;
}

/** An upload whose bytes the test sends itself. */
function rawUpload(bench: AGitLab, job: FakeJob, headers: Record<string, string>): RawUpload {
  const request = httpRequest(`${bench.gitlab.url}/api/v4/jobs/${job.id}/artifacts`, {
    method: 'POST',
    agent: false,
    headers: { 'JOB-TOKEN': job.token, 'Content-Type': 'multipart/form-data; boundary=b', ...headers },
  });
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
  });
  answer.catch(() => {});
  return { request, answer, [Symbol.dispose]: () => void request.destroy() };
}
