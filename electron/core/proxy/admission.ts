import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../platform/clock.ts';
import type { Credentials } from './credentials.ts';
import { first } from './headers.ts';
import type { ListenerLimits } from './limits.ts';
import { type LocalAnswer, problem } from './local-answer.ts';
import { readBody, type UnreadBody } from './read-body.ts';
import type { ArtifactRoute, JobUpdateRoute, TraceRoute } from './routes.ts';
import { type JobUpdateBody, parseJobUpdate } from './runner-requests.ts';
import { rangeStart } from './trace-tap.ts';

/** Why a request goes no further. `why` is for log and screen, the answer for the machine. */
export interface Refusal {
  kind: 'refused';
  answer: LocalAnswer;
  why: string;
}
/** `token` is what is sent upstream; `gone`: the machine hung up, nobody waits for an answer. */
export type Admission<What> = ({ kind: 'admitted'; token: string } & What) | Refusal | { kind: 'gone' };

interface AdmissionDeps {
  clock: Pick<Clock, 'after'>;
  limits: ListenerLimits;
  credentials: Credentials;
}

/** The token may be in the header (from 17.11 on), in the body, or in both: whatever is there has to be right. */
export async function admitUpdate(
  { clock, limits, credentials }: AdmissionDeps,
  route: JobUpdateRoute,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Admission<{ body: Buffer; update: JobUpdateBody }>> {
  const header = first(request.headers['job-token']);
  if (header !== undefined && credentials.ownToken(route.jobId, header) === undefined) return wrongToken;
  const read = await readBody(clock, request, response, {
    limitBytes: limits.updateBodyBytes,
    timeoutMs: limits.idleMs,
  });
  if (read.kind !== 'whole') return unreadBody(read);
  const update = parseJobUpdate(read.bytes);
  if (update === undefined) return refuse(problem(400, 'This is no status update.'), 'body not understood');
  const presented = update.token ?? header;
  const token = presented === undefined ? undefined : credentials.ownToken(route.jobId, presented);
  return token === undefined ? wrongToken : { kind: 'admitted', token, body: read.bytes, update };
}

export async function admitPatch(
  { clock, limits, credentials }: AdmissionDeps,
  route: TraceRoute,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Admission<{ body: Buffer; fromByte: number }>> {
  const token = credentials.ownToken(route.jobId, first(request.headers['job-token']) ?? '');
  if (token === undefined) return wrongToken;
  const fromByte = rangeStart(first(request.headers['content-range']));
  if (fromByte === undefined)
    return refuse(problem(400, 'Content-Range: <first>-<last> is needed.'), 'no content range');
  const read = await readBody(clock, request, response, {
    limitBytes: limits.patchBodyBytes,
    timeoutMs: limits.idleMs,
  });
  return read.kind === 'whole' ? { kind: 'admitted', token, body: read.bytes, fromByte } : unreadBody(read);
}

/** Uploads belong to the run's own job; downloads also to the jobs it depends on. */
export function admitArtifact(
  { credentials }: Pick<AdmissionDeps, 'credentials'>,
  route: ArtifactRoute,
  request: IncomingMessage,
): Admission<object> {
  const presented = first(request.headers['job-token']) ?? '';
  const isUpload = route.name === 'artifact-upload';
  const token = isUpload
    ? credentials.ownToken(route.jobId, presented)
    : credentials.downloadToken(route.jobId, presented);
  return token === undefined ? wrongToken : { kind: 'admitted', token };
}

/** For a small body that was not read whole. */
export function unreadBody(read: UnreadBody): Refusal | { kind: 'gone' } {
  switch (read.kind) {
    case 'gone':
      return { kind: 'gone' };
    case 'too-large':
      return refuse(problem(413, 'This is larger than may pass here.'), 'too large');
    case 'late':
      return refuse(problem(408, 'The request did not come whole in time.'), 'too slow');
  }
}

function refuse(answer: LocalAnswer, why: string): Refusal {
  return { kind: 'refused', answer, why };
}

const wrongToken = refuse(problem(403, 'Forbidden.'), 'wrong job or job token');
