import { afterEach, beforeEach, expect, it } from 'vitest';
import type { EpochMs, JobId } from '../../../electron/contract/ids.ts';
import { connectUpstream } from '../../../electron/core/gitlab/connect-upstream.ts';
import { JobApi } from '../../../electron/core/gitlab/job-api.ts';
import { reportEnd } from '../../../electron/core/jobs/report-end.ts';
import { systemClock } from '../../../electron/core/platform/clock.ts';
import { silentLog } from '../../../electron/core/platform/log.ts';
import { systemRandom } from '../../../electron/core/platform/random.ts';
import { FakeGitLab } from '../../fakes/gitlab/fake-gitlab.ts';
import type { FakeJob } from '../../fakes/gitlab/fake-job.ts';
import { temporaryDirectory } from '../../fakes/temporary-directory.ts';

let scope: AsyncDisposableStack;
let server: FakeGitLab;
let job: FakeJob;
let api: JobApi;
const bytes = (text: string) => new TextEncoder().encode(text);

beforeEach(async () => {
  scope = new AsyncDisposableStack();
  const folder = scope.use(await temporaryDirectory());
  server = scope.use(await FakeGitLab.start({ directory: folder.path, longPollMs: 0 }));
  const runner = server.addRunner();
  job = server.enqueue();
  const features = { cancel_gracefully: true };
  await fetch(`${server.url}/api/v4/jobs/request`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: runner.token, system_id: 'r_Fb0000000001', info: { features } }),
  });
  const upstream = scope.use(connectUpstream(server.url, null));
  api = new JobApi({ clock: systemClock }, { upstream, id: job.id as JobId, token: job.token, userAgent: 'test' });
});
afterEach(() => scope.disposeAsync());

it('H02 keeps a job alive', async () => {
  expect(await api.update({ state: 'running' })).toEqual({ kind: 'accepted', isCanceling: false });
});

it('H03 learns that a job was ended at GitLab', async () => {
  job.forceCancel();
  expect(await api.update({ state: 'running' })).toEqual({ kind: 'forbidden', jobStatus: 'canceled' });
});

it('H04 learns that a job is to be canceled', async () => {
  job.cancel();
  expect(await api.update({ state: 'running' })).toEqual({ kind: 'accepted', isCanceling: true });
});

it('learns where a trace ends from a mismatch', async () => {
  await api.appendTrace(bytes('hello'), 0);
  expect(await api.appendTrace(bytes('again'), 99)).toEqual({ kind: 'mismatch', sizeBytes: 5 });
});

it('C04 ends an abandoned job: one line where the trace ends, then failed, without output', async () => {
  await api.appendTrace(bytes('half a line'), 0);
  const report = {
    failureReason: 'runner_system_failure',
    message: 'Forrest Bench was restarted',
    traceBytes: 4,
    giveUpAtMs: (systemClock.now() + 60_000) as EpochMs,
  };
  const deps = { clock: systemClock, random: systemRandom, log: silentLog };
  expect(await reportEnd(deps, api, report, new AbortController().signal)).toBe('reported');
  expect([job.state, job.failureReason]).toEqual(['failed', 'runner_system_failure']);
  expect(job.trace.toString()).toBe('half a line\n\x1b[31;1mERROR: Forrest Bench was restarted\x1b[0;m\n');
});

it('C02 takes a job that GitLab has ended already as ended', async () => {
  job.forceCancel();
  const report = { failureReason: 'runner_system_failure', message: null, traceBytes: 0, giveUpAtMs: Infinity };
  const deps = { clock: systemClock, random: systemRandom, log: silentLog };
  expect(await reportEnd(deps, api, report, new AbortController().signal)).toBe('ended-already');
});
