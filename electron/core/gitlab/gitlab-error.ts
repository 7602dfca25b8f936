import { BenchError } from '../../contract/errors.ts';
import { errorCode } from '../platform/files.ts';

export type GitLabErrorCode =
  | 'gitlab/unreachable'
  | 'gitlab/certificate'
  | 'gitlab/token-rejected'
  | 'gitlab/runner-orphaned'
  | 'gitlab/wrong-url'
  | 'gitlab/rate-limited'
  | 'gitlab/server-error'
  | 'gitlab/bad-request'
  | 'gitlab/protocol';

export class GitLabError extends BenchError<GitLabErrorCode> {}

const certificateCodes: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** What a request that got no answer at all means for the owner. */
export function transportError(origin: string, cause: unknown): GitLabError {
  const code = deepestCode(cause);
  if (code !== undefined && certificateCodes.has(code)) {
    return new GitLabError('gitlab/certificate', `${origin} has a certificate that this PC does not trust (${code})`, {
      remedy:
        'Save the CA certificate of your GitLab as a PEM file and name it as ca-file in the connection. ' +
        'If the name or the dates are wrong, the certificate itself has to be renewed.',
      blame: 'gitlab',
      cause,
    });
  }
  return new GitLabError('gitlab/unreachable', `${origin} does not answer (${code ?? describe(cause)})`, {
    remedy: 'Check the network and the url of the connection. Polling goes on by itself and jobs that run are kept.',
    blame: 'gitlab',
    cause,
  });
}

/** A fault in what GitLab sent, not in what we asked. */
export function protocolError(message: string, cause?: unknown): GitLabError {
  return new GitLabError('gitlab/protocol', message, {
    remedy: 'Something between this PC and GitLab changes its answers, or this GitLab is not supported. See the log.',
    blame: 'gitlab',
    cause,
  });
}

/** undici wraps system errors, several layers deep; the innermost code is the one that says something. */
function deepestCode(error: unknown): string | undefined {
  let code: string | undefined;
  let current = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth += 1) {
    code = errorCode(current) ?? code;
    current = current.cause ?? (current instanceof AggregateError ? current.errors[0] : undefined);
  }
  return code;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
