import { getCACertificates } from 'node:tls';
import { Pool } from 'undici';
import type { Upstream } from './upstream.ts';

/** Waits of the HTTP layer (protocol document 1.4 and 7.6). */
const connectTimeoutMs = 30_000;
const keepAliveMs = 60_000;
/** Artifacts may take an hour; the relay has limits of its own, and a poll brings its own deadline. */
const unlimited = 0;

/**
 * Opens the connections to one GitLab instance. Verification of certificates is always on.
 * @param url As the config has it after its own clean-up: http or https, no credentials, no trailing slash.
 * @param caPem Certificates trusted besides the system's, or null.
 */
export function connectUpstream(url: string, caPem: string | null): Upstream & AsyncDisposable {
  const { origin, pathname } = new URL(url);
  const dispatcher = new Pool(origin, {
    connections: 64,
    pipelining: 1,
    headersTimeout: unlimited,
    bodyTimeout: unlimited,
    keepAliveTimeout: keepAliveMs,
    connect: { timeout: connectTimeoutMs, minVersion: 'TLSv1.2', ca: trustedCertificates(caPem) },
  });
  return {
    dispatcher,
    origin,
    basePath: pathname.replace(/\/+$/, ''),
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  };
}

/** A list of our own replaces Node's whole list, so both of Node's and the system's go in beside it. */
function trustedCertificates(caPem: string | null): string[] {
  return [...getCACertificates('default'), ...getCACertificates('system'), ...(caPem === null ? [] : [caPem])];
}
