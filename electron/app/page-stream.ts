/** Events a page may leave unhandled before its stream is held. A page that works has none or one. */
export const backlogLimit = 256;

export interface PageStreamOptions {
  /** Opens the stream at the core; its first event is a snapshot. */
  open(onEvent: (event: unknown) => void): Disposable;
  send(event: unknown): void;
}

/**
 * One stream of one page. Messages to a page wait in memory without a limit, so the page answers for each event, and
 * a page that hangs (or is held in a debugger) is sent no more than `backlogLimit`. The stream is then closed, and
 * opened again once the page has caught up: it gets a new snapshot in place of what it missed.
 */
export class PageStream implements Disposable {
  readonly #options: PageStreamOptions;
  #source: Disposable | undefined;
  #unhandledCount = 0;
  #state: 'flowing' | 'held' | 'closed' = 'flowing';

  /** @throws whatever `open` throws. */
  constructor(options: PageStreamOptions) {
    this.#options = options;
    this.#open();
  }

  /** The page has handled one event. */
  taken(): void {
    if (this.#unhandledCount > 0) this.#unhandledCount -= 1;
    if (this.#state !== 'held' || this.#unhandledCount > 0) return;
    this.#state = 'flowing';
    this.#open();
  }

  [Symbol.dispose](): void {
    this.#state = 'closed';
    this.#close();
  }

  #open(): void {
    const source = this.#options.open((event) => this.#forward(event));
    // The snapshot comes while the stream is being opened, and may be what closes it.
    if (this.#state === 'flowing') this.#source = source;
    else source[Symbol.dispose]();
  }

  #close(): void {
    this.#source?.[Symbol.dispose]();
    this.#source = undefined;
  }

  #forward(event: unknown): void {
    if (this.#state !== 'flowing') return;
    if (this.#unhandledCount === backlogLimit) {
      this.#state = 'held';
      this.#close();
      return;
    }
    this.#unhandledCount += 1;
    this.#options.send(event);
  }
}
