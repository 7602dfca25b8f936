import type { Resources } from '../../contract/state.ts';

export const nothing: Resources = { cpus: 0, memoryBytes: 0, diskBytes: 0, slotCount: 0 };

const resourceNames = ['slotCount', 'cpus', 'memoryBytes', 'diskBytes'] as const;

export function add(a: Resources, b: Resources): Resources {
  return {
    cpus: a.cpus + b.cpus,
    memoryBytes: a.memoryBytes + b.memoryBytes,
    diskBytes: a.diskBytes + b.diskBytes,
    slotCount: a.slotCount + b.slotCount,
  };
}

/**
 * Whether `request` fits into what is lent beside what is held. CPUs, memory, disk and slots all count.
 * @returns null where it fits, else one sentence for the owner that names the first thing there is too little of.
 */
export function whyNoRoom(lent: Resources, held: Resources, request: Resources): string | null {
  for (const name of resourceNames) {
    if (held[name] + request[name] <= lent[name]) continue;
    return request[name] > lent[name]
      ? neverFits(name, lent, request)
      : `All lent ${words[name]} ${name === 'slotCount' || name === 'cpus' ? 'are' : 'is'} in use.`;
  }
  return null;
}

const words = { slotCount: 'runs', cpus: 'CPUs', memoryBytes: 'memory', diskBytes: 'disk space' } as const;

function neverFits(name: (typeof resourceNames)[number], lent: Resources, request: Resources): string {
  if (name === 'slotCount') return 'No run is lent.';
  const amount = (value: number) => (name === 'cpus' ? `${value}` : `${(value / 2 ** 30).toFixed(1)} GiB`);
  return `The machine wants ${amount(request[name])} ${words[name]}, ${amount(lent[name])} are lent.`;
}
