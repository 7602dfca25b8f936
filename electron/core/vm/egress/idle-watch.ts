import type { Socket } from 'node:net';
import type { Clock } from '../../platform/clock.ts';

const looksPerLimit = 4;

/**
 * Destroys a connection that has moved no byte in either direction for `idleMs`, or up to a quarter longer: its counters
 * are looked at now and then, which costs nothing per byte.
 */
export function destroyWhenIdle({ clock }: { clock: Clock }, socket: Socket, idleMs: number): Disposable {
  const movedBytes = () => socket.bytesRead + socket.bytesWritten;
  let lastBytes = movedBytes();
  let quietLooks = 0;
  const look = () => {
    quietLooks = movedBytes() === lastBytes ? quietLooks + 1 : 0;
    lastBytes = movedBytes();
    if (quietLooks >= looksPerLimit) socket.destroy();
    else timer = clock.after(idleMs / looksPerLimit, look);
  };
  let timer = clock.after(idleMs / looksPerLimit, look);
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}
