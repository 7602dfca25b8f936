import { describe, expect, it, vi } from 'vitest';
import { FakeClock } from '../../fakes/clock.ts';
import type { JobSpec } from '../../fakes/gitlab/job-spec.ts';
import { aGitLab } from './a-gitlab.ts';
import { allFeatures } from './runner-client.ts';

const json = { 'Content-Type': 'application/json' };
const cursorOf = (response: Response) => response.headers.get('x-gitlab-last-update');
const request = { token: 'glrt-abcdefghi_0123456789' };

describe('what is refused', () => {
  it('answers 403 to an unknown token', async () => {
    await using bench = await aGitLab();
    bench.gitlab.enqueue();
    const response = await bench.client.requestJob({ token: 'glrt-other' });
    expect([response.status, await response.json()]).toEqual([403, { message: '403 Forbidden' }]);
  });

  it('answers 403 to a token that was revoked', async () => {
    await using bench = await aGitLab();
    bench.runner.isRejected = true;
    expect((await bench.client.requestJob(request)).status).toBe(403);
  });

  it('answers 422 to a runner without an owner', async () => {
    await using bench = await aGitLab();
    bench.runner.isOrphaned = true;
    expect((await bench.client.requestJob(request)).status).toBe(422);
  });

  it.each([
    ['no JSON', '{"token":', 400],
    ['no token', '{}', 400],
    ['a token that is no string', '{"token":7}', 400],
    ['a system_id of 65 characters', JSON.stringify({ ...request, system_id: 'x'.repeat(65) }), 400],
    ['more than 32 KiB', JSON.stringify({ ...request, info: { name: 'x'.repeat(32 * 1024) } }), 413],
  ])('refuses a body with %s', async (_what, body, status) => {
    await using bench = await aGitLab();
    bench.gitlab.enqueue();
    const response = await bench.client.send('POST', '/jobs/request', { headers: json, body });
    expect([response.status, bench.gitlab.jobs[0]?.state]).toEqual([status, 'pending']);
  });

  it('answers 415 to a body that is not called JSON', async () => {
    await using bench = await aGitLab();
    const init = { headers: { 'Content-Type': 'text/plain' }, body: JSON.stringify(request) };
    expect((await bench.client.send('POST', '/jobs/request', init)).status).toBe(415);
  });

  it.each(['/jobs/request/', '/jobs//request', '/jobs/%72equest', '/runners', '/jobs/007', '/job'])(
    'answers 404 to %s',
    async (path) => {
      await using bench = await aGitLab();
      expect((await bench.client.send('POST', path, { headers: json, body: JSON.stringify(request) })).status).toBe(
        404,
      );
    },
  );

  it('knows nothing beside its base path', async () => {
    await using bench = await aGitLab({ basePath: '/gitlab' });
    const { gitlab } = bench;
    const init = { method: 'POST', headers: json, body: JSON.stringify(request) };
    const beside = await fetch(`${gitlab.url.replace('/gitlab', '')}/api/v4/jobs/request`, init);
    const below = await fetch(`${gitlab.url}/api/v4/jobs/request`, init);
    expect([beside.status, below.status]).toEqual([404, 204]);
  });
});

