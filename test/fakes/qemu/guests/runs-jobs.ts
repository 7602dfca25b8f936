import { type IncomingHttpHeaders, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { FakeGuest } from '../guest.ts';

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/**
 * Plays the agent and its runner: asks for the run, then for the job, and does what the job's script lines say:
 * `print TEXT`, `interval` (prints the seconds it was told to wait between two patches), `exit N`, `hang` (until canceled), `power-off`, `panic`, `chatter N` (N lines, a PATCH each).
 */
export async function guest(machine: FakeGuest): Promise<void> {
  const call = (method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const options = { socketPath: machine.proxySocketPath, method, path, headers, signal: machine.signal };
      request(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      })
        .once('error', reject)
        .end(body);
    });
  const json = { 'Content-Type': 'application/json' };

  const setup = JSON.parse((await call('GET', '/bench/v1/run')).body);
  machine.print('bench: agent is up\r\n');
  const ask = { token: setup.token, info: { name: 'fake-runner', version: '1.0.0', features: {} } };
  const answer = await call('POST', '/api/v4/jobs/request', json, JSON.stringify(ask));
  if (answer.status !== 201) {
    machine.powerOff();
    return;
  }
  const job = JSON.parse(answer.body);
  const update = (more: object) =>
    call(
      'PUT',
      `/api/v4/jobs/${job.id}`,
      { ...json, 'JOB-TOKEN': job.token },
      JSON.stringify({ token: job.token, ...more }),
    );
  let offset = 0;
  let interval = 'unknown';
  const print = async (text: string): Promise<Answer> => {
    const bytes = Buffer.from(text);
    const range = `${offset}-${offset + bytes.length - 1}`;
    const headers = { 'Content-Type': 'text/plain', 'Content-Range': range, 'JOB-TOKEN': job.token };
    const result = await call('PATCH', `/api/v4/jobs/${job.id}/trace?debug_trace=false`, headers, text);
    if (result.status === 202) offset += bytes.length;
    interval = String(result.headers['x-gitlab-trace-update-interval']);
    return result;
  };
  const isOver = (result: Answer) => result.status === 403 || result.headers['job-status'] === 'canceled';

  await update({ state: 'running' });
  for (const line of job.steps.flatMap((step: { script: string[] }) => step.script) as string[]) {
    const [word, rest = ''] = line.split(/ (.*)/s);
    if (word === 'print') await print(`${rest}\n`);
    if (word === 'interval') await print(`${interval}\n`);
    if (word === 'chatter') for (let index = 0; index < Number(rest); index += 1) await print(`line ${index}\n`);
    if (word === 'panic') return machine.panic({ isReported: true });
    if (word === 'power-off') return machine.powerOff();
    if (word === 'exit' && rest !== '0') {
      await update({ state: 'failed', failure_reason: 'script_failure', exit_code: Number(rest) });
      return machine.powerOff();
    }
    while (word === 'hang') {
      await delay(50, undefined, { signal: machine.signal });
      // The app may be gone for a while: a runner goes on and tries again.
      const result = await update({ state: 'running' }).catch(() => undefined);
      if (result === undefined) continue;
      if (isOver(result)) return machine.powerOff();
      if (result.headers['job-status'] === 'canceling') {
        await update({ state: 'failed', failure_reason: 'job_canceled' });
        return machine.powerOff();
      }
    }
  }
  await update({ state: 'success' });
  machine.powerOff();
}
