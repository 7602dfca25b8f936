import type { FakeGitLab } from '../../fakes/gitlab/fake-gitlab.ts';
import type { FakeJob } from '../../fakes/gitlab/fake-job.ts';

/** What current runners announce that a job can depend on. */
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

export interface JobRequest {
  token: string;
  features?: Readonly<Record<string, boolean>>;
  lastUpdate?: string;
  systemId?: string;
}

export interface Upload {
  bytes: Uint8Array<ArrayBuffer>;
  filename?: string;
  /** Default: `artifact_format=zip&artifact_type=archive`. */
  query?: string;
  fields?: Readonly<Record<string, string>>;
}

/** The requests of a runner, one at a time and as bare as they can be. */
export class RunnerClient {
  readonly #base: string;

  constructor(gitlab: FakeGitLab) {
    this.#base = `${gitlab.url}/api/v4`;
  }

  requestJob(options: JobRequest, signal?: AbortSignal): Promise<Response> {
    const { token, features = allFeatures, lastUpdate, systemId = 's_0123456789ab' } = options;
    const body = { token, system_id: systemId, last_update: lastUpdate, info: { name: 'gitlab-runner', features } };
    return this.send('POST', '/jobs/request', {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  update(job: Pick<FakeJob, 'id' | 'token'>, more: Record<string, unknown>): Promise<Response> {
    return this.send('PUT', `/jobs/${job.id}`, {
      headers: { 'Content-Type': 'application/json', 'JOB-TOKEN': job.token },
      body: JSON.stringify({ token: job.token, ...more }),
    });
  }

  patch(job: Pick<FakeJob, 'id' | 'token'>, fromByte: number, text: string): Promise<Response> {
    return this.send('PATCH', `/jobs/${job.id}/trace?debug_trace=false`, {
      headers: {
        'Content-Type': 'text/plain',
        'JOB-TOKEN': job.token,
        'Content-Range': `${fromByte}-${Math.max(fromByte, fromByte + Buffer.byteLength(text) - 1)}`,
      },
      body: text,
    });
  }

  upload(id: number, token: string, upload: Upload): Promise<Response> {
    const form = new FormData();
    for (const [name, value] of Object.entries(upload.fields ?? {})) form.set(name, value);
    form.set('file', new Blob([upload.bytes]), upload.filename ?? 'artifacts.zip');
    const query = upload.query ?? 'artifact_format=zip&artifact_type=archive';
    return this.send('POST', `/jobs/${id}/artifacts?${query}`, { headers: { 'JOB-TOKEN': token }, body: form });
  }

  download(id: number, token: string | undefined, more: { query?: string; range?: string } = {}): Promise<Response> {
    return this.send('GET', `/jobs/${id}/artifacts${more.query ?? ''}`, {
      headers: {
        ...(token === undefined ? {} : { 'JOB-TOKEN': token }),
        ...(more.range === undefined ? {} : { Range: more.range }),
      },
    });
  }

  send(method: string, path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.#base}${path}`, { method, redirect: 'manual', ...init });
  }
}
