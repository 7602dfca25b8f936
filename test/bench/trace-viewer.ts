import type { CDPSession, Page } from 'playwright-core';
import { z } from 'zod';
import type { EpochMs, JobId, RunId } from '../../electron/contract/ids.ts';
import { aBenchState, aRun } from '../fakes/bench-state.ts';
import { builtRenderer } from '../fakes/built-renderer.ts';
import { launchChromium, openPage } from '../fakes/chromium.ts';
import { serveScreen } from '../fakes/screen-server.ts';
import { ScriptedBench } from '../fakes/scripted-bench.ts';

// Opens a trace of 50 MB and 500,000 lines in Chromium, scrolls it, and lets it grow; prints how long each took and
// how long frames were. Run it by itself: `node test/bench/trace-viewer.ts [plain|stamped]`.

const runId = 'be000001' as RunId;
const lineCount = 500_000;
const esc = '\u001b';

function trace(isStamped: boolean): Buffer {
  const stamp = '2026-11-23T12:00:00.000001Z 01O ';
  const parts: string[] = [];
  for (let line = 0; line < lineCount; line += 1) {
    const marker = line % 2_500 === 0 ? `section_start:${line}:step_${line}\r${esc}[0K` : '';
    const end = line % 2_500 === 2_400 ? `section_end:${line}:step_${line - 2_400}\r${esc}[0K` : '';
    const colour = 31 + (line % 6);
    const text = `${esc}[${colour}m[${line}]${esc}[0m compile src/module_${line % 977}.c -O2 -Wall ${'x'.repeat(line % 50)}`;
    const filler = isStamped ? '' : ' -I include/generated/a';
    parts.push(`${isStamped ? stamp : ''}${end}${marker}${text}${filler}\n`);
  }
  return Buffer.from(parts.join(''));
}

interface Frames {
  frames: number;
  /** CPU time of the page's main thread a frame: what is left of a figure on a busy machine. */
  meanCpuMs: number;
  p50Ms: number;
  p95Ms: number;
  maxMs: number;
  over50Ms: number;
  /** CPU time of the longest task of the main thread: no frame can be shorter, and other programs do not add to it. */
  longestTaskCpuMs: number;
}

/** Of the browser's own trace: what a thread is called, and how much CPU time (in microseconds) a task took. */
const traceEventSchema = z.object({
  name: z.string(),
  pid: z.int(),
  tid: z.int(),
  tdur: z.number().default(0),
  args: z.object({ name: z.string().optional() }).default({}),
});
type TraceEvent = z.infer<typeof traceEventSchema>;

/** A page, and the protocol that tells its CPU time. */
interface Watched {
  page: Page;
  session: CDPSession;
  browserSession: CDPSession;
}

/** Begins to trace the tasks of all threads. @returns What ends that. */
async function watchTasks({ browserSession }: Watched): Promise<() => Promise<TraceEvent[]>> {
  const events: TraceEvent[] = [];
  const collect = ({ value }: { value: object[] }) =>
    events.push(...value.map((event) => traceEventSchema.parse(event)));
  browserSession.on('Tracing.dataCollected', collect);
  await browserSession.send('Tracing.start', {
    traceConfig: { includedCategories: ['toplevel'] },
    transferMode: 'ReportEvents',
  });
  return async () => {
    const complete = new Promise((resolve) => browserSession.once('Tracing.tracingComplete', resolve));
    await browserSession.send('Tracing.end');
    await complete;
    browserSession.off('Tracing.dataCollected', collect);
    return events;
  };
}

function longestTaskCpuMs(events: readonly TraceEvent[]): number {
  const thread = ({ pid, tid }: TraceEvent) => `${pid}:${tid}`;
  const named = events.filter((event) => event.name === 'thread_name' && event.args.name === 'CrRendererMain');
  const main = new Set(named.map(thread));
  const tasks = events.filter((event) => event.name.includes('RunTask') && main.has(thread(event)));
  return Math.round(Math.max(0, ...tasks.map((task) => task.tdur)) / 1_000);
}

async function cpuMs({ session }: Watched): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  return (metrics.find((metric) => metric.name === 'ThreadTime')?.value ?? 0) * 1_000;
}

