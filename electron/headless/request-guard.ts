import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** What a request is judged by. */
export interface GuardedRequest {
  method: string;
  /** Path and query as they came. */
  target: string;
  headers: IncomingHttpHeaders;
}

export type Verdict =
  | { kind: 'allowed'; path: string }
  /** The right token in the address: remember it in a cookie, and get it out of the address bar. */
  | { kind: 'login'; setCookie: string }
  | { kind: 'refused'; status: 401 | 403 | 404 | 405; text: string };

/**
 * Decides whether a request may pass. Loopback is no protection by itself: every program and every web page on this PC
 * reaches it. So each request needs the token, a Host that is ours (a foreign name that resolves to 127.0.0.1 is not),
 * and, where a browser names an Origin, our own.
 */
export class RequestGuard {
  readonly #accessToken: string;
  readonly #cookieName: string;
  readonly #cookieValue: string;
  readonly #hosts: readonly string[];

  constructor(accessToken: string, port: number) {
    this.#accessToken = accessToken;
    this.#cookieName = `forrest-bench-${port}`;
    // Browsers send a cookie of 127.0.0.1 to every port of it. What strangers could see there is not the token itself.
    this.#cookieValue = createHmac('sha256', accessToken).update(this.#cookieName).digest('base64url');
    const names = ['127.0.0.1', 'localhost', '[::1]'];
    this.#hosts = names.flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`]));
  }

  judge({ method, target, headers }: GuardedRequest): Verdict {
    const host = headers.host?.toLowerCase() ?? '';
    if (!this.#hosts.includes(host)) return refused(403, 'This address is not one of this bench.');
    if (headers.origin !== undefined && headers.origin.toLowerCase() !== `http://${host}`) {
      return refused(403, 'Requests of other pages are refused.');
    }
    if (method !== 'GET' && method !== 'HEAD') return refused(405, 'Only GET is answered here.');
    // Put together as text: resolved against a base, `//name` would be another host.
    const url = `http://bench${target}`;
    if (!target.startsWith('/') || !URL.canParse(url)) return refused(404, 'There is no such page.');
    const { pathname, searchParams } = new URL(url);
    const offered = searchParams.get('token');
    if (pathname === '/' && offered !== null) return this.#login(offered);
    if (!this.#isKnown(headers)) return refused(401, howToGetIn);
    return { kind: 'allowed', path: pathname };
  }

  #login(offered: string): Verdict {
    if (!isSameSecret(offered, this.#accessToken)) return refused(401, howToGetIn);
    const attributes = 'Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000';
    return { kind: 'login', setCookie: `${this.#cookieName}=${this.#cookieValue}; ${attributes}` };
  }

  #isKnown(headers: IncomingHttpHeaders): boolean {
    const bearer = /^Bearer ([\w.-]{1,200})$/i.exec(headers.authorization ?? '')?.[1];
    if (bearer !== undefined) return isSameSecret(bearer, this.#accessToken);
    const cookies = (headers.cookie ?? '').split(';').map((cookie) => cookie.trim());
    const prefix = `${this.#cookieName}=`;
    return cookies.some(
      (cookie) => cookie.startsWith(prefix) && isSameSecret(cookie.slice(prefix.length), this.#cookieValue),
    );
  }
}

const howToGetIn = `This is a Forrest Bench. It opens with the address that carries its access token.

To get that address, run on this PC:

    forrest-bench address

It was also shown when the bench was started in a terminal.
`;

function refused(status: 401 | 403 | 404 | 405, text: string): Verdict {
  return { kind: 'refused', status, text: text.endsWith('\n') ? text : `${text}\n` };
}

/** In constant time: hashes have one length, whatever is offered. */
function isSameSecret(offered: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(offered), digest(secret));
}
