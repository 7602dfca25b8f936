import type { Dispatcher } from 'undici';

/**
 * One GitLab instance as the relay sees it. It has no credential of ours: what carries a machine's requests is built
 * without access to the runner token.
 */
export interface Upstream {
  /** Connections to `origin` and nowhere else, with the instance's CA; does not follow redirects. */
  dispatcher: Dispatcher;
  /** Scheme, host and port: `https://gitlab.example.com`. */
  origin: string;
  /** Path of a sub-path installation without a trailing slash (`/gitlab`), or an empty string. */
  basePath: string;
}
