import { describe, expect, it } from 'vitest';
import type { FakeJob } from '../../fakes/gitlab/fake-job.ts';
import { aGitLab } from './a-gitlab.ts';

const namedHeaders = ['range', 'job-status', 'x-gitlab-trace-update-interval'];
const answerOf = (response: Response) => [response.status, ...namedHeaders.map((name) => response.headers.get(name))];

describe('a trace', () => {
  it('grows at the offset that is stored, and names it', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    const first = await bench.client.patch(job, 0, 'Grüße\n');
    bench.gitlab.settings.traceUpdateIntervalSeconds = 3;
    const second = await bench.client.patch(job, 8, 'more\n');
    expect([answerOf(first), answerOf(second)]).toEqual([
      [202, '0-8', 'running', '60'],
      [202, '0-13', 'running', '3'],
    ]);
    expect([job.trace.toString(), job.traceSizeBytes]).toEqual(['Grüße\nmore\n', 13]);
  });

  it.each([
    ['before the end', 2],
    ['after the end', 9],
    ['that was stored already', 0],
  ])('refuses a slice %s with the offset it wants', async (_where, fromByte) => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    await bench.client.patch(job, 0, '12345');
    const response = await bench.client.patch(job, fromByte, '12345');
    expect([answerOf(response), job.trace.toString()]).toEqual([[416, '0-5', null, null], '12345']);
  });

  it('reads only the start of the range', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    expect((await patch(job, bench.client, { 'Content-Range': '0-999' })).status).toBe(202);
    expect(job.trace.toString()).toBe('text');
  });

  it('accepts a slice of nothing at the right offset', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    expect(answerOf(await bench.client.patch(job, 0, ''))).toEqual([202, '0-0', 'running', '60']);
  });

  it.each([
    ['without a range', { 'Content-Range': undefined }, 400],
    ['with a unit in the range', { 'Content-Range': 'bytes 0-3/4' }, 400],
    ['without a type', { 'Content-Type': '' }, 400],
    ['with a body called JSON', { 'Content-Type': 'application/json' }, 400],
    ['with a wrong token', { 'JOB-TOKEN': 'glcbt-64_1001_wrong' }, 403],
    ['without a token', { 'JOB-TOKEN': undefined }, 403],
  ])('refuses a slice %s', async (_what, headers, status) => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    expect([(await patch(job, bench.client, headers)).status, job.traceSizeBytes]).toEqual([status, 0]);
  });

  it('looks at the token before it looks at anything else', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    await bench.client.update(job, { state: 'success' });
    const response = await patch(job, bench.client, { 'Content-Range': undefined });
    expect(answerOf(response)).toEqual([403, null, 'success', null]);
  });

  it('fails the job that writes too much', async () => {
    await using bench = await aGitLab({ traceLimitMebibytes: 1 });
    const job = await bench.runningJob();
    const mebibyte = 'x'.repeat(1024 ** 2);
    const first = await bench.client.patch(job, 0, mebibyte.slice(1));
    const second = await bench.client.patch(job, mebibyte.length - 1, 'x');
    const third = await bench.client.patch(job, mebibyte.length - 1, 'x');
    expect([first.status, second.status, answerOf(third)]).toEqual([202, 403, [403, null, 'failed', null]]);
    expect([job.failureReason, job.traceSizeBytes]).toEqual(['trace_size_exceeded', mebibyte.length - 1]);
  });

  it('hides the job token without moving an offset', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    const response = await bench.client.patch(job, 0, `a ${job.token} b ${job.token}\n`);
    const hidden = `[MASKED]${'x'.repeat(job.token.length - 8)}`;
    expect(response.headers.get('range')).toBe(`0-${6 + 2 * job.token.length}`);
    expect(job.trace.toString()).toBe(`a ${hidden} b ${hidden}\n`);
  });

  it('remembers a wish for a restricted log', async () => {
    await using bench = await aGitLab();
    const job = await bench.runningJob();
    await bench.client.send('PATCH', `/jobs/${job.id}/trace?debug_trace=true`, {
      headers: { 'Content-Type': 'text/plain', 'JOB-TOKEN': job.token, 'Content-Range': '0-3' },
      body: 'text',
    });
    expect(job.hasDebugTrace).toBe(true);
  });
});

function patch(
  job: FakeJob,
  client: { send(method: string, path: string, init: RequestInit): Promise<Response> },
  changed: Readonly<Record<string, string | undefined>>,
): Promise<Response> {
  const headers = { 'Content-Type': 'text/plain', 'JOB-TOKEN': job.token, 'Content-Range': '0-3', ...changed };
  return client.send('PATCH', `/jobs/${job.id}/trace`, {
    headers: Object.entries(headers).filter((header): header is [string, string] => header[1] !== undefined),
    body: Buffer.from('text'),
  });
}
