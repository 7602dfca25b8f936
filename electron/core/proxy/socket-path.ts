import { connect } from 'node:net';
import type { Files } from '../platform/files.ts';
import { ProxyError } from './proxy-error.ts';

/** `sun_path` of unix(7) without its final zero byte. */
const pathLimitBytes = process.platform === 'darwin' ? 103 : 107;

/**
 * Makes sure that a socket can be bound at `path`: a socket that a process left behind when it was killed is removed.
 * @throws ProxyError `proxy/socket-path-too-long`, `proxy/socket-in-use`.
 */
export async function clearSocketPath(files: Pick<Files, 'exists' | 'remove'>, path: string): Promise<void> {
  if (Buffer.byteLength(path) > pathLimitBytes) {
    throw new ProxyError('proxy/socket-path-too-long', `A socket's path has at most ${pathLimitBytes} bytes.`, {
      remedy: 'Move the run directories to a shorter path.',
    });
  }
  if (!(await files.exists(path))) return;
  if (await isAnswered(path)) {
    throw new ProxyError('proxy/socket-in-use', 'Another process serves this run.', {
      remedy: 'Close the other Forrest Bench, then start this one again.',
    });
  }
  await files.remove(path);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
