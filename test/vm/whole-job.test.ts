import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import type { RunView } from '../../electron/contract/state.ts';
import { createClient, serve } from '../../electron/contract/transport.ts';
import { openBench } from '../../electron/core/bench.ts';
import { directoriesBelow, systemDirectories } from '../../electron/core/platform/directories.ts';
import { silentLog } from '../../electron/core/platform/log.ts';
import { createDemoPipeline } from '../fakes/gitlab/demo-pipeline.ts';
import { FakeGitLab } from '../fakes/gitlab/fake-gitlab.ts';

const officialRunner = process.env['FORREST_BENCH_RUNNER'];
let scope = new AsyncDisposableStack();
afterEach(async () => {
  await scope.disposeAsync();
  scope = new AsyncDisposableStack();
});

/** A stand-in GitLab and a bench whose machines are real, with images built before or now. */
async function realBench(image: string, runnerBinaryPath?: string) {
  const root = await mkdtemp(join(tmpdir(), 'fb-vm-'));
  scope.defer(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));
  await mkdir(join(root, 'gitlab'));
  const gitlab = scope.use(
    await FakeGitLab.start({
      directory: join(root, 'gitlab'),
      publicUrl: 'http://gitlab.demo:8929',
      longPollMs: 20_000,
    }),
  );
  const runner = gitlab.addRunner();
  await writeFile(join(root, 'token'), runner.token, { mode: 0o600 });
  const configPath = join(root, 'config.yaml');
  const lines = [
    'capacity: { here: { cpus: 1, memory: 1G, disk: 10G, runs: 1 }, keep-free: { memory: 1M, disk: 1M } }',
    'machines:',
    '  real:',
    `    { image: ${image}, executor: shell, cpus: 1, memory: 768M, disk: 6G,`,
    `      reach: [{ name: gitlab.demo, port: 8929, to: "127.0.0.1:${new URL(gitlab.url).port}" }] }`,
    'connections:',
    `  - { name: work, url: "${gitlab.url}", runners: [{ name: bench, token-file: token, machine: real }] }`,
  ];
  await writeFile(configPath, lines.join('\n'));
  const bench = scope.use(
    await openBench({
      configPath,
      directories: { ...directoriesBelow(root), cache: systemDirectories(process.env).cache },
      version: 'test',
      recipesDirectory: resolve('vm-images'),
      log: silentLog,
      ...(runnerBinaryPath === undefined ? {} : { runnerBinaryPath }),
    }),
  );
  const server = serve(bench.handlers);
  const client = createClient({
    call: (name, input) => server.answer(name, input),
    listen: (name, on) => server.open(name, on),
  });
  const finished = async (count: number): Promise<RunView[]> => {
    await vi.waitFor(() => expect(bench.state.history.length).toBeGreaterThanOrEqual(count), {
      timeout: 170_000,
      interval: 200,
    });
    return bench.state.history;
  };
  return { gitlab, runner, bench, client, finished };
}

const traceOf = async (client: ReturnType<typeof createClient>, run: RunView) =>
  Buffer.from((await client.call('trace.read', { runId: run.id, fromByte: 0 })).base64, 'base64');

it('runs a job in the small machine, from the poll to the last byte of its trace', async () => {
  const { gitlab, client, finished } = await realBench('smoke');
  const job = gitlab.enqueue({
    name: 'hello',
    variables: { GIT_STRATEGY: 'none' },
    script: ['echo "hello from $(uname -r)"', 'echo "pid 1 is $(cat /proc/1/comm)"'],
  });
  const [run] = await finished(1);
  expect([job.state, job.failureReason]).toEqual(['success', null]);
  expect(job.trace.toString()).toMatch(/hello from \d+\.\d+/);
  if (run === undefined) throw new Error('no run');
  expect(await traceOf(client, run)).toEqual(job.trace);
  const { base64 } = await client.call('console.read', { runId: run.id, fromByte: 0 });
  const console = Buffer.from(base64, 'base64').toString();
  expect(console).toMatch(/bench/);
  expect(console).not.toContain(job.token);
});

