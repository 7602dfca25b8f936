import { BenchError } from '../../contract/errors.ts';

/**
 * - `proxy/socket-path-too-long`: the kernel takes at most 107 bytes.
 * - `proxy/socket-in-use`: somebody listens at this path, so the run is served already.
 * - `proxy/listen-failed`: the socket could not be bound for another reason.
 * - `proxy/unusable-job`: the job's payload is no JSON object.
 */
export type ProxyErrorCode =
  | 'proxy/socket-path-too-long'
  | 'proxy/socket-in-use'
  | 'proxy/listen-failed'
  | 'proxy/unusable-job';

export class ProxyError extends BenchError<ProxyErrorCode> {}
