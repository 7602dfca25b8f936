import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it } from 'vitest';
import { RequestGuard } from '../../../electron/headless/request-guard.ts';

const token = 'T'.repeat(43);
const guard = new RequestGuard(token, 7420);
const host = '127.0.0.1:7420';
const bearer = { host, authorization: `Bearer ${token}` };

function judge(target: string, headers: IncomingHttpHeaders, method = 'GET') {
  const verdict = guard.judge({ method, target, headers });
  return verdict.kind === 'refused' ? verdict.status : verdict.kind;
}

function cookie(): string {
  const verdict = guard.judge({ method: 'GET', target: `/?token=${token}`, headers: { host } });
  if (verdict.kind !== 'login') throw new Error(`not let in: ${verdict.kind}`);
  return verdict.setCookie;
}

describe('the guard of the interface', () => {
  it('lets in with the token in a header', () => {
    expect(guard.judge({ method: 'GET', target: '/bench?x=1', headers: bearer })).toEqual({
      kind: 'allowed',
      path: '/bench',
    });
  });

  it('turns the token of the address into a cookie that scripts cannot read', () => {
    expect(cookie()).toMatch(/^forrest-bench-7420=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=31536000$/);
    expect(cookie()).not.toContain(token);
  });

  it('lets in with the cookie, among others', () => {
    const [pair] = cookie().split(';');
    expect(judge('/', { host, cookie: `a=b; ${pair}; c=d` })).toBe('allowed');
  });

  it('does not take the cookie of another port', () => {
    const [pair = ''] = cookie().split(';');
    expect(judge('/', { host, cookie: pair.replace('7420', '7421') })).toBe(401);
    const other = new RequestGuard(token, 7421);
    const headers = { host: '127.0.0.1:7421', cookie: pair.replace('7420', '7421') };
    expect(other.judge({ method: 'GET', target: '/', headers })).toMatchObject({ status: 401 });
  });

  it.each([
    [{ host }],
    [{ host, authorization: 'Bearer wrong' }],
    [{ host, authorization: `Basic ${token}` }],
    [{ host, authorization: `Bearer ${token}x` }],
    [{ host, cookie: `forrest-bench-7420=${token}` }],
    [{ host, cookie: 'forrest-bench-7420=' }],
  ])('asks for the token where it is missing or wrong: %j', (headers) => {
    expect(judge('/', headers)).toBe(401);
  });

  it.each(['/?token=', '/?token=wrong', `/?token=${token}x`, `/assets?token=${token}`])(
    'does not let in with %s',
    (target) => {
      expect(judge(target, { host })).toBe(401);
    },
  );

  it('says how to get the address', () => {
    expect(guard.judge({ method: 'GET', target: '/', headers: { host } })).toMatchObject({
      text: expect.stringContaining('forrest-bench address'),
    });
  });

  it.each(['localhost:7420', 'LOCALHOST:7420', '[::1]:7420', '127.0.0.1:7420'])('answers under %s', (name) => {
    expect(judge('/', { ...bearer, host: name })).toBe('allowed');
  });

  it.each([
    undefined,
    '',
    'evil.example',
    'evil.example:7420',
    '127.0.0.1',
    '127.0.0.1:80',
    '127.0.0.1:7420.evil.example',
  ])('refuses the Host %s, even with the token', (name) => {
    const { authorization } = bearer;
    expect(judge('/', name === undefined ? { authorization } : { authorization, host: name })).toBe(403);
    expect(judge(`/?token=${token}`, name === undefined ? {} : { host: name })).toBe(403);
  });

  it.each([
    ['http://127.0.0.1:7420', 'allowed'],
    ['http://localhost:7420', 403],
    ['https://127.0.0.1:7420', 403],
    ['http://127.0.0.1:7421', 403],
    ['http://evil.example', 403],
    ['null', 403],
    ['', 403],
  ])('takes the Origin %j as %s', (origin, expected) => {
    expect(judge('/bench', { ...bearer, origin })).toBe(expected);
  });

  it('answers reading methods only', () => {
    expect(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'CONNECT'].map((m) => judge('/', bearer, m))).toEqual([
      'allowed',
      'allowed',
      405,
      405,
      405,
      405,
      405,
    ]);
  });

  it.each(['http://127.0.0.1:7420/', '*', ''])('refuses the target %j', (target) => {
    expect(judge(target, bearer)).toBe(404);
  });

  it('answers under the bare name where the port is the usual one', () => {
    const usual = new RequestGuard(token, 80);
    const headers = { host: 'localhost', authorization: `Bearer ${token}` };
    expect(usual.judge({ method: 'GET', target: '/', headers }).kind).toBe('allowed');
  });
});
