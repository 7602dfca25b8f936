// A process of its own for the relay's benchmark: run listeners as the app opens them, one per socket path given.
// Answers each message with what it has used so far, ends with its parent.
import { join } from 'node:path';
import type { JobId, RunId } from '../../electron/contract/ids.ts';
import { connectUpstream } from '../../electron/core/gitlab/connect-upstream.ts';
import { systemClock } from '../../electron/core/platform/clock.ts';
import { systemFiles } from '../../electron/core/platform/files.ts';
import { createLog } from '../../electron/core/platform/log.ts';
import { RunListener } from '../../electron/core/proxy/run-listener.ts';
import { TraceStore } from '../../electron/core/trace/trace-store.ts';

const [url = '', token = '', ...socketPaths] = process.argv.slice(2);
const log = createLog({ destination: { write: () => {} } });
const deps = { clock: systemClock, files: systemFiles, log };
await using upstream = connectUpstream(url, null);

for (const [index, socketPath] of socketPaths.entries()) {
  const runId = index.toString(16).padStart(8, '0') as RunId;
  const traces = new TraceStore(deps, join(socketPath, '..', 'traces'));
  const view = { id: 1 as JobId, name: 'build', stage: '', projectPath: '', ref: '', sha: '', webUrl: null };
  await RunListener.open(deps, {
    runId,
    socketPath,
    vmToken: 'glrt-bench',
    setup: {
      runnerName: 'bench',
      cloneUrl: null,
      executor: 'shell',
      shell: 'bash',
      buildsDirectory: '/builds',
      outputLimitKib: 4096,
      hosts: [],
      httpProxy: null,
      noProxy: [],
      caPem: null,
      waitTimeoutSeconds: 300,
    },
    job: {
      id: 1 as JobId,
      token,
      payload: Buffer.from('{}'),
      view,
      receivedAt: systemClock.now(),
      timeoutSeconds: 3600,
      dependencies: [],
      cloneUrl: null,
      failureReasons: [],
      hasNativeSteps: false,
    },
    upstream,
    trace: await traces.create(runId),
    onEvent: () => {},
    isWatched: () => false,
    startIn: 'running',
  });
}
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() });
});
process.send?.('ready');
await new Promise((resolve) => process.once('disconnect', resolve));
process.exit();
