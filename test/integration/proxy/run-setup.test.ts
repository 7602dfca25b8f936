import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { FakeClock } from '../../fakes/clock.ts';
import { aRun, aSetup, vmToken } from './a-run.ts';

it('tells a machine what it needs', async () => {
  const clock = new FakeClock(1_800_000_000_000);
  await using run = await aRun({ clock });
  const answer = await run.machine.send({ method: 'GET', target: '/bench/v1/run' });
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
  expect(JSON.parse(answer.body.toString())).toEqual({
    ...aSetup,
    url: 'http://10.0.2.100/',
    token: vmToken,
    epochSeconds: 1_800_000_000,
  });
  expect(run.events).toEqual([{ kind: 'guest-seen' }]);
});

it.each([false, true])(
  'speaks to a client as old as busybox nc, whether it half-closes or not: %s',
  async (halfClose) => {
    await using run = await aRun();
    const answer = await run.machine.raw('GET /bench/v1/run?format=sh HTTP/1.0\r\nConnection: close\r\n\r\n', {
      halfClose,
    });
    const [head, body] = answer.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(head).toMatch(/Content-Length: \d+/);
    expect(head).not.toContain('chunked');
    expect(body).toContain(`BENCH_TOKEN='${vmToken}'\n`);
  },
);

it('gives a shell exactly the values, quotes and lines included', async () => {
  const caPem = "-----BEGIN CERTIFICATE-----\nit's $(no) `command`\n-----END CERTIFICATE-----\n";
  await using run = await aRun({ setup: { ...aSetup, caPem, cloneUrl: null } });
  const script = (await run.machine.send({ method: 'GET', target: '/bench/v1/run?format=sh' })).body.toString();
  const print =
    'for name in RUNNER_NAME CLONE_URL HOSTS NO_PROXY CA_PEM OUTPUT_LIMIT; do eval "printf \'%s|\' \\"\\$BENCH_$name\\""; done';
  const { stdout } = await promisify(execFile)('sh', ['-c', `${script}\n${print}`]);
  expect(stdout.split('|')).toEqual([
    "bench-3 build 'quoted'",
    '',
    '10.0.2.101 gitlab.lab\n10.0.2.102 registry.lab',
    '10.0.2.100,localhost',
    caPem,
    '16384',
    '',
  ]);
});

it('takes no other format', async () => {
  await using run = await aRun();
  expect((await run.machine.send({ method: 'GET', target: '/bench/v1/run?format=xml' })).status).toBe(400);
});