/** Begins to note frames and tasks of the page. @returns What ends that. */
async function watchFrames(watched: Watched): Promise<() => Promise<Frames>> {
  const { page } = watched;
  await page.evaluate(() => {
    const notes = { deltas: [] as number[], isOn: true };
    Object.assign(window, { notes });
    let last = performance.now();
    const tick = (now: number) => {
      notes.deltas.push(now - last);
      last = now;
      if (notes.isOn) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  const endTasks = await watchTasks(watched);
  const before = await cpuMs(watched);
  return async () => {
    const after = await cpuMs(watched);
    return await frames(page, after - before, await endTasks());
  };
}

async function frames(page: Page, spentMs: number, events: readonly TraceEvent[]): Promise<Frames> {
  const { deltas } = await page.evaluate(() => {
    const { notes } = window as unknown as { notes: { deltas: number[]; isOn: boolean } };
    notes.isOn = false;
    return notes;
  });
  const sorted = deltas.slice(1).sort((a, b) => a - b);
  const at = (share: number) => Math.round((sorted[Math.floor(sorted.length * share)] ?? 0) * 10) / 10;
  return {
    frames: sorted.length,
    meanCpuMs: Math.round((spentMs / sorted.length) * 10) / 10,
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    maxMs: Math.round(sorted.at(-1) ?? 0),
    over50Ms: sorted.filter((delta) => delta > 50.5).length,
    longestTaskCpuMs: longestTaskCpuMs(events),
  };
}

/** Scrolls by so many pixels in each of so many frames; with a negative count of pixels, jumps to random places. */
async function scroll(watched: Watched, pixels: number, count: number): Promise<Frames> {
  const end = await watchFrames(watched);
  await watched.page.evaluate(
    async ([step, times]) => {
      const scroller = document.querySelector('.trace-scroller');
      if (scroller === null) return;
      for (let turn = 0; turn < times; turn += 1) {
        scroller.scrollTop =
          step < 0 ? ((turn * 7_919) % 1_000) * (scroller.scrollHeight / 1_000) : scroller.scrollTop + step;
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
    },
    [pixels, count] as const,
  );
  return await end();
}

async function measure(kind: 'plain' | 'stamped'): Promise<void> {
  const bytes = trace(kind === 'stamped');
  const job = { ...aRun().job, id: 1 as JobId };
  const run = aRun({ id: runId, job, timeline: [{ phase: 'running', at: Date.now() as EpochMs }] });
  const bench = new ScriptedBench(aBenchState());
  bench.appendTrace(runId, bytes);
  await using server = await serveScreen(bench.server, await builtRenderer());
  await using chromium = await launchChromium();
  await using opened = await openPage(chromium.browser, server.url);
  const { page } = opened;
  const session = await opened.context.newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const watched = { page, session, browserSession: await chromium.browser.newBrowserCDPSession() };
  await page.getByText('No run is selected.').waitFor();

  const endReading = await watchFrames(watched);
  const began = performance.now();
  bench.push({ kind: 'run', run: { ...run, traceBytes: bytes.length } });
  await page.locator('.trace-row').first().waitFor();
  const firstMs = performance.now() - began;
  await page.getByText(`${lineCount.toLocaleString('en-GB')} lines`).waitFor();
  const wholeMs = performance.now() - began;
  console.log(`${kind}: ${(bytes.length / 1e6).toFixed(1)} MB, ${lineCount} lines`);
  console.log(`  first lines after ${Math.round(firstMs)} ms, all of it after ${Math.round(wholeMs)} ms`);
  console.log('  while reading  ', JSON.stringify(await endReading()));

  await page.keyboard.press('f');
  await page.locator('.trace-scroller').evaluate((scroller) => scroller.scrollTo(0, 0));
  console.log('  smooth scroll  ', JSON.stringify(await scroll(watched, 60, 240)));
  console.log('  fast scroll    ', JSON.stringify(await scroll(watched, 800, 240)));
  console.log('  random jumps   ', JSON.stringify(await scroll(watched, -1, 120)));

  await page.keyboard.press('f');
  const endGrowing = await watchFrames(watched);
  for (let turn = 0; turn < 50; turn += 1) {
    bench.appendTrace(runId, `${esc}[32mgrown${esc}[0m line\n`.repeat(200));
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  }
  await page.getByText(`${(lineCount + 10_000).toLocaleString('en-GB')} lines`).waitFor();
  console.log('  growing by 200 ', JSON.stringify(await endGrowing()));

  await session.send('HeapProfiler.collectGarbage');
  const { usedSize, backingStorageSize = 0 } = await session.send('Runtime.getHeapUsage');
  console.log(`  heap ${Math.round(usedSize / 1e6)} MB, buffers ${Math.round(backingStorageSize / 1e6)} MB`);
  if (opened.complaints.length > 0) console.log('  complaints', opened.complaints);
}

const asked = process.argv[2];
if (asked !== 'stamped') await measure('plain');
if (asked !== 'plain') await measure('stamped');
