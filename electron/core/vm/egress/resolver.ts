import { Resolver as DnsResolver } from 'node:dns/promises';

/** Every address of a name, IPv4 before IPv6; empty or an error where there is none. */
export type Resolver = (host: string) => Promise<readonly string[]>;

/**
 * Asks the name servers of this PC, and nothing else: not its hosts file and not its neighbours, which only know private
 * names. It also keeps lookups of machines out of the few threads that serve this program's files.
 */
export function systemResolver(): Resolver {
  return async (host) => {
    const resolver = new DnsResolver({ timeout: 4000, tries: 2 });
    const [v4, v6] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    return [v4, v6].flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  };
}
