import { hash, timingSafeEqual } from 'node:crypto';
import type { AcceptedJob } from '../gitlab/accepted-job.ts';

interface Grant {
  jobId: string;
  digest: Buffer;
  token: string;
}

/**
 * What a machine may present, and what is sent upstream in its place: the record behind every decision (protocol
 * document 7.1). It knows the run's own token, the job token and those of the job's dependencies; it is never given
 * a runner token. Comparisons take the same time wherever the difference lies.
 */
export class Credentials {
  readonly #vmDigest: Buffer;
  readonly #own: Grant;
  readonly #downloads: readonly Grant[];

  constructor(vmToken: string, job: Pick<AcceptedJob, 'id' | 'token' | 'dependencies'>) {
    this.#vmDigest = digest(vmToken);
    this.#own = grant(job);
    this.#downloads = [this.#own, ...job.dependencies.map(grant)];
  }

  isVmToken(presented: string): boolean {
    return timingSafeEqual(digest(presented), this.#vmDigest);
  }

  /** @returns The job token to send upstream for status, trace and uploads; undefined refuses. */
  ownToken(jobId: string, presented: string): string | undefined {
    return find([this.#own], jobId, presented);
  }

  /**
   * Which token comes with a dependency depends on the age of the server, so the pair counts (protocol document 5.4).
   * @returns The token to send upstream for a download of that job's artifacts; undefined refuses.
   */
  downloadToken(jobId: string, presented: string): string | undefined {
    return find(this.#downloads, jobId, presented);
  }
}

function find(grants: readonly Grant[], jobId: string, presented: string): string | undefined {
  const presentedDigest = digest(presented);
  let found: string | undefined;
  // No early exit: how long it takes says nothing about which entry came close.
  for (const { jobId: known, digest: expected, token } of grants) {
    if (timingSafeEqual(presentedDigest, expected) && known === jobId) found = token;
  }
  return found;
}

function grant(job: Pick<AcceptedJob, 'id' | 'token'>): Grant {
  return { jobId: String(job.id), digest: digest(job.token), token: job.token };
}

/** Equal lengths for `timingSafeEqual`, whatever was presented. */
function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
