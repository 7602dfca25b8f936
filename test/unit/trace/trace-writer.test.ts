import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addGap, gapsWithin } from '../../../electron/core/trace/gaps.ts';
import { TraceWriter } from '../../../electron/core/trace/trace-writer.ts';

/** A file in memory that can be full. */
class MemoryFile {
  bytes = Buffer.alloc(0);
  failure: string | undefined;
  readonly writes: [atByte: number, length: number][] = [];

  async write(more: Uint8Array, atByte: number): Promise<void> {
    if (this.failure !== undefined) throw Object.assign(new Error('cannot write'), { code: this.failure });
    this.writes.push([atByte, more.length]);
    const grown = Buffer.alloc(Math.max(this.bytes.length, atByte + more.length));
    this.bytes.copy(grown);
    grown.set(more, atByte);
    this.bytes = grown;
  }
  async truncate(): Promise<void> {}
  async sync(): Promise<void> {}
  async [Symbol.asyncDispose](): Promise<void> {}
}

function aWriter(file = new MemoryFile()) {
  const savedGaps: unknown[] = [];
  const writer = new TraceWriter({
    file,
    sizeBytes: 0,
    gaps: [],
    saveGaps: async (gaps) => void savedGaps.push(gaps),
    onClose: () => {},
  });
  return { writer, file, savedGaps };
}

it('writes what overlaps once', async () => {
  const { writer, file } = aWriter();
  await writer.acknowledge(0, Buffer.from('hello'));
  await writer.acknowledge(3, Buffer.from('lo world'));
  await writer.acknowledge(0, Buffer.from('hello'));
  expect([file.bytes.toString(), writer.sizeBytes, file.writes]).toEqual([
    'hello world',
    11,
    [
      [0, 5],
      [5, 6],
    ],
  ]);
});

it('tells each growth, and nothing else', async () => {
  const { writer } = aWriter();
  const sizes: number[] = [];
  using _listener = writer.onGrow((sizeBytes) => sizes.push(sizeBytes));
  await writer.acknowledge(0, Buffer.from('hello'));
  await writer.acknowledge(0, Buffer.from('hel'));
  await writer.acknowledge(5, Buffer.from('!'));
  expect(sizes).toEqual([5, 6]);
});

it('records what it was never given, and makes nothing up', async () => {
  const { writer, file, savedGaps } = aWriter();
  await writer.acknowledge(0, Buffer.from('ab'));
  await writer.acknowledge(5, Buffer.from('fg'));
  expect([file.bytes.toString(), writer.gaps, savedGaps]).toEqual([
    'ab\0\0\0fg',
    [{ fromByte: 2, toByte: 5 }],
    [[{ fromByte: 2, toByte: 5 }]],
  ]);
});

it('says that the disk is full and goes on when it is not any more', async () => {
  const { writer, file } = aWriter();
  await writer.acknowledge(0, Buffer.from('ab'));
  file.failure = 'ENOSPC';
  await expect(writer.acknowledge(2, Buffer.from('cd'))).rejects.toMatchObject({
    code: 'trace/no-space',
    blame: 'host',
  });
  expect(writer.sizeBytes).toBe(2);
  file.failure = undefined;
  await writer.acknowledge(4, Buffer.from('ef'));
  expect([file.bytes.toString(), writer.gaps]).toEqual(['ab\0\0ef', [{ fromByte: 2, toByte: 4 }]]);
});

it('names another fault by its code', async () => {
  const { writer, file } = aWriter();
  file.failure = 'EIO';
  await expect(writer.acknowledge(0, Buffer.from('a'))).rejects.toMatchObject({
    code: 'trace/write-failed',
    message: 'The trace file cannot be written (EIO).',
  });
});

it('carries calls out in their order', async () => {
  const { writer, file } = aWriter();
  await Promise.all([0, 1, 2, 3].map((at) => writer.acknowledge(at, Buffer.from(String(at)))));
  expect([file.bytes.toString(), writer.gaps]).toEqual(['0123', []]);
});

it('holds every byte it was given, at its offset, however patches overlap', async () => {
  const output = Buffer.from(Array.from({ length: 300 }, (_, index) => index % 256));
  const patch = fc.record({ from: fc.nat(250), length: fc.integer({ min: 0, max: 50 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(patch, { maxLength: 20 }), async (patches) => {
      const { writer, file } = aWriter();
      for (const { from, length } of patches) await writer.acknowledge(from, output.subarray(from, from + length));
      const missing = new Set(writer.gaps.flatMap(({ fromByte, toByte }) => range(fromByte, toByte)));
      const expected = output.subarray(0, writer.sizeBytes).map((byte, at) => (missing.has(at) ? 0 : byte));
      expect(file.bytes).toEqual(Buffer.from(expected));
    }),
  );
});

describe('gaps', () => {
  it('that touch become one', () => {
    expect(addGap([{ fromByte: 1, toByte: 3 }], { fromByte: 3, toByte: 5 })).toEqual([{ fromByte: 1, toByte: 5 }]);
  });
  it('do not grow without limit', () => {
    let gaps = addGap([], { fromByte: 0, toByte: 1 });
    for (let at = 2; at < 5_000; at += 2) gaps = addGap(gaps, { fromByte: at, toByte: at + 1 });
    expect([gaps.length, gaps.at(-1)]).toEqual([1_000, { fromByte: 1_998, toByte: 4_999 }]);
  });
  it('are cut to a range', () => {
    const gaps = [
      { fromByte: 1, toByte: 3 },
      { fromByte: 6, toByte: 9 },
    ];
    expect(gapsWithin(gaps, 2, 7)).toEqual([
      { fromByte: 2, toByte: 3 },
      { fromByte: 6, toByte: 7 },
    ]);
    expect(gapsWithin(gaps, 3, 6)).toEqual([]);
  });
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