describe('handing out', () => {
  it('gives the oldest job once, with all a runner needs', async () => {
    await using bench = await aGitLab({ publicUrl: 'http://gitlab.demo:8929' });
    const { gitlab, client } = bench;
    const project = await gitlab.addProject({ path: 'demo/one' });
    const job = gitlab.enqueue({
      name: 'build',
      stage: 'build',
      project,
      script: ['make'],
      afterScript: ['echo done'],
      timeoutSeconds: 600,
      image: 'debian:12',
      variables: { COLOR: 'green', KEY: { value: 'hidden-value', masked: true } },
      artifacts: { paths: ['dist/'], expireIn: '1 week', reports: { junit: ['report.xml'] } },
    });

    const response = await client.requestJob(request);
    const payload = (await response.json()) as Record<string, unknown>;

    expect([response.status, response.headers.get('content-type')]).toEqual([201, 'application/json']);
    const { variables, job_info, features, ...rest } = payload;
    expect(rest).toEqual({
      id: job.id,
      token: job.token,
      allow_git_fetch: true,
      git_info: {
        repo_url: `http://gitlab-ci-token:${job.token}@gitlab.demo:8929/demo/one.git`,
        repo_object_format: 'sha1',
        ref: 'main',
        sha: project.sha,
        before_sha: '0'.repeat(40),
        ref_type: 'branch',
        refspecs: ['+refs/pipelines/101:refs/pipelines/101', '+refs/heads/main:refs/remotes/origin/main'],
        depth: 20,
        protected: false,
      },
      runner_info: { timeout: 600, runner_session_url: null },
      inputs: [],
      steps: [
        { name: 'script', script: ['make'], timeout: 600, when: 'on_success', allow_failure: false },
        { name: 'after_script', script: ['echo done'], timeout: 600, when: 'always', allow_failure: true },
      ],
      hooks: [],
      image: { name: 'debian:12', entrypoint: null, pull_policy: null },
      services: [],
      artifacts: [
        {
          name: null,
          untracked: null,
          paths: ['dist/'],
          when: 'on_success',
          expire_in: '1 week',
          artifact_type: 'archive',
          artifact_format: 'zip',
        },
        {
          name: 'junit.xml',
          paths: ['report.xml'],
          when: 'always',
          artifact_type: 'junit',
          artifact_format: 'gzip',
          expire_in: '1 week',
        },
      ],
      cache: [],
      credentials: [],
      dependencies: [],
    });
    expect(job_info).toMatchObject({ name: 'build', stage: 'build', project_full_path: 'demo/one', pipeline_id: 101 });
    expect(features).toMatchObject({
      trace_sections: true,
      failure_reasons: expect.arrayContaining(['script_failure']),
    });
    const byKey = new Map((variables as { key: string }[]).map((variable) => [variable.key, variable]));
    const values = [
      'CI',
      'CI_SERVER_URL',
      'CI_API_V4_URL',
      'CI_PROJECT_NAME',
      'CI_JOB_URL',
      'CI_COMMIT_REF_NAME',
      'COLOR',
    ];
    expect(values.map((key) => byKey.get(key))).toMatchObject([
      { value: 'true', public: true },
      { value: 'http://gitlab.demo:8929' },
      { value: 'http://gitlab.demo:8929/api/v4' },
      { value: 'one' },
      { value: `http://gitlab.demo:8929/demo/one/-/jobs/${job.id}` },
      { value: 'main' },
      { value: 'green', public: true, masked: false },
    ]);
    expect([byKey.get('CI_JOB_TOKEN'), byKey.get('KEY')]).toEqual([
      { key: 'CI_JOB_TOKEN', value: job.token, public: false, masked: true },
      { key: 'KEY', value: 'hidden-value', public: false, masked: true },
    ]);
    expect([job.state, job.manager?.systemId, job.runner]).toEqual(['running', 's_0123456789ab', bench.runner]);
    expect((await client.requestJob(request)).status).toBe(204);
  });

  it('gives each job to one of many that ask at once', async () => {
    await using bench = await aGitLab();
    const jobs = [bench.gitlab.enqueue(), bench.gitlab.enqueue(), bench.gitlab.enqueue()];
    const answers = await Promise.all(Array.from({ length: 6 }, () => bench.client.requestJob(request)));
    const bodies = await Promise.all(answers.filter((answer) => answer.status === 201).map((answer) => answer.json()));
    expect(bodies.map((body) => (body as { id: number }).id).sort()).toEqual(jobs.map((job) => job.id));
  });

  it('keeps a job for the runner it was made for', async () => {
    await using bench = await aGitLab();
    const { gitlab, client } = bench;
    const other = gitlab.addRunner();
    gitlab.enqueue({ runner: other });
    expect((await client.requestJob(request)).status).toBe(204);
    expect((await client.requestJob({ token: other.token })).status).toBe(201);
  });

  it('sends native steps as a text within the text, and no steps', async () => {
    await using bench = await aGitLab();
    bench.gitlab.enqueue({ nativeSteps: [{ name: 'one', script: 'echo' }] });
    const payload = (await (await bench.client.requestJob(request)).json()) as Record<string, unknown>;
    expect([payload['run'], 'steps' in payload]).toEqual(['[{"name":"one","script":"echo"}]', false]);
  });

  it('lets a job edit its payload as text, for numbers that no JavaScript number holds', async () => {
    await using bench = await aGitLab();
    bench.gitlab.enqueue({ editPayload: (text) => text.replace('{', '{"new_field":9007199254740993,') });
    const text = await (await bench.client.requestJob(request)).text();
    expect(text.startsWith('{"new_field":9007199254740993,"id":')).toBe(true);
  });
});

