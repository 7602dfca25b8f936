/** Facts about one answer of GitLab to a request about the job. */
export interface JobAnswer {
  route: 'job-update' | 'trace';
  status: number;
  /** The `Job-Status` header. */
  jobStatus: string | undefined;
  /** Of a status update: what the runner reported. */
  state: string | undefined;
}

/** What an answer means for the job: it goes on, is to be canceled, or is over in one of two ways. */
export type Verdict = 'open' | 'canceling' | 'final-200' | 'forbidden';

export function isFinalState(state: string | undefined): state is 'success' | 'failed' {
  return state === 'success' || state === 'failed';
}

/**
 * Reads an answer as the runner does (protocol document 3.2 and 4.2), with one difference: a final state that was
 * taken counts as taken, although `Job-Status` says `failed` then.
 */
export function verdictOf(answer: JobAnswer): Verdict {
  const { route, status, jobStatus, state } = answer;
  if (route === 'job-update' && isFinalState(state) && status === 200) return 'final-200';
  if (status === 403 || jobStatus === 'canceled' || jobStatus === 'failed') return 'forbidden';
  if (route === 'job-update' && status === 404) return 'forbidden';
  return jobStatus === 'canceling' && status < 300 ? 'canceling' : 'open';
}
