import { describe, expect, it } from 'vitest';
import { BenchError } from '../../../../electron/contract/errors.ts';
import { bytesOfBase64 } from '../../../../renderer/features/trace/slice-bytes.ts';
import { type SourceSlice, TraceReader } from '../../../../renderer/features/trace/trace-reader.ts';
import { traceFileName, wholeFile, wholeText } from '../../../../renderer/features/trace/whole-trace.ts';
import { indexOf, rowsOf } from './trace-text.ts';

/** A trace that answers with at most `limit` bytes, and notes from where it was read. */
class GrowingTrace {
  readonly reads: number[] = [];
  text = '';
  limit = 4;
  failure: BenchError | null = null;

  async read(fromByte: number): Promise<SourceSlice> {
    this.reads.push(fromByte);
    if (this.failure !== null) throw this.failure;
    const all = Buffer.from(this.text);
    return { bytes: all.subarray(fromByte, fromByte + this.limit), sizeBytes: all.length };
  }
}

describe('TraceReader', () => {
  it('reads to the end, slice by slice, and says when', async () => {
    const source = new GrowingTrace();
    source.text = 'one\ntwo\nthree\n';
    using reader = new TraceReader(source);
    await reader.readMore();
    expect([rowsOf(reader.index), source.reads, reader.status]).toEqual([
      ['one', 'two', 'three'],
      [0, 4, 8, 12],
      { kind: 'idle' },
    ]);
  });

  it('is shown at once, now and then while it reads, and at the end', async () => {
    const source = new GrowingTrace();
    source.text = 'x'.repeat(20);
    let nowMs = 0;
    // Each slice takes 60 ms, so that one in two is shown.
    const monotonicMs = () => {
      nowMs += 60;
      return nowMs;
    };
    using reader = new TraceReader(source, { monotonicMs });
    const seen: number[] = [];
    reader.subscribe(() => seen.push(reader.index.bytes.sizeBytes));
    await reader.readMore();
    expect(seen).toEqual([4, 12, 20]);
  });

  it('goes on where it ended when the trace has grown', async () => {
    const source = new GrowingTrace();
    source.text = 'one\n';
    using reader = new TraceReader(source);
    await reader.readMore();
    source.text += 'two\n';
    await reader.readMore(8);
    expect([rowsOf(reader.index), source.reads]).toEqual([
      ['one', 'two'],
      [0, 4],
    ]);
  });

  it('asks for nothing while it holds all that is known to be there', async () => {
    const source = new GrowingTrace();
    using reader = new TraceReader(source);
    await reader.readMore(0);
    expect(source.reads).toEqual([]);
  });

  it('reads once more when it is asked while it reads', async () => {
    const source = new GrowingTrace();
    source.text = 'one\n';
    using reader = new TraceReader(source);
    const first = reader.readMore();
    await reader.readMore();
    await first;
    expect(source.reads).toEqual([0, 4]);
  });

  it('keeps what it has after a failure, and goes on at the next call', async () => {
    const source = new GrowingTrace();
    source.text = 'one\n';
    using reader = new TraceReader(source);
    await reader.readMore();
    source.failure = new BenchError('transport/closed', 'The connection was lost', { remedy: 'Wait.' });
    await reader.readMore();
    const failed = reader.status;
    source.failure = null;
    source.text += 'two\n';
    await reader.readMore();
    expect([failed, reader.status, rowsOf(reader.index)]).toEqual([
      { kind: 'failed', error: { code: 'transport/closed', message: 'The connection was lost', remedy: 'Wait.' } },
      { kind: 'idle' },
      ['one', 'two'],
    ]);
  });

  it('tries again after a failure, also when it holds all that is known to be there', async () => {
    const source = new GrowingTrace();
    source.failure = new BenchError('transport/closed', 'The connection was lost', { remedy: 'Wait.' });
    using reader = new TraceReader(source);
    await reader.readMore();
    source.failure = null;
    await reader.readMore(0);
    expect(reader.status).toEqual({ kind: 'idle' });
  });

  it('begins anew when the trace has become shorter', async () => {
    const source = new GrowingTrace();
    source.text = 'a long trace\n';
    using reader = new TraceReader(source);
    await reader.readMore();
    source.text = 'new\n';
    await reader.readMore();
    expect(rowsOf(reader.index)).toEqual(['new']);
  });

  it('says nothing more once it is disposed', async () => {
    const source = new GrowingTrace();
    source.text = 'one\ntwo\n';
    const reader = new TraceReader(source);
    const reading = reader.readMore();
    reader[Symbol.dispose]();
    await reading;
    expect([reader.version(), reader.index.rowCount]).toEqual([0, 0]);
  });
});

describe('a whole trace', () => {
  it('is copied as what one reads', async () => {
    const index = indexOf('2026-11-23T09:08:07.000001Z 00O \u001b[31mone\u001b[0m\ntwo\r\n');
    expect(await wholeText(index, async () => {})).toBe('one\ntwo\n');
  });

  it('lets the window draw in between', async () => {
    let rests = 0;
    await wholeText(indexOf('x\n'.repeat(4_500)), async () => {
      rests += 1;
    });
    expect(rests).toBe(2);
  });

  it('is saved byte by byte', async () => {
    const source = new GrowingTrace();
    source.text = `\u001b[31mone\r\n${'x'.repeat(1_500_000)}`;
    source.limit = 400_000;
    using reader = new TraceReader(source);
    expect(await (await wholeFile(reader)).text()).toBe(source.text);
  });

  it('is saved whole, also when more is there than a window holds', async () => {
    const source = new GrowingTrace();
    source.text = 'one\ntwo\nthree\nfour\n';
    using reader = new TraceReader(source, { heldLimitBytes: 8 });
    const file = await (await wholeFile(reader)).text();
    expect([file, reader.status, rowsOf(reader.index)]).toEqual([source.text, { kind: 'full' }, ['one', 'two']]);
  });

  it('waits for what is being read just now', async () => {
    const source = new GrowingTrace();
    source.text = 'one\ntwo\n';
    using reader = new TraceReader(source);
    const reading = reader.readMore();
    expect(await (await wholeFile(reader)).text()).toBe(source.text);
    await reading;
  });

  it.each([
    ['build', 'build-7-trace.log'],
    ['test: [linux, 3.12]', 'test-linux-3-12-7-trace.log'],
    ['../../etc/passwd', 'etc-passwd-7-trace.log'],
    ['木', 'job-7-trace.log'],
  ])('of %j is saved under a harmless name', (job, file) => {
    expect(traceFileName(job, 7, 'trace')).toBe(file);
  });
});

describe('bytesOfBase64', () => {
  it('gives the bytes back', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
    expect(bytesOfBase64(Buffer.from(bytes).toString('base64'))).toEqual(bytes);
  });
});
