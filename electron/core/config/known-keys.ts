import {
  capacityHereSchema,
  connectionSchema,
  fullReachSchema,
  keepFreeSchema,
  lendingSchema,
  machineSchema,
  runnerSchema,
} from './config-schema.ts';

interface KnownKeys {
  keys: readonly string[];
  /** Keys of the design that do nothing yet: refused, because a line that is silently ignored is a lie. */
  notYet: readonly string[];
}

/** Where mappings stand; `*` is any name or index. */
const keysByPlace: Readonly<Record<string, KnownKeys>> = {
  '': { keys: ['lending', 'capacity', 'machines', 'connections', 'qemu'], notYet: [] },
  lending: { keys: Object.keys(lendingSchema.shape), notYet: ['hours', 'on-battery', 'when-present'] },
  capacity: { keys: ['here', 'keep-free'], notYet: ['away'] },
  'capacity.here': { keys: Object.keys(capacityHereSchema.shape), notYet: [] },
  'capacity.keep-free': { keys: Object.keys(keepFreeSchema.shape), notYet: [] },
  'machines.*': {
    keys: Object.keys(machineSchema.shape),
    notYet: ['base-machine', 'use-base', 'persistence-token-file'],
  },
  'machines.*.reach.*': { keys: Object.keys(fullReachSchema.shape), notYet: [] },
  'connections.*': { keys: [...Object.keys(connectionSchema.shape), 'runners'], notYet: [] },
  'connections.*.runners.*': { keys: Object.keys(runnerSchema.shape), notYet: ['priority', 'token'] },
};

export type KeyVerdict = { kind: 'known' } | { kind: 'not-yet' } | { kind: 'unknown'; allowed: readonly string[] };

/** @param place The mapping that holds `key`. */
export function judgeKey(place: readonly (string | number)[], key: string): KeyVerdict {
  const found = Object.entries(keysByPlace).find(([pattern]) => matches(pattern, place));
  if (found === undefined) return { kind: 'known' };
  const [, { keys, notYet }] = found;
  if (keys.includes(key)) return { kind: 'known' };
  return notYet.includes(key) ? { kind: 'not-yet' } : { kind: 'unknown', allowed: keys };
}

function matches(pattern: string, place: readonly (string | number)[]): boolean {
  const parts = pattern === '' ? [] : pattern.split('.');
  return parts.length === place.length && parts.every((part, index) => part === '*' || part === place[index]);
}
