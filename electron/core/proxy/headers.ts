import type { IncomingHttpHeaders } from 'node:http';
import type { RelayRoute } from './routes.ts';

/** Names go out as flat pairs, the form that costs undici least. */
export type HeaderPairs = string[];

const alwaysForwarded = ['accept', 'accept-encoding', 'user-agent'];
const requestIdPattern = /^[0-9A-Za-z-]{1,64}$/;

/** As they are spelt towards the machine, by the lower-case name they come under. */
const answered: Readonly<Record<string, string>> = {
  'content-type': 'Content-Type',
  'content-encoding': 'Content-Encoding',
  'content-disposition': 'Content-Disposition',
  'content-range': 'Content-Range',
  'accept-ranges': 'Accept-Ranges',
  etag: 'ETag',
  range: 'Range',
  'job-status': 'Job-Status',
  'x-gitlab-trace-update-interval': 'X-GitLab-Trace-Update-Interval',
  'retry-after': 'Retry-After',
  'x-request-id': 'X-Request-Id',
};
const rateLimitPrefix = 'ratelimit-';

/**
 * The headers of a relayed request: a short list of the machine's, and the job token from the record, never copied
 * (protocol document 7.2). Whatever else it sends stays here, also what it names in `Connection`.
 */
export function upstreamHeaders(route: RelayRoute, sent: IncomingHttpHeaders, jobToken: string): HeaderPairs {
  const pairs: HeaderPairs = ['JOB-TOKEN', jobToken];
  for (const name of alwaysForwarded) forward(pairs, name, sent[name]);
  const requestId = first(sent['x-request-id']);
  if (requestId !== undefined && requestIdPattern.test(requestId)) pairs.push('X-Request-Id', requestId);
  switch (route.name) {
    case 'job-update':
      // What we read as JSON must be read as JSON there too.
      pairs.push('content-type', 'application/json');
      break;
    case 'trace':
      // Newer servers take a missing type for JSON (protocol document 3.1).
      pairs.push('content-type', sent['content-type'] ?? 'text/plain');
      forward(pairs, 'content-range', sent['content-range']);
      break;
    case 'artifact-upload':
      forward(pairs, 'content-type', sent['content-type']);
      // Without one the body goes on in chunks, as it came.
      forward(pairs, 'content-length', sent['content-length']);
      break;
    case 'artifact-download':
      forward(pairs, 'range', sent.range);
      break;
  }
  return pairs;
}

/**
 * The headers of an answer that a machine gets to see. `Content-Length` and `Location` are the caller's business.
 * @param received As undici gives them: lower-case names, an array where one came several times.
 */
export function machineHeaders(received: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name in received) {
    const spelling = answered[name] ?? (name.startsWith(rateLimitPrefix) ? name : undefined);
    const value = spelling === undefined ? undefined : first(received[name]);
    if (spelling !== undefined && value !== undefined) kept[spelling] = value;
  }
  return kept;
}

export function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function forward(pairs: HeaderPairs, name: string, value: string | string[] | undefined): void {
  const single = first(value);
  if (single !== undefined) pairs.push(name, single);
}
