import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FakeJob } from '../../fakes/gitlab/fake-job.ts';
import type { JobSpec } from '../../fakes/gitlab/job-spec.ts';
import { readZip } from './read-zip.ts';
import { plainTrace, RunnerBench, shellNames } from './shell-runner.ts';

let bench: RunnerBench;
beforeEach(async () => {
  bench = await RunnerBench.open();
});
afterEach(() => bench[Symbol.asyncDispose]());

/** Makes a tree, and in it something of each kind that an archive may hold. */
const makeTree = [
  'mkdir -p "out/sub dir/deep" logs',
  'seq 1 20000 >out/numbers; : >out/empty; printf "ünï" >"out/sub dir/ünï.txt"',
  'head -c 70000 /dev/urandom >"out/sub dir/deep/random"; ln -s numbers out/link; chmod 755 out/empty',
  'echo log >logs/a.log; echo other >logs/b.txt; echo top >top.txt',
];

async function pathsOf(job: FakeJob): Promise<string[]> {
  if (job.archive === undefined) return [];
  return readZip(await readFile(job.archive.path)).map((entry) => entry.path);
}

async function run(spec: JobSpec): Promise<FakeJob> {
  const job = bench.gitlab.enqueue(spec);
  await bench.run();
  return job;
}

describe('artifacts of the shell runner', () => {
  it.each(shellNames)('hands files on to a later job as they were, under %s', async (shell) => {
    const first = bench.gitlab.enqueue({
      name: 'make',
      script: [...makeTree, '(cd out && find . -type f | sort | xargs -d "\\n" sha256sum) >sums; cat sums'],
      artifacts: { paths: ['out', 'sums'] },
    });
    await bench.run({ shell });
    const second = bench.gitlab.enqueue({
      name: 'use',
      needs: [first],
      script: ['(cd out && sha256sum -c ../sums)', 'readlink out/link', 'test -x out/empty && echo executable'],
    });
    // A machine of its own would have no files of the first.
    await bench.run({ shell, env: { BENCH_BUILDS_DIR: `${bench.buildsDirectory}-2` } });
    expect([first.state, second.state]).toEqual(['success', 'success']);
    const trace = plainTrace(second.trace);
    expect(trace).toContain('Downloading the artifacts of make');
    expect(trace.match(/: OK$/gm)).toHaveLength(4);
    expect(trace).toMatch(/\nnumbers\n\$ test -x/);
    expect(trace).toContain('\nexecutable\n');
  });

  it('writes modes, folders and links into the archive', async () => {
    const job = await run({ script: makeTree, artifacts: { paths: ['out'] } });
    const entries = readZip(await readFile(job.archive?.path ?? ''));
    expect(Object.fromEntries(entries.map(({ path, mode }) => [path, mode.toString(8)]))).toEqual({
      'out/': '40755',
      'out/empty': '100755',
      'out/link': '120777',
      'out/numbers': '100644',
      'out/sub dir/': '40755',
      'out/sub dir/deep/': '40755',
      'out/sub dir/deep/random': '100644',
      'out/sub dir/ünï.txt': '100644',
    });
    expect(entries.find(({ path }) => path === 'out/link')?.bytes.toString()).toBe('numbers');
    expect(entries.find(({ path }) => path === 'out/sub dir/ünï.txt')?.bytes.toString()).toBe('ünï');
  });

  it.each<[string, JobSpec['artifacts'], string[]]>([
    ['one level', { paths: ['logs/*'] }, ['logs/a.log', 'logs/b.txt']],
    ['any level', { paths: ['**/*.txt'] }, ['logs/b.txt', 'out/sub dir/ünï.txt', 'top.txt']],
    ['alternatives', { paths: ['logs/*.{log,tmp}', 'to[p-q].txt'] }, ['logs/a.log', 'top.txt']],
    ['absolute paths', { paths: ['$CI_PROJECT_DIR/logs/?.log'] }, ['logs/a.log']],
    ['exclusions', { paths: ['logs/*', 'top.txt'], exclude: ['**/*.log'] }, ['logs/b.txt', 'top.txt']],
  ])('selects by %s', async (_what, artifacts, paths) => {
    const job = await run({ script: makeTree, artifacts: artifacts ?? {} });
    expect((await pathsOf(job)).sort()).toEqual(paths);
  });

  it('selects what git does not know', async () => {
    const project = await bench.gitlab.addProject({ path: 'lab/app', files: { known: 'known' } });
    const job = await run({ project, script: ['echo new >new; echo newer >newer'], artifacts: { untracked: true } });
    expect((await pathsOf(job)).sort()).toEqual(['new', 'newer']);
  });

  it('sends reports packed by gzip, with their type and lifetime', async () => {
    const job = await run({
      script: ['echo "<testsuite/>" >report.xml'],
      artifacts: { reports: { junit: ['report.xml'] }, expireIn: '1 week' },
    });
    expect(job.artifacts).toMatchObject([
      { type: 'junit', format: 'gzip', filename: 'junit.xml.gz', expireIn: '1 week' },
    ]);
    expect(gunzipSync(await readFile(job.artifacts[0]?.path ?? '')).toString()).toBe('<testsuite/>\n');
  });

  it.each([
    ['on_success', 0, 1],
    ['on_success', 1, 0],
    ['on_failure', 0, 0],
    ['on_failure', 1, 1],
    ['always', 1, 1],
  ] as const)('with when: %s and exit code %i it uploads %i archives', async (when, exitCode, count) => {
    const job = await run({ script: ['echo x >file', `exit ${exitCode}`], artifacts: { paths: ['file'], when } });
    expect(job.artifacts).toHaveLength(count);
  });

  it('warns of a pattern that matches nothing, and does not fail for it', async () => {
    const job = await run({ script: ['true'], artifacts: { paths: ['nothing/*'] } });
    expect([job.state, job.artifacts]).toEqual(['success', []]);
    expect(plainTrace(job.trace)).toContain('WARNING: nothing to upload as archive: no file matches nothing/*');
  });

  it('tries again when the store has trouble', async () => {
    bench.gitlab.failNext('artifacts-upload', { status: 503 }, 2);
    const job = await run({ script: ['echo x >file'], artifacts: { paths: ['file'] } });
    expect([job.state, await pathsOf(job)]).toEqual(['success', ['file']]);
  });

  it('fails the job when an upload is refused for good', async () => {
    bench.gitlab.failNext('artifacts-upload', { status: 413 });
    const job = await run({ script: ['echo x >file'], artifacts: { paths: ['file'] } });
    expect([job.state, job.failureReason]).toEqual(['failed', 'script_failure']);
    expect(plainTrace(job.trace)).toContain('ERROR: uploading failed: larger than GitLab allows (413)');
  });

  it.each([
    ['is gone', { status: 404 }, 'GitLab has none (404)'],
    ['may not be had', { status: 403 }, 'GitLab does not allow it (403)'],
  ])('fails a job whose dependency %s, before its script', async (_what, fault, words) => {
    const first = await run({ name: 'make', script: ['echo x >file'], artifacts: { paths: ['file'] } });
    bench.gitlab.failNext('artifacts-download', fault, 3);
    const second = await run({ needs: [first], script: ['echo never'] });
    expect([second.state, second.failureReason]).toEqual(['failed', 'script_failure']);
    expect(plainTrace(second.trace)).toContain(`ERROR: the artifacts of make cannot be had: ${words}`);
    expect(plainTrace(second.trace)).not.toContain('never');
  });

  it('fetches again what came cut short', async () => {
    const first = await run({ name: 'make', script: ['seq 50000 >file'], artifacts: { paths: ['file'] } });
    bench.gitlab.failNext('artifacts-download', 'truncate');
    const second = await run({ needs: [first], script: ['wc -l <file'] });
    expect([second.state, plainTrace(second.trace).includes('\n50000\n')]).toEqual(['success', true]);
  });
});
