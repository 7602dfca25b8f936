import { readdir } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { plainTrace, RunnerBench, shellNames } from './shell-runner.ts';

let bench: RunnerBench;
beforeEach(async () => {
  bench = await RunnerBench.open();
});
afterEach(() => bench[Symbol.asyncDispose]());

describe.each(shellNames)('the shell runner under %s', (shell) => {
  it('runs a job from its sources to its last state', async () => {
    const project = await bench.gitlab.addProject({
      path: 'lab/app',
      files: { 'greet.sh': '#!/bin/sh\necho "hello $1"\n' },
    });
    const job = bench.gitlab.enqueue({
      project,
      script: ['./greet.sh "$WHO"', 'echo "one\ntwo"', 'pwd'],
      afterScript: ['echo "after: $CI_JOB_STATUS"'],
      variables: { WHO: 'you, $CI_JOB_NAME' },
    });
    expect(await bench.run({ shell })).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(job.state).toBe('success');
    const trace = plainTrace(job.trace);
    expect(trace.split('\n').slice(3)).toEqual([
      'Preparing the machine',
      expect.stringMatching(/^A machine of its own, of the image none; scripts run as \w+ in bash\.$/),
      'Getting source from Git repository',
      'Fetching changes with git depth set to 20...',
      `Checking out ${project.sha.slice(0, 8)} as detached HEAD (ref is main)...`,
      'Executing "step_script" stage of the job script',
      '$ ./greet.sh "$WHO"',
      'hello you, test',
      '$ echo "one # collapsed multi-line command',
      'one',
      'two',
      '$ pwd',
      `${bench.buildsDirectory}/lab/app`,
      'Running after_script',
      '$ echo "after: $CI_JOB_STATUS"',
      'after: success',
      'Job succeeded',
      '',
    ]);
  });

  it('reports the exit code of a script that fails, and runs its after_script', async () => {
    const job = bench.gitlab.enqueue({
      script: ['echo before', 'exit 42', 'echo never'],
      afterScript: ['echo "after: $CI_JOB_STATUS"', 'false'],
    });
    await bench.run({ shell });
    expect([job.state, job.failureReason, job.exitCode]).toEqual(['failed', 'script_failure', 42]);
    const trace = plainTrace(job.trace);
    expect(trace).toContain('before\n');
    expect(trace).not.toContain('never\n$');
    expect(trace).toContain('after: failed\n');
    expect(trace).toMatch(/ERROR: Job failed: exit code 42\n$/);
  });

  it('stops the script of a job that is canceled, runs its after_script, and reports', async () => {
    const job = bench.gitlab.enqueue({
      script: ['while echo started; do sleep 0.2; done'],
      afterScript: ['echo "after: $CI_JOB_STATUS"'],
    });
    const running = bench.run({ shell });
    await vi.waitFor(() => expect(plainTrace(job.trace)).toContain('started\n'), { timeout: 10_000 });
    job.cancel();
    await running;
    expect(job.state).toBe('canceled');
    expect(job.reportedStates).toEqual(['running', 'failed']);
    const trace = plainTrace(job.trace);
    expect(trace).toContain('after: canceled\n');
    expect(trace).toMatch(/ERROR: Job failed: canceled\n$/);
  });
});