describe('features', () => {
  const needy: readonly (readonly [feature: string, spec: JobSpec])[] = [
    ['upload_multiple_artifacts', { artifacts: { reports: { junit: ['report.xml'] } } }],
    ['refspecs', { ref: 'refs/merge-requests/7/head' }],
    ['artifacts_exclude', { artifacts: { paths: ['a'], exclude: ['a/b'] } }],
    ['multi_build_steps', { releaseScript: ['release-cli'] }],
    ['return_exit_code', { allowFailureExitCodes: [3] }],
    ['return_exit_code', { retryExitCodes: [3] }],
    ['fallback_cache_keys', { cache: [{ key: 'a', paths: ['b'], fallbackKeys: ['c'] }] }],
    ['vault_secrets', { secrets: { KEY: {} } }],
  ];

  it.each(needy)('fails a job whose runner lacks %s, and goes on to the next', async (feature, spec) => {
    await using bench = await aGitLab();
    const { gitlab, client } = bench;
    const unsupported = gitlab.enqueue(spec);
    const plain = gitlab.enqueue();
    const response = await client.requestJob({ ...request, features: { ...allFeatures, [feature]: false } });
    const { id } = (await response.json()) as { id: number };
    expect([unsupported.state, unsupported.failureReason, id]).toEqual(['failed', 'runner_unsupported', plain.id]);
  });

  it.each(needy)('hands the job out where %s is announced', async (_feature, spec) => {
    await using bench = await aGitLab();
    bench.gitlab.enqueue(spec);
    expect((await bench.client.requestJob(request)).status).toBe(201);
  });
});

describe('the cursor', () => {
  it('is sent with an empty answer and changes with the queue', async () => {
    await using bench = await aGitLab();
    const before = cursorOf(await bench.client.requestJob(request));
    const same = cursorOf(await bench.client.requestJob(request));
    const job = bench.gitlab.enqueue();
    job.cancel();
    const after = cursorOf(await bench.client.requestJob(request));
    expect([before, before === same, before === after]).toEqual([expect.stringMatching(/^\w{20}$/), true, false]);
  });

  it('hides jobs from a runner that says it has seen this queue', async () => {
    await using bench = await aGitLab();
    bench.gitlab.enqueue();
    const lastUpdate = bench.runner.cursor;
    const response = await bench.client.requestJob({ ...request, lastUpdate });
    expect([response.status, cursorOf(response)]).toEqual([204, lastUpdate]);
  });

  it('tells a paused runner the same as an idle one', async () => {
    await using bench = await aGitLab();
    bench.gitlab.enqueue();
    bench.gitlab.pause(bench.runner);
    const paused = await bench.client.requestJob(request);
    bench.gitlab.resume(bench.runner);
    const resumed = await bench.client.requestJob({ ...request, lastUpdate: cursorOf(paused) ?? '' });
    expect([paused.status, resumed.status]).toEqual([204, 201]);
  });
});

describe('long polling', () => {
  const polling = (response: Response) => response.headers.get('gitlab-ci-builds-polling');

  it('is announced where it is on, and only there', async () => {
    await using on = await aGitLab({ longPollMs: 50_000 });
    await using off = await aGitLab();
    const answers = [await on.client.requestJob(request), await off.client.requestJob(request)];
    expect(answers.map(polling)).toEqual(['yes', null]);
  });

  it('answers at once without a cursor, with an outdated one, and to an unknown token', async () => {
    await using bench = await aGitLab({ longPollMs: 50_000, clock: new FakeClock() });
    const { client } = bench;
    const answers = [
      await client.requestJob(request),
      await client.requestJob({ ...request, lastUpdate: 'outdated' }),
      await client.requestJob({ token: 'glrt-other', lastUpdate: bench.runner.cursor }),
    ];
    expect(answers.map((answer) => [answer.status, cursorOf(answer)])).toEqual([
      [204, bench.runner.cursor],
      [204, bench.runner.cursor],
      [403, null],
    ]);
  });

  it('holds a request to the end of its time, then answers without a cursor', async () => {
    const clock = new FakeClock();
    await using bench = await aGitLab({ longPollMs: 50_000, clock });
    const pending = bench.client.requestJob({ ...request, lastUpdate: bench.runner.cursor });
    await vi.waitFor(() => expect(clock.pendingCount).toBe(1));
    await clock.advance(49_999);
    expect(bench.gitlab.requests.at(-1)?.status).toBe(null);
    await clock.advance(1);
    const response = await pending;
    expect([response.status, cursorOf(response), polling(response)]).toEqual([204, null, 'yes']);
  });

  it('wakes when a job comes, without it; the next request with the old cursor gets it', async () => {
    const clock = new FakeClock();
    await using bench = await aGitLab({ longPollMs: 50_000, clock });
    const lastUpdate = bench.runner.cursor;
    const pending = bench.client.requestJob({ ...request, lastUpdate });
    await vi.waitFor(() => expect(clock.pendingCount).toBe(1));
    const job = bench.gitlab.enqueue();
    const woken = await pending;
    expect([woken.status, cursorOf(woken), job.state, clock.pendingCount]).toEqual([204, null, 'pending', 0]);
    expect((await bench.client.requestJob({ ...request, lastUpdate })).status).toBe(201);
  });

  it('lets go of a request whose client hung up', async () => {
    const clock = new FakeClock();
    await using bench = await aGitLab({ longPollMs: 50_000, clock });
    const hangUp = new AbortController();
    const pending = bench.client.requestJob({ ...request, lastUpdate: bench.runner.cursor }, hangUp.signal);
    await vi.waitFor(() => expect(clock.pendingCount).toBe(1));
    hangUp.abort();
    await expect(pending).rejects.toThrow();
    await vi.waitFor(() => expect(clock.pendingCount).toBe(0));
  });

  it('lets go of all requests when it closes', async () => {
    const clock = new FakeClock();
    const pending = await (async () => {
      await using bench = await aGitLab({ longPollMs: 50_000, clock });
      const request = bench.client.requestJob({ token: bench.runner.token, lastUpdate: bench.runner.cursor });
      await vi.waitFor(() => expect(clock.pendingCount).toBe(1));
      return Promise.allSettled([request]);
    })();
    expect([pending[0].status, clock.pendingCount]).toEqual(['rejected', 0]);
  });
});

