import { describe, expect, it } from 'vitest';
import { isOpenable } from '../../../electron/app/links.ts';
import type { RunnerId } from '../../../electron/contract/ids.ts';
import type { RunnerView } from '../../../electron/contract/state.ts';
import { aBenchState } from '../../fakes/bench-state.ts';

function aRunner(gitlabUrl: string): RunnerView {
  const id = 'work/build' as RunnerId;
  const status = { kind: 'idle' as const, why: 'no room' };
  return { id, connection: 'work', name: 'build', gitlabUrl, machine: 'debian', status, lastAnswerAt: null };
}

describe('isOpenable', () => {
  const state = aBenchState({ runnersById: { 'work/build': aRunner('https://gitlab.example.com/gitlab') } });

  it('opens pages of a configured GitLab instance', () => {
    expect(isOpenable('https://gitlab.example.com/lab/firmware/-/jobs/7', state)).toBe(true);
  });

  it.each([
    'https://elsewhere.invalid/',
    'https://gitlab.example.com.elsewhere.invalid/',
    'https://gitlab.example.com:8443/',
    'http://gitlab.example.com/',
    'https://gitlab.example.com@elsewhere.invalid/',
    'https://user:password@gitlab.example.com/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'not an address',
  ])('opens nothing else: %s', (url) => {
    expect(isOpenable(url, state)).toBe(false);
  });

  it('opens no page of an instance that is configured without TLS', () => {
    const plain = aBenchState({ runnersById: { 'work/build': aRunner('http://gitlab.lab') } });
    expect(isOpenable('http://gitlab.lab/a', plain)).toBe(false);
    expect(isOpenable('https://gitlab.lab/a', plain)).toBe(false);
  });
});