describe('the shell runner', () => {
  it('says in the trace what it is', async () => {
    const job = bench.gitlab.enqueue();
    await bench.run();
    expect(plainTrace(job.trace)).toContain(
      "This is Forrest Bench's own small shell runner, not the official gitlab-runner",
    );
  });

  it('announces itself as the recipe says, from the first request on', async () => {
    bench.gitlab.enqueue();
    await bench.run();
    const [manager] = bench.gitlab.runners[0]?.managersBySystemId.values() ?? [];
    expect(manager?.info).toMatchObject({
      name: 'forrest-bench-shell-runner',
      executor: 'shell',
      features: { refspecs: true, cancel_gracefully: true, cache: false },
    });
  });

  it('ends without a job when there is none within the time', async () => {
    expect(await bench.run()).toMatchObject({ exitCode: 0 });
    expect(bench.gitlab.requests.map(({ route, status }) => [route, status])).toEqual([
      ['jobs-request', 204],
      ['jobs-request', 204],
    ]);
  });

  it('reports length and checksum of the trace that it sent', async () => {
    const job = bench.gitlab.enqueue({ script: ['echo "grüße"'] });
    await bench.run();
    const final = bench.gitlab.requests.findLast((request) => request.route === 'job-update')?.body ?? '';
    const checksum = `crc32:${crc32(job.trace).toString(16).padStart(8, '0')}`;
    expect(JSON.parse(final)).toMatchObject({
      state: 'success',
      checksum,
      output: { checksum, bytesize: job.trace.length },
    });
  });

  it('resends from the offset GitLab names after a range mismatch', async () => {
    const job = bench.gitlab.enqueue({ script: ['echo first', 'sleep 2', 'echo second'] });
    bench.gitlab.failNext('trace', 'lost-answer');
    await bench.run();
    expect(job.updates.filter(({ kind }) => kind === 'patch').map(({ status }) => status)).toContain(416);
    const trace = plainTrace(job.trace);
    expect(trace.match(/^first$/gm)).toHaveLength(1);
    expect(trace.match(/^second$/gm)).toHaveLength(1);
    expect(job.state).toBe('success');
  });

  it('carries on when GitLab is away for a while', async () => {
    const job = bench.gitlab.enqueue({ script: ['echo hello'] });
    bench.gitlab.failNext('trace', { status: 502 }, 2);
    bench.gitlab.failNext('job-update', { status: 503 }, 2);
    await bench.run();
    expect([job.state, plainTrace(job.trace).endsWith('Job succeeded\n')]).toEqual(['success', true]);
  });

  it('asks again as long as GitLab has only noted the final state', async () => {
    await using patient = await RunnerBench.open();
    patient.gitlab.settings.acceptedFinalUpdates = 2;
    const job = patient.gitlab.enqueue();
    await patient.run();
    expect(job.updates.filter(({ state }) => state === 'success').map(({ status }) => status)).toEqual([202, 202, 200]);
  });

  it('falls silent when the job was canceled by force', async () => {
    const job = bench.gitlab.enqueue({
      script: ['while echo started; do sleep 0.2; done'],
      afterScript: ['echo after'],
    });
    const running = bench.run();
    await vi.waitFor(() => expect(plainTrace(job.trace)).toContain('started\n'), { timeout: 10_000 });
    job.forceCancel();
    await running;
    expect(job.reportedStates).toEqual(['running']);
    expect(job.updates.filter(({ status }) => status === 403)).toHaveLength(1);
  });

  it('ends a script that takes longer than the job may', async () => {
    const job = bench.gitlab.enqueue({ script: ['echo started', 'sleep 600'], timeoutSeconds: 2 });
    await bench.run();
    expect([job.state, job.failureReason]).toEqual(['failed', 'job_execution_timeout']);
    expect(plainTrace(job.trace)).toMatch(/execution took longer than 2 seconds\n$/);
  });

  it('ends the script and says so when the machine is asked to end', async () => {
    const job = bench.gitlab.enqueue({ script: ['echo started', 'sleep 600'] });
    const stop = new AbortController();
    const running = bench.run({ signal: stop.signal });
    await vi.waitFor(() => expect(plainTrace(job.trace)).toContain('started\n'), { timeout: 10_000 });
    stop.abort();
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    expect([job.state, job.failureReason]).toEqual(['failed', 'runner_interrupted']);
  });

  it('hides masked variables and tokens, also where they are part of a line', async () => {
    const job = bench.gitlab.enqueue({
      script: ['echo "<$SECRET><$CI_JOB_TOKEN>"', 'echo "$RUNNER"', 'echo "$PART"'],
      variables: {
        SECRET: { value: 'open-sesame-now', masked: true },
        PART: { value: 'open-sesame', masked: true },
        RUNNER: bench.gitlab.runners[0]?.token ?? '',
      },
    });
    await bench.run();
    const trace = plainTrace(job.trace);
    expect(trace).toContain('<[MASKED]><[MASKED]>\n');
    expect(trace).not.toContain('sesame');
    expect(trace).not.toContain(job.token);
    expect(trace).not.toContain(bench.gitlab.runners[0]?.token);
  });

  it('gives the script its variables, of every kind', async () => {
    const value = `it's "quoted" \\ $CI_JOB_ID`;
    const job = bench.gitlab.enqueue({
      script: ['printf "%s\\n" "$PLAIN" "$RAW" "$FILE" "$TWO"', 'cat "$FILE"'],
      variables: {
        PLAIN: value,
        RAW: { value, raw: true },
        FILE: { value: 'line 1\nline 2\n', file: true },
        TWO: `\${CI_JOB_ID}$$x`,
      },
    });
    await bench.run();
    const lines = plainTrace(job.trace).split('\n');
    const at = lines.indexOf('$ printf "%s\\n" "$PLAIN" "$RAW" "$FILE" "$TWO"') + 1;
    expect(lines.slice(at, at + 7)).toEqual([
      `it's "quoted" \\ ${job.id}`,
      value,
      `${bench.buildsDirectory}/.bench/files/FILE`,
      `${job.id}$x`,
      '$ cat "$FILE"',
      'line 1',
      'line 2',
    ]);
  });

  it('shows no more of a trace than the limit allows, and says so', async () => {
    const job = bench.gitlab.enqueue({ script: ['seq 100000'] });
    await bench.run({ env: { BENCH_OUTPUT_LIMIT: '8' } });
    expect(job.state).toBe('success');
    expect(job.trace.length).toBeLessThan(9 * 1024);
    expect(plainTrace(job.trace)).toMatch(/Job's log exceeded limit of 8192 bytes: what follows is not shown\.\n$/);
  });

  it('survives a script that prints binary data', async () => {
    const job = bench.gitlab.enqueue({ script: ['head -c 200000 /dev/urandom', 'echo', 'echo still here'] });
    await bench.run();
    expect(job.state).toBe('success');
    expect(job.trace.toString('latin1')).toContain('still here\n');
  });

  it('does not wait for what a script leaves running', async () => {
    const job = bench.gitlab.enqueue({ script: ['setsid sleep 8 & echo done'] });
    const startedMs = performance.now();
    await bench.run();
    expect(job.state).toBe('success');
    expect(job.finishedAt).not.toBeNull();
    expect((job.finishedAt ?? 0) - (job.startedAt ?? 0)).toBeLessThan(7_000);
    expect(performance.now()).toBeGreaterThan(startedMs);
  });

  it.each([
    ['services', { services: ['postgres:16'] }, 'services'],
    ['an image', { image: 'alpine' }, 'container images (image:)'],
    ['native steps', { nativeSteps: [{ name: 'hello', script: 'echo' }] }, 'native steps (run:)'],
  ])('fails a job with %s, in plain words', async (_what, spec, words) => {
    const job = bench.gitlab.enqueue(spec);
    await bench.run();
    expect([job.state, job.failureReason]).toEqual(['failed', 'runner_unsupported']);
    expect(plainTrace(job.trace)).toContain(`Forrest Bench's shell runner does not do ${words}.`);
  });

  it('runs the script of a release after the script', async () => {
    const job = bench.gitlab.enqueue({ script: ['echo script'], releaseScript: ['echo release'] });
    await bench.run();
    expect(plainTrace(job.trace)).toMatch(/\nscript\n[\s\S]*Executing "step_release"[\s\S]*\nrelease\n/);
  });

  it('runs a hook before the sources', async () => {
    const job = bench.gitlab.enqueue({ preGetSourcesScript: ['echo from the hook'] });
    await bench.run();
    expect(plainTrace(job.trace)).toMatch(/Getting source from Git repository\n\$ echo from the hook\nfrom the hook\n/);
  });

  it('clones from where it is told to, with the job token', async () => {
    const project = await bench.gitlab.addProject({ path: 'lab/app', files: { file: 'content\n' } });
    const job = bench.gitlab.enqueue({
      project,
      script: ['cat file', 'git log --oneline | wc -l'],
      editPayload: (json) => json.replace(/"repo_url":"[^"]*"/, '"repo_url":"http://gitlab.invalid/lab/app.git"'),
    });
    await bench.run({ env: { BENCH_CLONE_URL: bench.gitlab.url } });
    expect([job.state, plainTrace(job.trace).includes('\ncontent\n')]).toEqual(['success', true]);
  });

  it('fails the job when the sources cannot be had', async () => {
    const project = await bench.gitlab.addProject({ path: 'lab/app', files: { file: 'content\n' } });
    const job = bench.gitlab.enqueue({ project, script: ['echo never'], afterScript: ['echo never'] });
    bench.gitlab.failNext('git', { status: 500 }, Number.POSITIVE_INFINITY);
    await bench.run();
    expect([job.state, job.failureReason]).toEqual(['failed', 'script_failure']);
    expect(plainTrace(job.trace)).not.toContain('never');
  });

  it('leaves no token in the environment of the script but its own', async () => {
    const job = bench.gitlab.enqueue({ script: ['env | grep -c ^BENCH_ || true'] });
    await bench.run();
    expect(plainTrace(job.trace)).toContain('\n0\n');
    expect(await readdir(bench.buildsDirectory)).toContain('.bench');
  });
});
