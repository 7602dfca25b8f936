import { styleText } from 'node:util';

/** Writes lines of several jobs to one terminal, each under its job's name. */
export class DemoTerminal {
  readonly #startedAtMs = performance.now();
  readonly #unfinished = new Map<string, string>();

  /** A line of the demo's own. */
  say(text: string): void {
    this.#line(styleText('bold', text));
  }

  /** A line about the phase of a job. */
  phase(job: string, text: string): void {
    this.flush(job);
    this.#line(`${label(job)}${styleText('blue', `-- ${text}`)}`);
  }

  /** The next bytes of a job's trace, as text; colours of the job are kept, and end with their line. */
  trace(job: string, text: string): void {
    const lines = ((this.#unfinished.get(job) ?? '') + text).split('\n');
    this.#unfinished.set(job, lines.pop() ?? '');
    for (const line of lines) this.#line(label(job) + shown(line));
  }

  /** Writes the last line of a trace also where it does not end. */
  flush(job: string): void {
    const rest = this.#unfinished.get(job) ?? '';
    this.#unfinished.delete(job);
    if (shown(rest) !== '') this.#line(label(job) + shown(rest));
  }

  #line(text: string): void {
    const seconds = ((performance.now() - this.#startedAtMs) / 1000).toFixed(1).padStart(6);
    process.stdout.write(`${styleText('dim', seconds)} ${text}\n`);
  }
}

function label(job: string): string {
  return `${styleText('cyan', job.padEnd(7))} `;
}

/** What a terminal would leave of a line: the text behind the last carriage return, without section marks. */
function shown(line: string): string {
  const text = line
    .replace(/section_(?:start|end):\d+:[^\r]*\r/g, '')
    .replaceAll('\x1b[0K', '')
    .replace(/\r$/, '');
  const visible = text.slice(text.lastIndexOf('\r') + 1);
  return visible === '' ? '' : `${visible}\x1b[0m`;
}
