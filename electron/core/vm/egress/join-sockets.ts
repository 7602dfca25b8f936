import type { Duplex } from 'node:stream';

/**
 * Lets bytes pass both ways between two open connections until both directions have ended. A slow reader slows its writer
 * down; a direction that ends is ended on the other side, while the opposite one goes on; whoever is destroyed takes the
 * other along. Both must allow half-open connections.
 * @returns Resolves when both are closed. Never rejects.
 */
export async function joinSockets(a: Duplex, b: Duplex): Promise<void> {
  const closed = [closedWith(a, b), closedWith(b, a)];
  if (!a.destroyed && !b.destroyed) {
    a.pipe(b);
    b.pipe(a);
  }
  await Promise.all(closed);
}

/** Resolves when `socket` is closed; destroys `other` unless `socket` had ended both ways and so has said all it had. */
async function closedWith(socket: Duplex, other: Duplex): Promise<void> {
  // The close event follows every error.
  socket.on('error', () => {});
  if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  if (!socket.readableEnded || !socket.writableFinished) other.destroy();
}
