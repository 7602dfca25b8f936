import { watchMs } from '../../electron/contract/contract.ts';
import type { Delta } from '../../electron/contract/deltas.ts';
import type { RunId } from '../../electron/contract/ids.ts';
import type { RunPhase, RunView } from '../../electron/contract/state.ts';
import type { BenchClient } from '../../electron/contract/transport.ts';
import type { Clock } from '../../electron/core/platform/clock.ts';
import type { DemoTerminal } from './terminal.ts';

type FinishedRun = Extract<RunView, { phase: 'finished' }>;

const phaseWords: Record<RunPhase, string> = {
  reserved: 'reserved',
  accepted: 'accepted',
  preparing: 'overlay',
  booting: 'booting',
  ready: 'runner ready',
  running: 'running',
  finishing: 'finishing',
  finished: 'finished',
};

/** Shows every run's phases and trace as they come, through the contract, as any other screen would. */
export class RunFollower implements Disposable {
  readonly #client: BenchClient;
  readonly #terminal: DemoTerminal;
  readonly #shownPhases = new Map<RunId, number>();
  readonly #names = new Map<RunId, string>();
  readonly #readers = new Map<RunId, { bytes: number; decoder: TextDecoder; work: Promise<void> }>();
  readonly #live = new Set<RunId>();
  readonly #ended = new AbortController();
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly finished: FinishedRun[] = [];

  constructor(client: BenchClient, terminal: DemoTerminal, clock: Pick<Clock, 'sleep'>) {
    this.#clock = clock;
    this.#client = client;
    this.#terminal = terminal;
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
  }

  take(delta: Delta): void {
    if (delta.kind === 'run') this.#takeRun(delta.run);
    if (delta.kind === 'trace-grown') void this.#read(delta.id);
  }

  /** Resolves when all that was announced of the traces has been shown. */
  async settled(): Promise<void> {
    await Promise.all([...this.#readers.values()].map((reader) => reader.work));
  }

  #takeRun(run: RunView): void {
    this.#names.set(run.id, run.job.name);
    if (run.phase === 'accepted') void this.#watch(run.id);
    if (run.phase === 'finished') this.#live.delete(run.id);
    const shown = this.#shownPhases.get(run.id) ?? 0;
    const began = run.timeline[0]?.at ?? 0;
    this.#shownPhases.set(run.id, run.timeline.length);
    for (const mark of run.timeline.slice(shown)) {
      const after = `${((mark.at - began) / 1000).toFixed(2)} s`;
      // The trace comes first: the phases that end a job are shown behind its last line.
      void this.#read(run.id).then(() =>
        this.#terminal.phase(run.job.name, `${phaseWords[mark.phase]} at ${after}${detail(run, mark.phase)}`),
      );
    }
    if (run.phase === 'finished') this.finished.push(run);
  }

  /** Says, as any screen does, that the trace is looked at, for as long as the run lives. */
  async #watch(id: RunId): Promise<void> {
    this.#live.add(id);
    const { signal } = this.#ended;
    while (this.#live.has(id) && !signal.aborted) {
      await this.#client.call('trace.watch', { runId: id });
      await this.#clock.sleep(watchMs / 3, signal).catch(() => {});
    }
  }

  /** Reads on from where the last read ended; reads of one run come one after the other. */
  #read(id: RunId): Promise<void> {
    const reader = this.#readers.get(id) ?? { bytes: 0, decoder: new TextDecoder(), work: Promise.resolve() };
    this.#readers.set(id, reader);
    reader.work = reader.work.then(async () => {
      const slice = await this.#client.call('trace.read', { runId: id, fromByte: reader.bytes }).catch(() => undefined);
      if (slice === undefined) return;
      const bytes = Buffer.from(slice.base64, 'base64');
      reader.bytes += bytes.length;
      this.#terminal.trace(this.#names.get(id) ?? id, reader.decoder.decode(bytes, { stream: true }));
    });
    return reader.work;
  }
}

function detail(run: RunView, phase: RunPhase): string {
  if (phase === 'booting' && 'pid' in run) return `, QEMU has pid ${run.pid}`;
  if (run.phase === 'finished' && phase === 'finished') return `: ${run.outcome.why}`;
  return '';
}