it('runs a pipeline in debian-12: clone, artifact up, artifact down, and a failure on purpose', async () => {
  const { gitlab, runner, client, finished } = await realBench('debian-12');
  const pipeline = await createDemoPipeline(gitlab, { runnerToken: runner.token, hasGit: true });
  const runs = await finished(3);
  expect(pipeline.jobs.map((job) => [job.name, job.state, job.failureReason])).toEqual(
    pipeline.expected.map(({ name, expectedState, failureReason }) => [name, expectedState, failureReason]),
  );
  for (const run of runs) {
    const job = pipeline.jobs.find((candidate) => candidate.id === run.job.id);
    expect(await traceOf(client, run)).toEqual(job?.trace);
  }
});

it('keeps a machine from this PC and its network', async () => {
  const { gitlab, finished } = await realBench('debian-12');
  const { port } = new URL(gitlab.url);
  const door = (name: string, command: string) => `${command} && echo "OPEN ${name}" || echo "closed ${name}"`;
  const job = gitlab.enqueue({
    variables: { GIT_STRATEGY: 'none' },
    script: [
      door('host loopback', `curl -s -m 5 --noproxy '*' http://10.0.2.2:${port}/ -o /dev/null`),
      door('host loopback by proxy', `curl -s -f -m 5 http://127.0.0.1:${port}/ --noproxy '' -o /dev/null`),
      door('private network', "curl -s -m 5 --noproxy '*' http://192.168.1.1/ -o /dev/null"),
      door('private network by proxy', "curl -s -f -m 5 http://192.168.1.1/ --noproxy '' -o /dev/null"),
      door('metadata by proxy', "curl -s -f -m 5 http://169.254.169.254/ --noproxy '' -o /dev/null"),
      door('another port of GitLab', "curl -s -m 5 --noproxy '*' http://gitlab.demo:22/ -o /dev/null"),
      door('GitLab by name', 'curl -s -m 5 http://gitlab.demo:8929/ -o /dev/null'),
    ],
  });
  await finished(1);
  const trace = job.trace.toString();
  const found = [...trace.matchAll(/^(?:.*[^"A-Za-z ])?(OPEN|closed) ([a-zA-Z ]+?)\r?$/gm)].map(
    (match) => `${match[1]} ${match[2]}`,
  );
  expect(found).toEqual([
    'closed host loopback',
    'closed host loopback by proxy',
    'closed private network',
    'closed private network by proxy',
    'closed metadata by proxy',
    'closed another port of GitLab',
    'OPEN GitLab by name',
  ]);
});

it('lets a machine see that a connection was ended on this side', async () => {
  const { gitlab, finished } = await realBench('debian-12');
  const job = gitlab.enqueue({
    variables: { GIT_STRATEGY: 'none' },
    script: [
      'exec 3<>/dev/tcp/gitlab.demo/8929',
      'printf "GET /x HTTP/1.0\\r\\n\\r\\n" >&3',
      'timeout 10 cat <&3 >/dev/null',
    ],
  });
  await finished(1);
  expect([job.state, job.exitCode]).toEqual(['success', null]);
});

it('runs a job by the official gitlab-runner', async (context) => {
  if (officialRunner === undefined) {
    context.skip('no official gitlab-runner: name one in FORREST_BENCH_RUNNER');
    return;
  }
  const { gitlab, runner, client, finished } = await realBench('debian-12', officialRunner);
  const pipeline = await createDemoPipeline(gitlab, { runnerToken: runner.token, hasGit: true });
  const runs = await finished(3);
  expect(pipeline.jobs.map((job) => [job.name, job.state, job.failureReason])).toEqual(
    pipeline.expected.map(({ name, expectedState, failureReason }) => [name, expectedState, failureReason]),
  );
  for (const run of runs) {
    const job = pipeline.jobs.find((candidate) => candidate.id === run.job.id);
    expect(await traceOf(client, run)).toEqual(job?.trace);
  }
});
