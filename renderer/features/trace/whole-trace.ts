import { rowText } from './draw-row.ts';
import type { TraceIndex } from './trace-index.ts';
import type { TraceReader } from './trace-reader.ts';

/** Rows that are turned into text before the window may draw again. */
const batchRows = 2_000;

/** All a trace says, as plain text: what a person pastes into a report. Made in batches, so that nothing stutters. */
export async function wholeText(index: TraceIndex, rest: () => Promise<void>): Promise<string> {
  const parts: string[] = [];
  const { rowCount } = index;
  for (let row = 0; row < rowCount; row += 1) {
    parts.push(rowText(index, row), '\n');
    if (row % batchRows === batchRows - 1) await rest();
  }
  return parts.join('');
}

/** The exact bytes of a trace as a file. @throws BenchError where what is not held cannot be read */
export async function wholeFile(reader: TraceReader): Promise<Blob> {
  await reader.readMore();
  const rest = reader.status.kind === 'full' ? await reader.rest() : [];
  return new Blob([...reader.index.bytes.parts(), ...rest.map((part) => part.slice())], { type: 'text/plain' });
}

/** A file name that says which job it was, from letters that every file system takes. */
export function traceFileName(jobName: string, jobId: number, kind: 'trace' | 'console'): string {
  const safe = jobName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
  return `${safe === '' ? 'job' : safe}-${jobId}-${kind}.log`;
}
