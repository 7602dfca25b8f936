import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';

const handoverSchema = z.object({ argv: z.array(z.string()), workingDirectory: z.string() });
export type Handover = z.infer<typeof handoverSchema>;

// Electron's call returns at once, so the second instance cannot wait for a socket of its own process.
const handOver = `
  const { connect } = require('node:net');
  const socket = connect(process.argv[1], () => socket.end(process.argv[2]));
  socket.on('error', () => process.exit(1));
`;

/**
 * One instance per folder of user data: the pid in a lock file, and a socket where a second instance leaves its
 * command line.
 * @returns false in a second instance, which has been heard by then.
 */
export function lockInstance(userData: string, mine: Handover, onSecond: (other: Handover) => void): boolean {
  mkdirSync(userData, { recursive: true });
  const lockPath = join(userData, 'double.lock');
  const socketPath = join(userData, 'double.sock');
  for (;;) {
    try {
      writeFileSync(lockPath, String(process.pid), { flag: 'wx' });
      break;
    } catch {
      if (isAlive(Number(readFileSync(lockPath, 'utf8')))) {
        spawnSync(process.execPath, ['-e', handOver, socketPath, JSON.stringify(mine)]);
        return false;
      }
      rmSync(lockPath, { force: true });
    }
  }
  rmSync(socketPath, { force: true });
  const server = createServer((socket) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('end', () => onSecond(handoverSchema.parse(JSON.parse(text))));
    socket.on('error', () => {});
  });
  server.listen(socketPath);
  server.unref();
  process.on('exit', () => {
    rmSync(lockPath, { force: true });
    rmSync(socketPath, { force: true });
  });
  return true;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
