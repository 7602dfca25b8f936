// `npm run demo`: the main job, whole, on this PC. A stand-in GitLab, the core, real QEMU machines, three real jobs;
// then compares every trace with the one GitLab has. Exit code 0 only if everything came as expected.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { toWireError } from '../../electron/contract/errors.ts';
import { createClient, serve, type Transport } from '../../electron/contract/transport.ts';
import { openBench } from '../../electron/core/bench.ts';
import { ImageCatalogue } from '../../electron/core/images/image-catalogue.ts';
import { systemClock } from '../../electron/core/platform/clock.ts';
import { directoriesBelow, systemDirectories } from '../../electron/core/platform/directories.ts';
import { systemFiles } from '../../electron/core/platform/files.ts';
import { createLog } from '../../electron/core/platform/log.ts';
import { systemProcesses } from '../../electron/core/platform/processes.ts';
import { systemRandom } from '../../electron/core/platform/random.ts';
import { serveHeadless } from '../../electron/headless/http-server.ts';
import { createDemoPipeline, type DemoPipeline } from '../fakes/gitlab/demo-pipeline.ts';
import { FakeGitLab } from '../fakes/gitlab/fake-gitlab.ts';
import { type DemoOptions, demoUsage, parseDemoOptions } from './demo-options.ts';
import { RunFollower } from './follow-runs.ts';
import { summary } from './summary.ts';
import { DemoTerminal } from './terminal.ts';

/** The name under which machines reach the stand-in, which really listens on this PC's loopback. */
const gitlabName = 'gitlab.demo';
const gitlabPort = 8929;
/** Under emulation a machine takes some seconds to boot and a small job some more; the whole demo a minute or two. */
const limitMs = 15 * 60_000;

async function demo(options: DemoOptions, signal: AbortSignal): Promise<boolean> {
  const terminal = new DemoTerminal();
  await using scope = new AsyncDisposableStack();
  const root = await mkdtemp(join(tmpdir(), 'fb-demo-'));
  scope.defer(() => rm(root, { recursive: true, force: true, maxRetries: 5 }));
  const directories = { ...directoriesBelow(root), cache: systemDirectories(process.env).cache };
  const log = createLog({ level: process.env['FORREST_BENCH_LOG'] ?? 'silent' });
  const recipesDirectory = resolve('vm-images');
  const image = options.isSmoke ? 'smoke' : 'debian-12';

  const deps = { clock: systemClock, files: systemFiles, processes: systemProcesses, random: systemRandom, log };
  const catalogue = new ImageCatalogue(deps, { recipesDirectory, cacheDirectory: directories.cache });
  terminal.say(`Image ${image}: built from Debian's packages the first time, which takes a minute or two.`);
  await catalogue.build(image, { onProgress: ({ text }) => terminal.phase('image', text), signal });

  const gitlab = scope.use(
    await FakeGitLab.start({
      directory: join(root, 'gitlab'),
      publicUrl: `http://${gitlabName}:${gitlabPort}`,
      longPollMs: 20_000,
    }),
  );
  const runner = gitlab.addRunner({ description: 'demo' });
  terminal.say(`A stand-in GitLab listens at ${gitlab.url}; machines know it as ${gitlabName}.`);

  const configPath = join(root, 'config.yaml');
  await writeFile(join(root, 'token'), `${runner.token}\n`, { mode: 0o600 });
  await writeFile(configPath, demoConfig(options, gitlab.url, image));
  const bench = scope.use(await openBench({ configPath, directories, version: 'demo', recipesDirectory, log }));
  const headless = scope.use(
    await serveHeadless(deps, {
      handlers: bench.handlers,
      rendererDirectory: resolve('dist/renderer'),
      accessToken: systemRandom.base62(32),
      host: '127.0.0.1',
      port: options.port,
    }),
  );
  terminal.say(`The interface, with the same data, live: ${headless.url}`);

  const follower = scope.use(new RunFollower(createClient(directTransport(bench.handlers)), terminal, systemClock));
  const pipeline = await createDemoPipeline(gitlab, { runnerToken: runner.token, hasGit: !options.isSmoke });
  scope.use(bench.onDelta((delta) => follower.take(delta)));
  await allFinished(bench, follower, pipeline, signal);
  await follower.settled();

  const result = await summary(pipeline, follower.finished, (runId) => readTrace(directories.data, runId));
  terminal.say(result.text);
  if (options.isKept && !signal.aborted) {
    terminal.say(`Everything stays as it is: ${headless.url}  (Ctrl-C ends it)`);
    await aborted(signal);
  }
  return result.isAsExpected;
}

function demoConfig(options: DemoOptions, url: string, image: string): string {
  const { port } = new URL(url);
  return `# Written by npm run demo.
capacity:
  here: { cpus: 2, memory: 2G, disk: 20G, runs: 2 }
  keep-free: { memory: 512M, disk: 1G }
machines:
  demo:
    image: ${image}
    executor: shell
    cpus: 1
    memory: ${options.isSmoke ? '512M' : '1G'}
    disk: 8G
    reach:
      - { name: ${gitlabName}, port: ${gitlabPort}, to: "127.0.0.1:${port}" }
${options.runnerBinaryPath === undefined ? '' : `    runner-binary: ${JSON.stringify(resolve(options.runnerBinaryPath))}\n`}connections:
  - name: demo
    url: ${url}
    runners:
      - { name: this PC, token-file: token, machine: demo }
`;
}

/** Until every job of the pipeline has its row of history. */
async function allFinished(
  bench: Awaited<ReturnType<typeof openBench>>,
  follower: RunFollower,
  pipeline: DemoPipeline,
  signal: AbortSignal,
): Promise<void> {
  const done = Promise.withResolvers<void>();
  const look = () => {
    if (follower.finished.length >= pipeline.jobs.length) done.resolve();
    const broken = bench.state.problems[0];
    if (broken !== undefined) done.reject(new Error(`${broken.message}\n  ${broken.remedy} (${broken.code})`));
    const stopped = Object.values(bench.state.runnersById).find((runner) => runner.status.kind === 'stopped');
    if (stopped?.status.kind === 'stopped')
      done.reject(new Error(`${stopped.status.error.message}\n  ${stopped.status.error.remedy}`));
  };
  using _change = bench.onChange(look);
  using _limit = systemClock.after(limitMs, () =>
    done.reject(new Error(`the jobs did not end within ${limitMs / 60_000} minutes`)),
  );
  look();
  await Promise.race([done.promise, aborted(signal)]);
  signal.throwIfAborted();
}

/** The trace as the app keeps it, from the file itself. */
async function readTrace(dataDirectory: string, runId: string): Promise<Uint8Array> {
  return systemFiles.readRange(join(dataDirectory, 'traces', `${runId}.log`), 0, 64 * 1024 * 1024);
}

function directTransport(handlers: Parameters<typeof serve>[0]): Transport {
  const server = serve(handlers);
  return { call: (name, input) => server.answer(name, input), listen: (name, onEvent) => server.open(name, onEvent) };
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

try {
  const options = parseDemoOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(demoUsage);
  } else {
    const interrupted = new AbortController();
    // Not once: npm and the shell pass a signal on that this process has got already, and cleaning up takes a moment.
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.on(name, () => interrupted.abort(new Error('interrupted')));
    }
    process.exitCode = (await demo(options, interrupted.signal)) ? 0 : 1;
  }
} catch (error) {
  const { message, remedy, code } = toWireError(error);
  process.stderr.write(`\nThe demo failed: ${message}\n`);
  if (code !== 'internal/unexpected') process.stderr.write(`  ${remedy} (${code})\n`);
  process.exitCode = 1;
}
