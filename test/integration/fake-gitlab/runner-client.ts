import type { FakeGitLab } from '../../fakes/gitlab/fake-gitlab.ts';

/** What current runners announce with the shell executor. */
export const allFeatures: Readonly<Record<string, boolean>> = {
  upload_multiple_artifacts: true,
  refspecs: true,
  artifacts_exclude: true,
  multi_build_steps: true,
  return_exit_code: true,
  fallback_cache_keys: true,
  vault_secrets: true,
  cancel_gracefully: true,
};

export interface RequestOptions {
  token: string;
  features?: Readonly<Record<string, boolean>>;
  lastUpdate?: string;
  systemId?: string;
}

/** The requests of a runner, one at a time and as bare as they can be. */
export class RunnerClient {
  readonly #base: string;

  constructor(gitlab: FakeGitLab) {
    this.#base = `${gitlab.url}/api/v4`;
  }

  requestJob(options: RequestOptions, signal?: AbortSignal): Promise<Response> {
    const { token, features = allFeatures, lastUpdate, systemId = 's_0123456789ab' } = options;
    const body = { token, system_id: systemId, last_update: lastUpdate, info: { name: 'gitlab-runner', features } };
    return this.#send('POST', '/jobs/request', {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  update(id: number, token: string, more: Record<string, unknown>): Promise<Response> {
    return this.#send('PUT', `/jobs/${id}`, {
      headers: { 'Content-Type': 'application/json', 'JOB-TOKEN': token },
      body: JSON.stringify({ token, ...more }),
    });
  }

  patch(id: number, token: string, fromByte: number, text: string | Uint8Array<ArrayBuffer>): Promise<Response> {
    const end = fromByte + Buffer.byteLength(text) - 1;
    return this.#send('PATCH', `/jobs/${id}/trace?debug_trace=false`, {
      headers: { 'Content-Type': 'text/plain', 'JOB-TOKEN': token, 'Content-Range': `${fromByte}-${end}` },
      body: text,
    });
  }

  #send(method: string, path: string, init: RequestInit): Promise<Response> {
    return fetch(`${this.#base}${path}`, { method, redirect: 'manual', ...init });
  }
}
