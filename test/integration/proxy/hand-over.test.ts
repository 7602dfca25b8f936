import { connect } from 'node:net';
import { expect, it, vi } from 'vitest';
import { FakeClock } from '../../fakes/clock.ts';
import { aJob, aRun, jobToken, vmToken } from './a-run.ts';

it('H06 hands over the job with the time since GitLab gave it taken off its timeout', async () => {
  const clock = new FakeClock();
  await using run = await aRun({ clock });
  await clock.advance(300_000);
  const answer = await run.ask();
  expect({ ...answer, body: answer.body.toString() }).toEqual({
    status: 201,
    headers: expect.objectContaining({
      'content-type': 'application/json',
      'content-length': String(answer.body.length),
    }),
    body: `{"id":4711,"token":"${jobToken}","runner_info":{"timeout":3300},"steps":[]}`,
  });
});

it('H07 takes 3600 seconds where GitLab sent no timeout', async () => {
  const clock = new FakeClock();
  const payload = Buffer.from('{"id":4711,"runner_info":{"timeout":0}}');
  await using run = await aRun({ clock, job: aJob({ payload, receivedAt: clock.now() }) });
  await clock.advance(100_000);
  expect((await run.ask()).body.toString()).toBe('{"id":4711,"runner_info":{"timeout":3500}}');
});

it('H08 leaves the digits of integers above 2^53 alone', async () => {
  const payload = Buffer.from('{"new_id": 9007199254740993, "id":4711,"runner_info":{"timeout":3600}}');
  await using run = await aRun({ job: aJob({ payload }) });
  expect((await run.ask()).body.toString()).toContain('9007199254740993');
});

it('H09 hands the job over once', async () => {
  await using run = await aRun();
  expect((await run.ask()).status).toBe(201);
  await vi.waitFor(() => expect(run.listener.phase).toBe('running'));
  const second = await run.ask();
  expect([second.status, second.body.length]).toEqual([204, 0]);
  expect(run.of('handed-over')).toHaveLength(1);
});

it('tells what the runner says about itself', async () => {
  await using run = await aRun();
  await run.ask();
  const info = {
    name: 'gitlab-runner',
    version: '19.1.0',
    revision: '',
    platform: '',
    architecture: '',
    executor: '',
    shell: '',
    features: { refspecs: true },
  };
  expect(run.events.slice(0, 2)).toEqual([{ kind: 'guest-seen' }, { kind: 'runner-asked', info }]);
});

const large = () =>
  aJob({ payload: Buffer.from(`{"id":4711,"runner_info":{"timeout":3600},"x":"${'x'.repeat(16_000_000)}"}`) });

/** Asks for the job and hangs up when the first bytes of it have come. */
async function breakOff(socketPath: string): Promise<void> {
  const body = JSON.stringify({ token: vmToken });
  const socket = connect(socketPath);
  socket.write(`POST /api/v4/jobs/request HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  await new Promise<void>((resolve) => socket.once('data', () => socket.destroy()).once('close', () => resolve()));
}

it('H10 hands the job over again when the connection broke within it', async () => {
  await using run = await aRun({ job: large() });
  await breakOff(run.socketPath);
  await vi.waitFor(async () => expect((await run.ask()).status).toBe(201));
  await vi.waitFor(() => expect(run.of('handed-over')).toHaveLength(1));
});

it('H10 does not hand it over again once the runner acted on it', async () => {
  await using run = await aRun({ job: large() });
  await breakOff(run.socketPath);
  expect((await run.put({ state: 'running' })).status).toBe(200);
  expect((await run.ask()).status).toBe(204);
  expect(run.of('handed-over')).toHaveLength(1);
});

it('H11 answers 403 to a wrong token and keeps the job', async () => {
  await using run = await aRun();
  expect((await run.ask({}, 'glrt-abcdefghi_wrong')).status).toBe(403);
  expect(run.of('runner-asked')).toEqual([]);
  expect((await run.ask()).status).toBe(201);
});

it('H12 answers 403 where header and body disagree', async () => {
  await using run = await aRun();
  expect((await run.ask({ 'runner-token': 'glrt-other' })).status).toBe(403);
  expect((await run.ask({ 'runner-token': vmToken })).status).toBe(201);
});

it('H13 answers 403 to the token of another run', async () => {
  await using a = await aRun({ vmToken: 'glrt-abcdefghi_A' });
  await using b = await aRun({ vmToken: 'glrt-abcdefghi_B' });
  expect((await b.ask({}, 'glrt-abcdefghi_A')).status).toBe(403);
  expect((await a.ask({}, 'glrt-abcdefghi_A')).status).toBe(201);
});

it('H14 answers 503 with Retry-After until the job is offered', async () => {
  await using run = await aRun({ startIn: 'booting' });
  const early = await run.ask();
  expect([early.status, early.headers['retry-after']]).toEqual([503, '2']);
  run.listener.offer();
  expect((await run.ask()).status).toBe(201);
});

it('answers 204 when the job was withdrawn', async () => {
  await using run = await aRun();
  run.listener.withdraw();
  expect((await run.ask()).status).toBe(204);
});

it('answers 204 after the process that handed the job over was replaced', async () => {
  await using run = await aRun({ startIn: 'running' });
  expect((await run.ask()).status).toBe(204);
});

it('answers 400 to a body that is no JSON and 413 to one over 64 KiB', async () => {
  await using run = await aRun();
  const post = (body: string) => run.machine.send({ method: 'POST', target: '/api/v4/jobs/request', body });
  expect((await post('token=x')).status).toBe(400);
  expect((await post(JSON.stringify({ token: vmToken, x: 'x'.repeat(70_000) }))).status).toBe(413);
  expect((await run.ask()).status).toBe(201);
});
