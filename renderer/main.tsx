import './client/zod-without-eval.ts';
import { createRoot } from 'react-dom/client';
import { createClient } from '../electron/contract/transport.ts';
import { createTransport } from './client/create-transport.ts';
import { App } from './features/shell/app.tsx';
import { BenchContext } from './mirror/bench-context.tsx';
import { followBench } from './mirror/follow-bench.ts';
import { createMirrorStore } from './mirror/mirror-store.ts';
import { Pause } from './mirror/pause.ts';

const client = createClient(createTransport(window));
const mirror = createMirrorStore();
const pause = new Pause();

void followBench(
  { client, mirror, wait: (durationMs, signal) => pause.wait(durationMs, signal), now: Date.now },
  new AbortController().signal,
);

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no place for the window');
createRoot(root).render(
  <BenchContext value={{ client, mirror, retryNow: () => pause.skip() }}>
    <App />
  </BenchContext>,
);
