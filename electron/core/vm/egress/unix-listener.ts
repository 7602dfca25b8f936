import type { Server } from 'node:net';
import type { PlatformDeps } from '../../platform/deps.ts';
import { errorCode } from '../../platform/files.ts';
import { EgressError } from './egress-error.ts';

/**
 * Binds a server to a unix socket. One that is left from a process that is gone is replaced.
 * @throws EgressError `egress/cannot-listen`.
 */
export async function listenOnSocket(
  { files }: Pick<PlatformDeps, 'files'>,
  server: Server,
  socketPath: string,
): Promise<void> {
  await files.remove(socketPath);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(socketPath, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (cause) {
    throw new EgressError('egress/cannot-listen', `Cannot listen on ${socketPath} (${errorCode(cause)})`, {
      remedy: 'Choose a shorter folder for sockets: a path of one has at most 107 bytes.',
      cause,
    });
  }
}

/** Stops accepting; resolves when every connection is closed too. */
export async function closeServer(server: Server): Promise<void> {
  if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
}
