import type { FakeGuest } from '../guest.ts';

/** Prints 3 MiB of numbered lines, then powers off. */
export function guest(machine: FakeGuest): void {
  const lineCount = (3 * 1024 * 1024) / 64;
  for (let line = 0; line < lineCount; line += 1) machine.print(`${String(line).padStart(62, '.')}\r\n`);
  machine.powerOff();
}
