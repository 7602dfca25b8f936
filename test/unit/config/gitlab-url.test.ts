import { describe, expect, it } from 'vitest';
import { normaliseGitlabUrl } from '../../../electron/core/config/gitlab-url.ts';

describe('the address of a GitLab instance', () => {
  it.each([
    ['https://gitlab.example.com', 'https://gitlab.example.com'],
    ['https://GitLab.Example.com/', 'https://gitlab.example.com'],
    ['https://gitlab.example.com:443//', 'https://gitlab.example.com'],
    ['https://gitlab.example.com/ci', 'https://gitlab.example.com'],
    ['https://gitlab.example.com/ci/', 'https://gitlab.example.com'],
    ['https://example.com/gitlab/', 'https://example.com/gitlab'],
    ['https://example.com/gitlab/ci', 'https://example.com/gitlab'],
    ['https://example.com/civic', 'https://example.com/civic'],
    ['http://127.0.0.1:8929', 'http://127.0.0.1:8929'],
    ['http://[::1]:8929/', 'http://[::1]:8929'],
  ])('%s becomes %s', (text, url) => {
    expect(normaliseGitlabUrl(text)).toEqual({ ok: true, url });
  });

  it.each([
    'gitlab.example.com',
    'ftp://gitlab.example.com',
    'https://kim:secret@gitlab.example.com',
    'https://gitlab.example.com/?a=1',
    'https://gitlab.example.com/?',
    'https://gitlab.example.com/#top',
    '',
  ])('%s is refused', (text) => {
    expect(normaliseGitlabUrl(text).ok).toBe(false);
  });
});
