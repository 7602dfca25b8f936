import { request } from 'node:http';
import type { FakeGuest } from '../guest.ts';

/** Asks the app once for `/bench/v1/run`, prints the status of the answer, and then waits for the power button. */
export async function guest(machine: FakeGuest): Promise<void> {
  const status = await new Promise<number>((resolve, reject) => {
    const options = { socketPath: machine.proxySocketPath, path: '/bench/v1/run', signal: machine.signal };
    request(options, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .once('error', reject)
      .end();
  });
  machine.print(`called, answer ${status}\r\n`);
}
