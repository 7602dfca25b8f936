import type { Resources } from '../../../electron/contract/state.ts';
import { formatBytes, formatCount } from '../../ui/format.ts';

export type ResourceKey = keyof Resources;

/** How one resource is lent: in which steps a slider moves, and how its amount is said. */
export interface CapacityScale {
  key: ResourceKey;
  label: string;
  /** What one step of the slider is worth. */
  stepSize: number;
  /** An amount in words: `4 CPUs`, `8 GiB`. */
  say(amount: number): string;
  /** The same beside the label, which names what is counted: `4`, `8 GiB`. */
  show(amount: number): string;
}

const gib = 1024 ** 3;

const counting = (one: string, many: string) => ({
  say: (count: number) => `${formatCount(count)} ${count === 1 ? one : many}`,
  show: formatCount,
});
const measuring = { say: formatBytes, show: formatBytes };

export const capacityScales: readonly CapacityScale[] = [
  { key: 'cpus', label: 'CPUs', stepSize: 1, ...counting('CPU', 'CPUs') },
  { key: 'memoryBytes', label: 'Memory', stepSize: gib / 2, ...measuring },
  { key: 'diskBytes', label: 'Disk', stepSize: gib, ...measuring },
  { key: 'slotCount', label: 'Runs at once', stepSize: 1, ...counting('run', 'runs') },
];

/** The last place of a slider; what is left of the host beyond a whole step cannot be lent. */
export function stepCount(scale: CapacityScale, host: Resources): number {
  return Math.floor(host[scale.key] / scale.stepSize);
}

/** The place of an amount on the slider. */
export function toStep(scale: CapacityScale, amount: number, host: Resources): number {
  return Math.min(stepCount(scale, host), Math.round(amount / scale.stepSize));
}

export function fromStep(scale: CapacityScale, step: number): number {
  return step * scale.stepSize;
}

/** A share of the host in percent, for drawing. */
export function shareOfHost(scale: CapacityScale, amount: number, host: Resources): number {
  const whole = stepCount(scale, host) * scale.stepSize;
  return whole === 0 ? 0 : Math.min(100, (amount / whole) * 100);
}
