import type { Upstream } from '../gitlab/upstream.ts';
import { guestUrl } from './guest-setup.ts';

/** 301, 302 and 303 make Go's client send a GET instead, silently and without the body (protocol document 5.2). */
export function isTurningRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303;
}

/**
 * Where a machine is sent by a redirect of an artifact request; we follow none ourselves. An upload that GitLab sends to
 * itself comes back to us, so that it stays within what is allowed; everything else the machine does on its own, as a
 * runner anywhere would.
 */
export function machineLocation(
  upstream: Pick<Upstream, 'origin' | 'basePath'>,
  method: 'POST' | 'GET',
  status: number,
  location: string | undefined,
): string | undefined {
  if (location === undefined || status < 300 || status > 399) return undefined;
  if (method === 'GET' || !URL.canParse(location, upstream.origin)) return location;
  const url = new URL(location, upstream.origin);
  const base = `${upstream.basePath}/`;
  if (url.origin !== upstream.origin || !url.pathname.startsWith(base)) return location;
  return `${guestUrl}${url.pathname.slice(base.length)}${url.search}`;
}
