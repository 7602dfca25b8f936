import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createDemoPipeline } from './demo-pipeline.ts';
import { FakeGitLab } from './fake-gitlab.ts';

const usage = `usage: node test/fakes/gitlab/main.ts --directory DIR [--port 8929] [--public-url URL] [--base-path /gitlab]
         [--long-poll-ms 50000] [--runner-token TOKEN] [--pipeline git|inline]
Prints one JSON line: url, runnerToken, controlToken, and with --pipeline the expected outcomes. Ends on SIGTERM or SIGINT.`;

const { values } = parseArgs({
  options: {
    directory: { type: 'string' },
    port: { type: 'string', default: '8929' },
    'public-url': { type: 'string' },
    'base-path': { type: 'string', default: '' },
    'long-poll-ms': { type: 'string', default: '0' },
    'runner-token': { type: 'string' },
    pipeline: { type: 'string' },
  },
});
const { directory, pipeline } = values;
const basePath = values['base-path'];
const isUsable =
  directory !== undefined &&
  (basePath === '' || basePath === '/gitlab') &&
  (pipeline === undefined || pipeline === 'git' || pipeline === 'inline');

if (isUsable) {
  await mkdir(directory, { recursive: true });
  const ended = new Promise<void>((end) => {
    process.once('SIGTERM', () => end());
    process.once('SIGINT', () => end());
  });
  await using gitlab = await FakeGitLab.start({
    directory: resolve(directory),
    basePath,
    port: Number(values.port),
    longPollMs: Number(values['long-poll-ms']),
    ...(values['public-url'] === undefined ? {} : { publicUrl: values['public-url'] }),
  });
  const token = values['runner-token'];
  const runner = gitlab.addRunner({ description: 'demo', ...(token === undefined ? {} : { token }) });
  const demo = pipeline === undefined ? null : await createDemoPipeline(gitlab, { hasGit: pipeline === 'git' });
  const { url, controlToken } = gitlab;
  const expected = demo === null ? {} : { expected: demo.expected };
  process.stdout.write(`${JSON.stringify({ url, runnerToken: runner.token, controlToken, ...expected })}\n`);
  await ended;
} else {
  process.stderr.write(`${usage}\n`);
  process.exitCode = 2;
}
