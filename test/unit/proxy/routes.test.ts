import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchRoute, upstreamTarget } from '../../../electron/core/proxy/routes.ts';

/** What would be sent upstream, or the status of our own answer, or the name of a local route. */
function fate(method: string, target: string): string | number {
  const route = matchRoute(method, target);
  if (route.name === 'refused') return route.status;
  return 'jobId' in route ? upstreamTarget(route) : route.name;
}

it.each([
  ['PUT', '/api/v4/jobs/7', '/api/v4/jobs/7'],
  ['PUT', '/api/v4/jobs/9223372036854775807', '/api/v4/jobs/9223372036854775807'],
  ['PUT', '/api/v4/jobs/7?', 400],
  ['PATCH', '/api/v4/jobs/7/trace', '/api/v4/jobs/7/trace'],
  ['PATCH', '/api/v4/jobs/7/trace?debug_trace=false', '/api/v4/jobs/7/trace?debug_trace=false'],
  ['PATCH', '/api/v4/jobs/7/trace?debug_trace=maybe', 400],
  ['PATCH', '/api/v4/jobs/7/trace?debug_trace=true&debug_trace=true', 400],
  ['PATCH', '/api/v4/jobs/7/trace?debug_trace', 400],
  [
    'POST',
    '/api/v4/jobs/7/artifacts?expire_in=in+3%20d%C3%A4ys',
    '/api/v4/jobs/7/artifacts?expire_in=in%203%20d%C3%A4ys',
  ],
  ['POST', '/api/v4/jobs/7/artifacts?expire_in=a%00b', 400],
  ['POST', '/api/v4/jobs/7/artifacts?expire_in=a%0d%0ab', 400],
  ['POST', '/api/v4/jobs/7/artifacts?expire_in=%zz', 400],
  ['POST', '/api/v4/jobs/7/artifacts?artifact_format=..%2f', 400],
  [
    'POST',
    `/api/v4/jobs/7/artifacts?expire_in=${'a'.repeat(255)}`,
    `/api/v4/jobs/7/artifacts?expire_in=${'a'.repeat(255)}`,
  ],
  ['POST', `/api/v4/jobs/7/artifacts?expire_in=${'a'.repeat(256)}`, 400],
  ['POST', '/api/v4/jobs/7/artifacts?other=1', 400],
  ['GET', '/api/v4/jobs/7/artifacts?', '/api/v4/jobs/7/artifacts'],
  ['GET', '/api/v4/jobs/7/artifacts?direct_download=true', '/api/v4/jobs/7/artifacts?direct_download=true'],
  ['GET', '/api/v4/jobs/7/artifacts?direct_download=true&TOKEN=x', 400],
  ['GET', '/api/v4/jobs/7', 404],
  ['HEAD', '/api/v4/jobs/7/artifacts', 404],
  ['DELETE', '/api/v4/jobs/7/artifacts', 404],
  ['POST', '/api/v4/jobs/request', 'job-request'],
  ['POST', '/api/v4/jobs/request?', 400],
  ['GET', '/api/v4/jobs/request', 404],
  ['POST', '/api/v4/runners/verify', 'runner-verify'],
  ['GET', '/bench/v1/run', 'run-setup'],
  ['GET', '/bench/v1/run?format=sh', 'run-setup'],
  ['POST', '/bench/v1/run', 404],
  ['GET', '/api/v4/job', 404],
  ['POST', '/api/graphql', 404],
  ['GET', '/api/v4/internal/allowed', 404],
  ['GET', '/', 404],
  ['GET', '', 400],
  ['OPTIONS', '*', 405],
])('%s %s: %s', (method, target, expected) => expect(fate(method, target)).toBe(expected));

describe('whatever a machine asks for', () => {
  const piece = fc.constantFrom(
    '/',
    '//',
    '..',
    '.',
    '%2e',
    '%2f',
    '\\',
    '?',
    '#',
    ';',
    '@',
    ':',
    'api',
    'v4',
    'jobs',
    '7',
    '08',
    'trace',
    'artifacts',
    'evil.example',
    '&',
    '=',
    'token',
    'debug_trace',
    'true',
    ' ',
    '\0',
    'é',
  );
  const target = fc.oneof(
    fc.array(piece, { maxLength: 14 }).map((parts) => parts.join('')),
    fc.array(piece, { maxLength: 8 }).map((parts) => `/api/v4/jobs/7/${parts.join('')}`),
    fc.array(piece, { maxLength: 8 }).map((parts) => `/api/v4/jobs/7/artifacts?${parts.join('')}`),
  );

  it('only targets of four forms are ever sent upstream', () => {
    const allowed =
      /^\/api\/v4\/jobs\/[1-9][0-9]{0,18}(?:|\/(?:trace|artifacts)(?:\?[a-z_]+=[A-Za-z0-9_.!~*'()%-]*(?:&[a-z_]+=[A-Za-z0-9_.!~*'()%-]*)*)?)$/;
    fc.assert(
      fc.property(fc.constantFrom('PUT', 'PATCH', 'POST', 'GET'), target, (method, asked) => {
        const route = matchRoute(method, asked);
        if ('jobId' in route) expect(upstreamTarget(route)).toMatch(allowed);
      }),
      { numRuns: 2_000 },
    );
  });
});
