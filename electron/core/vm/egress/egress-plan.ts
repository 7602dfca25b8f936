import { isIP } from 'node:net';
import { EgressError } from './egress-error.ts';

/** A door that the owner opened by name: `name:port` in the guest leads to `toHost:toPort` as this PC sees it. */
export interface ReachTarget {
  name: string;
  port: number;
  toHost: string;
  toPort: number;
}

export interface ReachPlan {
  /** For the guest's hosts file: one address of QEMU's user network for each name. */
  hosts: { address: string; name: string }[];
  /** What each guest address and port leads to. */
  forwards: { address: string; port: number; toHost: string; toPort: number }[];
  /**
   * What has no name a hosts file could hold, because it is an address: the proxy lets exactly this through
   * (`EgressOptions.exceptions`).
   */
  throughProxy: { host: string; port: number }[];
}

/** 10.0.2.100 is the app itself; below are QEMU's gateway, name server and the guest. */
const firstAddress = 101;
const lastAddress = 254;

/**
 * Decides what a machine may reach beside the internet: the doors of its kind, and the job's own GitLab instance, which
 * often stands in the very network that is closed. A door of the same name and port wins: it says where the name really is.
 * @param gitlabOrigin `https://host[:port]`.
 * @throws EgressError `egress/too-many-names` above 154 names.
 */
export function planReach({ gitlabOrigin, reach }: { gitlabOrigin: string; reach: readonly ReachTarget[] }): ReachPlan {
  const instance = instanceTarget(gitlabOrigin);
  const isLiteral = isIP(instance.name) !== 0;
  const targets = unique(isLiteral || isOfTheGuestItself(instance.name) ? reach : [...reach, instance]);
  const addressesByName = new Map<string, string>();
  const forwards = targets.map(({ name, port, toHost, toPort }) => {
    const address = addressesByName.get(name) ?? nextAddress(addressesByName.size);
    addressesByName.set(name, address);
    return { address, port, toHost, toPort };
  });
  return {
    hosts: [...addressesByName].map(([name, address]) => ({ address, name })),
    forwards,
    throughProxy: isLiteral ? [{ host: instance.name, port: instance.port }] : [],
  };
}

function instanceTarget(origin: string): ReachTarget {
  const url = new URL(origin);
  const name = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  return { name, port, toHost: name, toPort: port };
}

/** The first of each name and port. */
function unique(targets: readonly ReachTarget[]): ReachTarget[] {
  const seen = new Set<string>();
  return targets
    .map((target) => ({ ...target, name: target.name.toLowerCase() }))
    .filter(({ name, port }) => {
      const key = `${name}:${port}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
}

/** In a guest, `localhost` is the guest, whatever a hosts file says. */
function isOfTheGuestItself(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost');
}

function nextAddress(takenCount: number): string {
  const last = firstAddress + takenCount;
  if (last <= lastAddress) return `10.0.2.${last}`;
  throw new EgressError('egress/too-many-names', `More than ${lastAddress - firstAddress + 1} names to reach`, {
    remedy: 'Shorten the list under `reach:` of this machine.',
  });
}
