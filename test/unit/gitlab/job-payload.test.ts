import { describe, expect, it } from 'vitest';
import type { EpochMs } from '../../../electron/contract/ids.ts';
import { cloneUrlOf, parseJobPayload } from '../../../electron/core/gitlab/job-payload.ts';

const at = 1_000 as EpochMs;
const bytes = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const payload = {
  id: 4711,
  token: 'glcbt-x',
  job_info: { name: 'build', stage: 'test', project_full_path: 'lab/firmware' },
  git_info: {
    repo_url: 'https://gitlab-ci-token:glcbt-x@gitlab.example.com/lab/firmware.git',
    ref: 'main',
    sha: 'abc',
  },
  runner_info: { timeout: 900 },
  variables: [
    { key: 'CI_JOB_URL', value: 'https://old.example.com', public: true },
    { key: 'CI_JOB_URL', value: 'https://gitlab.example.com/lab/firmware/-/jobs/4711', public: true },
  ],
  dependencies: [
    { id: 4690, name: 'prepare', token: 'glcbt-y' },
    { id: 4691, token: null },
  ],
  features: { failure_reasons: ['script_failure', 'runner_interrupted'] },
};

describe('parseJobPayload', () => {
  it('reads what the bench needs and keeps the bytes', () => {
    const raw = bytes(payload);
    expect(parseJobPayload(raw, at)).toEqual({
      id: 4711,
      token: 'glcbt-x',
      payload: raw,
      view: {
        id: 4711,
        name: 'build',
        stage: 'test',
        projectPath: 'lab/firmware',
        ref: 'main',
        sha: 'abc',
        webUrl: 'https://gitlab.example.com/lab/firmware/-/jobs/4711',
      },
      receivedAt: at,
      timeoutSeconds: 900,
      dependencies: [{ id: 4690, token: 'glcbt-y' }],
      cloneUrl: 'https://gitlab.example.com',
      failureReasons: ['script_failure', 'runner_interrupted'],
      hasNativeSteps: false,
    });
  });

  it('P20 accepts nulls, missing and unknown fields', () => {
    const job = parseJobPayload(bytes({ id: 1, token: 't', git_info: null, variables: null, surprise: [1] }), at);
    expect([job.timeoutSeconds, job.cloneUrl, job.view.name]).toEqual([3600, null, 'job 1']);
  });

  it.each<[string, unknown]>([
    ['P19 truncated JSON', '{"id": 1, "tok'],
    ['no id', { token: 't' }],
    ['no token', { id: 1 }],
    ['an id that is a word', { id: 'one', token: 't' }],
  ])('refuses %s without repeating the body', (_name, value) => {
    expect(() => parseJobPayload(bytes(value), at)).toThrow(expect.objectContaining({ code: 'gitlab/protocol' }));
    expect(() => parseJobPayload(bytes(value), at)).not.toThrow(/"tok/);
  });

  it('H15 sees native steps', () => {
    expect(parseJobPayload(bytes({ ...payload, run: '[{"name":"x"}]' }), at).hasNativeSteps).toBe(true);
  });
});

describe('cloneUrlOf', () => {
  it.each<[string, string, string | null]>([
    ['https://u:t@g.example/gitlab/grp/p.git', 'grp/p', 'https://g.example/gitlab'],
    ['http://gitlab.demo:8929/grp/p.git', 'grp/p', 'http://gitlab.demo:8929'],
    ['ssh://git@g.example/grp/p.git', 'grp/p', null],
    ['https://g.example/other.git', 'grp/p', null],
    ['not a url', 'grp/p', null],
  ])('H16 %s of %s is %s', (repoUrl, project, expected) => {
    expect(cloneUrlOf(repoUrl, project)).toBe(expected);
  });
});
