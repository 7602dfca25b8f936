/** Values of a query that may go on, by the keys they are known under (protocol document 7.3). */
const queryValues = {
  debug_trace: /^(?:true|false)$/,
  direct_download: /^(?:true|false)$/,
  artifact_format: /^[a-z0-9_]{1,64}$/,
  artifact_type: /^[a-z0-9_]{1,64}$/,
  // Anything printable: people write `in 3 days`.
  expire_in: /^[^\p{Cc}]*$/u,
};
type QueryKey = keyof typeof queryValues;
type Query = readonly (readonly [QueryKey, string])[];
const valueLimitBytes = 255;

export interface JobUpdateRoute {
  name: 'job-update';
  jobId: string;
}
export interface TraceRoute {
  name: 'trace';
  jobId: string;
  query: Query;
}
export interface ArtifactRoute {
  name: 'artifact-upload' | 'artifact-download';
  jobId: string;
  query: Query;
}
/** What goes on to GitLab. Ids are decimal digits as they came, because they may exceed what a number holds. */
export type RelayRoute = JobUpdateRoute | TraceRoute | ArtifactRoute;
/** A runner's requests that are answered here. */
export interface RunnerRoute {
  name: 'job-request' | 'runner-verify';
}
/** Answered here and now, and going nowhere. `what` names the kind of request for logs and counts. */
export interface RefusedRoute {
  name: 'refused';
  what: string;
  status: number;
  why: string;
  headers?: Readonly<Record<string, string>>;
}

/** What a request line asks for. */
export type Route = RelayRoute | RunnerRoute | RefusedRoute | { name: 'run-setup'; format: 'json' | 'sh' };

const jobTarget = /^\/api\/v4\/jobs\/([1-9][0-9]{0,18})(|\/trace|\/artifacts|\/artifacts\/authorize)$/;
const secretInQuery = /(?:^|&)(?:token|private_token|access_token|job_token)=/i;
const gitTarget = /\.git(?:\/|$)|\/info\/(?:refs|lfs)/;
const runnerTargets = /^\/api\/v4\/runners(?:$|\/managers$|\/reset_authentication_token$|\/[0-9]+\/)/;

const notServed = refuse('unknown', 404, 'Not served here: a machine reaches GitLab itself under its own address.');

/**
 * Decides on the raw request target, which is never resolved against anything: `//host`, `%2e%2e`, back-slashes and
 * absolute forms would all mean something else after that. Pure.
 */
export function matchRoute(method: string, target: string): Route {
  if (method === 'OPTIONS' || method === 'TRACE' || method === 'CONNECT') {
    return refuse('method', 405, 'This method is not served here.');
  }
  if (!target.startsWith('/')) return refuse('target', 400, 'Only the path form of a request target is served.');
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? undefined : target.slice(mark + 1);
  if (query !== undefined && secretInQuery.test(query)) {
    return refuse('secret-in-query', 400, 'Credentials belong in a header, never in a query.');
  }
  const job = jobTarget.exec(path);
  if (job?.[1] !== undefined) return jobRoute(method, job[1], job[2] ?? '', query);
  switch (`${method} ${path}`) {
    case 'GET /bench/v1/run':
      return setupRoute(query);
    case 'POST /api/v4/jobs/request':
      return query === undefined ? { name: 'job-request' } : badQuery('job-request');
    case 'POST /api/v4/runners/verify':
      return query === undefined ? { name: 'runner-verify' } : badQuery('runner-verify');
    case 'GET /api/v4/runners/router/discovery':
      // 501 is not tried again: the runner goes on with jobs/request (protocol document 6.1).
      return refuse('discovery', 501, 'There is no job router here.');
  }
  if (runnerTargets.test(path)) return refuse('runners', 403, 'A machine registers and unregisters no runner.');
  if (gitTarget.test(path)) {
    return refuse('git', 404, 'Git is not served here. The runner should clone from the address in BENCH_CLONE_URL.');
  }
  return notServed;
}

/** The target to send upstream, below the instance's base path: literals, decimal digits and re-encoded values. */
export function upstreamTarget(route: RelayRoute): string {
  switch (route.name) {
    case 'job-update':
      return `/api/v4/jobs/${route.jobId}`;
    case 'trace':
      return `/api/v4/jobs/${route.jobId}/trace${encodeQuery(route.query)}`;
    case 'artifact-upload':
    case 'artifact-download':
      return `/api/v4/jobs/${route.jobId}/artifacts${encodeQuery(route.query)}`;
  }
}

function jobRoute(method: string, jobId: string, rest: string, query: string | undefined): Route {
  switch (`${method} ${rest}`) {
    case 'PUT ':
      return query === undefined ? { name: 'job-update', jobId } : badQuery('job-update');
    case 'PATCH /trace':
      return withQuery('trace', ['debug_trace'], query, (known) => ({ name: 'trace', jobId, query: known }));
    case 'POST /artifacts':
      return withQuery('artifact-upload', ['artifact_format', 'artifact_type', 'expire_in'], query, (known) => ({
        name: 'artifact-upload',
        jobId,
        query: known,
      }));
    case 'GET /artifacts':
      return withQuery('artifact-download', ['direct_download'], query, (known) => ({
        name: 'artifact-download',
        jobId,
        query: known,
      }));
    case 'POST /artifacts/authorize':
      return refuse('artifact-authorize', 403, 'This belongs to GitLab itself.');
    default:
      return notServed;
  }
}

function setupRoute(query: string | undefined): Route {
  if (query === undefined || query === 'format=json') return { name: 'run-setup', format: 'json' };
  return query === 'format=sh' ? { name: 'run-setup', format: 'sh' } : badQuery('run-setup');
}

function withQuery(
  what: string,
  keys: readonly QueryKey[],
  query: string | undefined,
  route: (known: Query) => Route,
): Route {
  const known = parseQuery(query ?? '', keys);
  return known === undefined ? badQuery(what) : route(known);
}

function parseQuery(query: string, keys: readonly QueryKey[]): Query | undefined {
  const known = new Map<QueryKey, string>();
  // An empty query is real traffic: `artifacts?` (protocol document 7.3).
  for (const part of query === '' ? [] : query.split('&')) {
    const equals = part.indexOf('=');
    const key = keys.find((name) => name === part.slice(0, equals));
    if (key === undefined || known.has(key)) return undefined;
    const value = decode(part.slice(equals + 1));
    if (value === undefined || !queryValues[key].test(value)) return undefined;
    known.set(key, value);
  }
  return [...known];
}

/** Decodes once; undefined for what is no valid encoding, or too long. */
function decode(encoded: string): string | undefined {
  try {
    const value = decodeURIComponent(encoded.replaceAll('+', ' '));
    return Buffer.byteLength(value) <= valueLimitBytes ? value : undefined;
  } catch {
    return undefined;
  }
}

function encodeQuery(query: Query): string {
  if (query.length === 0) return '';
  return `?${query.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&')}`;
}

function badQuery(what: string): Route {
  return refuse(what, 400, 'This query is not understood here.');
}

function refuse(what: string, status: number, why: string): RefusedRoute {
  return { name: 'refused', what, status, why };
}
