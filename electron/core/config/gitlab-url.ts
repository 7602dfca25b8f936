export type GitlabUrl = { ok: true; url: string } | { ok: false; expected: string };

/**
 * The one way a GitLab instance is written: `https://host[:port][/sub-path]`, no trailing slash, without the `/ci` that
 * addresses of old GitLab CI servers end with.
 */
export function normaliseGitlabUrl(text: string): GitlabUrl {
  const refuse = (expected: string): GitlabUrl => ({ ok: false, expected });
  if (!URL.canParse(text)) return refuse('the address of a GitLab instance, such as https://gitlab.example.com');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return refuse('an address with https:// or http://');
  if (url.username !== '' || url.password !== '') return refuse('an address without a user name or password');
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(text)) return refuse('an address without ? or #');
  const path = url.pathname.replace(/\/+$/, '').replace(/\/ci$/, '').replace(/\/+$/, '');
  return { ok: true, url: `${url.origin}${path}` };
}