describe('needs', () => {
  it('offers a job when those it needs have succeeded, and names their artifacts', async () => {
    await using bench = await aGitLab();
    const { gitlab, client } = bench;
    const first = gitlab.enqueue({ name: 'first' });
    const second = gitlab.enqueue({ name: 'second', needs: [first] });
    await client.requestJob(request);
    const early = await client.requestJob(request);
    await client.upload(first.id, first.token, { bytes: Buffer.from('zip bytes') });
    await client.update(first, { state: 'success' });

    const response = await client.requestJob({ ...request, lastUpdate: cursorOf(early) ?? '' });
    const payload = (await response.json()) as { id: number; dependencies: unknown };

    expect([early.status, payload.id, second.spec.pipelineId]).toEqual([204, second.id, first.spec.pipelineId]);
    expect(payload.dependencies).toEqual([
      { id: first.id, name: 'first', token: second.token, artifacts_file: { filename: 'artifacts.zip', size: 9 } },
    ]);
  });

  it("gives the dependency's own token, as older servers do, and no file where there is none", async () => {
    await using bench = await aGitLab({ dependencyTokens: 'dependency' });
    const first = await bench.runningJob({ name: 'first' });
    await bench.client.update(first, { state: 'success' });
    bench.gitlab.enqueue({ needs: [first] });
    const payload = (await (await bench.client.requestJob(request)).json()) as { dependencies: unknown };
    expect(payload.dependencies).toEqual([{ id: first.id, name: 'first', token: first.token }]);
  });

  it('skips all that need a job that failed, also when they come later', async () => {
    await using bench = await aGitLab();
    const { gitlab, client } = bench;
    const first = await bench.runningJob();
    const second = gitlab.enqueue({ needs: [first] });
    const third = gitlab.enqueue({ needs: [second] });
    await client.update(first, { state: 'failed', failure_reason: 'script_failure' });
    const late = gitlab.enqueue({ needs: [first] });
    const finals = await Promise.all([first, second, third, late].map((job) => job.finished));
    expect(finals).toEqual(['failed', 'skipped', 'skipped', 'skipped']);
    expect((await client.requestJob(request)).status).toBe(204);
  });

  it('fails a job whose dependency was erased', async () => {
    await using bench = await aGitLab();
    const first = await bench.runningJob();
    await bench.client.update(first, { state: 'success' });
    const second = bench.gitlab.enqueue({ dependencies: [first] });
    first.erase();
    expect((await bench.client.requestJob(request)).status).toBe(204);
    expect([second.state, second.failureReason]).toEqual(['failed', 'missing_dependency_failure']);
  });
});

describe('verify', () => {
  const verify = (token: string) => ({ headers: json, body: JSON.stringify({ token }) });

  it('tells a known token from others', async () => {
    await using bench = await aGitLab();
    const known = await bench.client.send('POST', '/runners/verify', verify(request.token));
    const other = await bench.client.send('POST', '/runners/verify', verify('glrt-other'));
    expect([known.status, await known.json(), other.status]).toEqual([
      200,
      { id: 1, token: request.token, token_expires_at: null },
      403,
    ]);
  });
});
