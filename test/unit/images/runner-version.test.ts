import { describe, expect, it } from 'vitest';
import { type RunnerRelease, runnerFeatures } from '../../../electron/core/images/runner-features.ts';
import { parseRunnerVersion, releaseOf } from '../../../electron/core/images/runner-version.ts';

const output = `Version:      18.11.4
Git revision: abc12345
Git branch:   18-11-stable
GO version:   go1.24.4 X:cacheprog
Built:        2026-06-01T12:00:00Z
OS/Arch:      linux/amd64
`;

describe('parseRunnerVersion', () => {
  it('reads what gitlab-runner says of itself', () => {
    expect(parseRunnerVersion(output)).toEqual({
      version: '18.11.4',
      revision: 'abc12345',
      platform: 'linux',
      architecture: 'amd64',
    });
  });

  it.each([
    ['nothing', ''],
    ['something else', 'GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)'],
    ['half of it', output.replace(/^OS.*$/m, '')],
  ])('makes nothing of %s', (_what, text) => {
    expect(parseRunnerVersion(text)).toBeUndefined();
  });
});

describe('releaseOf', () => {
  it.each<[string, RunnerRelease | undefined]>([
    ['14.7.0', [14, 7]],
    ['v19.1.0-rc1', [19, 1]],
    ['18.11.4~beta.123.gabc', [18, 11]],
    ['development version', undefined],
  ])('reads %s', (version, release) => {
    expect(releaseOf(version)).toEqual(release);
  });
});

describe('runnerFeatures', () => {
  const announced = (release: RunnerRelease | undefined, executor: string) =>
    Object.entries(runnerFeatures(release, executor))
      .filter(([, isAnnounced]) => isAnnounced)
      .map(([feature]) => feature);

  it.each<[RunnerRelease, string, string]>([
    [[16, 0], 'shell', 'fallback_cache_keys'],
    [[16, 10], 'shell', 'cancel_gracefully'],
    [[18, 9], 'shell', 'job_inputs'],
    [[19, 3], 'shell', 'native_steps_integration'],
    [[15, 0], 'docker', 'service_variables'],
    [[17, 0], 'docker', 'image_executor_opts'],
    [[17, 11], 'docker', 'native_steps_integration'],
  ])('since %j, %s has %s', ([major, minor], executor, feature) => {
    expect(announced([major, minor], executor)).toContain(feature);
    expect(announced(minor === 0 ? [major - 1, 99] : [major, minor - 1], executor)).not.toContain(feature);
  });

  it('keeps what belongs to one executor from the other', () => {
    expect(announced([19, 0], 'shell')).not.toContain('services');
    expect(announced([19, 0], 'docker')).not.toContain('shared');
    expect(announced([19, 0], 'docker')).toEqual(expect.arrayContaining(['image', 'services']));
  });

  it('takes a build without a version for the oldest one', () => {
    expect(runnerFeatures(undefined, 'shell')).toEqual(runnerFeatures([14, 0], 'shell'));
  });

  it('says no to what a machine cannot offer, whatever the release', () => {
    expect(runnerFeatures([19, 3], 'docker')).toMatchObject({
      session: false,
      terminal: false,
      proxy: false,
      two_phase_job_commit: false,
    });
  });
});
