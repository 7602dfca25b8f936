import { connect, isIP, type Socket } from 'node:net';
import type { Clock } from '../../platform/clock.ts';
import { errorCode } from '../../platform/files.ts';
import { type EgressTarget, noPublicAddress, refusalOf } from './egress-target.ts';
import type { Resolver } from './resolver.ts';

export interface OutwardOptions {
  resolve: Resolver;
  isAllowedAddress: (address: string, port: number) => boolean;
  /** Let through whatever `isAllowedAddress` says. */
  exceptions: readonly EgressTarget[];
  /** For one address of a name. */
  connectMs: number;
}

/** A connection that is not made, with the HTTP status and the sentence that the guest is told. */
export class OutwardRefusal extends Error {
  readonly status: 403 | 502;

  constructor(status: 403 | 502, why: string) {
    super(why);
    this.name = 'OutwardRefusal';
    this.status = status;
  }
}

/** A name may have dozens of addresses; a guest is not worth trying them all. */
const triedAddresses = 4;

/**
 * Opens a connection to where a guest wants to go, if it may: looks the name up once, takes only addresses that are allowed,
 * and connects to those very addresses, so that a second answer of a name server changes nothing.
 * @throws OutwardRefusal, or `signal.reason` when aborted.
 */
export async function connectOutward(
  { clock }: { clock: Clock },
  options: OutwardOptions,
  target: EgressTarget,
  signal: AbortSignal,
): Promise<{ socket: Socket; address: string }> {
  const addresses = await allowedAddresses(options, target, signal);
  let why = 'no answer';
  for (const address of addresses.slice(0, triedAddresses)) {
    signal.throwIfAborted();
    try {
      return { socket: await connected(clock, address, target.port, options.connectMs, signal), address };
    } catch (error) {
      why = errorCode(error) ?? 'no answer in time';
    }
  }
  signal.throwIfAborted();
  throw new OutwardRefusal(502, `${target.host} cannot be reached on port ${target.port} (${why}).`);
}

async function allowedAddresses(
  options: OutwardOptions,
  { host, port }: EgressTarget,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const isException = options.exceptions.some((exception) => exception.host === host && exception.port === port);
  const refusal = isException ? undefined : refusalOf({ host, port });
  if (refusal !== undefined) throw new OutwardRefusal(403, refusal);
  const isLiteral = isIP(host) !== 0;
  const found = isLiteral ? [host] : await options.resolve(host).catch(() => []);
  signal.throwIfAborted();
  const allowed = found.filter(
    (address) => isIP(address) !== 0 && (isException || options.isAllowedAddress(address, port)),
  );
  if (allowed.length > 0) return allowed;
  throw new OutwardRefusal(403, isLiteral ? `${host} is not a public address.` : noPublicAddress(host));
}

function connected(clock: Clock, host: string, port: number, connectMs: number, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
  const deadline = clock.after(connectMs, () => socket.destroy(new Error('no answer in time')));
  const onAbort = () => socket.destroy(new Error('aborted'));
  signal.addEventListener('abort', onAbort, { once: true });
  return new Promise<Socket>((resolve, reject) => {
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  }).finally(() => {
    deadline[Symbol.dispose]();
    signal.removeEventListener('abort', onAbort);
  });
}
