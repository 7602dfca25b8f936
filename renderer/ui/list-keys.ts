import type { KeyboardEvent } from 'react';

const steps: Record<string, (at: number, count: number) => number> = {
  ArrowDown: (at, count) => Math.min(count - 1, at + 1),
  ArrowUp: (at) => Math.max(0, at - 1),
  Home: () => 0,
  End: (_at, count) => count - 1,
};

/**
 * Lets the arrow keys, Home and End go through a list's buttons that carry `data-list-item`; Enter and Space press
 * them, as ever. Only one of them is a stop of the Tab key (`tabIndex` 0), so that a long list is passed at once.
 */
export function onListKey(event: KeyboardEvent<HTMLElement>): void {
  const step = steps[event.key];
  if (step === undefined) return;
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-list-item]')];
  const focused = document.activeElement;
  const at = focused instanceof HTMLElement ? items.indexOf(focused) : -1;
  if (at < 0) return;
  event.preventDefault();
  items[step(at, items.length)]?.focus();
}
