import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { multipartBoundary, multipartParts } from '../../fakes/gitlab/multipart.ts';

type Part = { name: string; filename: string | null; text: string };

async function* inPieces(body: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  const ends = [...new Set([...cuts.map((cut) => cut % (body.length + 1)), body.length])].sort((a, b) => a - b);
  let from = 0;
  for (const end of ends) {
    yield body.subarray(from, end);
    from = end;
  }
}

async function partsOf(source: AsyncIterable<Buffer>, boundary = 'b'): Promise<Part[]> {
  const parts: Part[] = [];
  for await (const { name, filename, bytes } of multipartParts(source, boundary)) {
    const chunks: Buffer[] = [];
    for await (const chunk of bytes) chunks.push(Buffer.from(chunk));
    parts.push({ name, filename, text: Buffer.concat(chunks).toString('latin1') });
  }
  return parts;
}

function body(parts: readonly Part[], boundary = 'b'): Buffer {
  const lines = parts.flatMap(({ name, filename, text }) => [
    `--${boundary}\r\n`,
    `Content-Disposition: form-data; name="${name}"${filename === null ? '' : `; filename="${filename}"`}\r\n\r\n`,
    `${text}\r\n`,
  ]);
  return Buffer.from(`${lines.join('')}--${boundary}--\r\n`, 'latin1');
}

describe('a multipart body', () => {
  it('is read the same however it is cut', async () => {
    // Dashes, line ends and the boundary's own letter, so that almost-boundaries are common.
    const text = fc.string({ unit: fc.constantFrom('-', '\r', '\n', 'b', 'x'), maxLength: 40 });
    const part = fc.record({ name: fc.constant('file'), filename: fc.constantFrom(null, 'a.zip'), text });
    const usable = fc.array(part, { minLength: 1, maxLength: 4 }).filter((parts) => {
      return parts.every((one) => !`\r\n${one.text}\r\n`.includes('\r\n--b'));
    });
    await fc.assert(
      fc.asyncProperty(usable, fc.array(fc.nat(), { maxLength: 30 }), async (parts, cuts) => {
        expect(await partsOf(inPieces(body(parts), cuts))).toEqual(parts);
      }),
      { numRuns: 300 },
    );
  });

  it('may have a preamble and an epilogue', async () => {
    const parts = [{ name: 'file', filename: 'a', text: 'x' }];
    const whole = Buffer.concat([Buffer.from('to be ignored\r\n'), body(parts), Buffer.from('this too')]);
    expect(await partsOf(inPieces(whole, []))).toEqual(parts);
  });

  it.each([
    ['that ends early', '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx', 'ends before its last boundary'],
    ['without any boundary', 'x', 'ends before its last boundary'],
    ['with a part that has no name', '--b\r\n\r\n\r\nx\r\n--b--', 'has no name'],
    ['with a boundary that goes on', '--bb\r\n', 'ends in neither'],
    ['with endless headers', `--b\r\n${'x'.repeat(20_000)}`, 'too long'],
    ['with too many parts', body(Array(21).fill({ name: 'a', filename: null, text: '' })).toString(), 'too many parts'],
  ])('%s is refused', async (_what, text, message) => {
    await expect(partsOf(inPieces(Buffer.from(text), []))).rejects.toThrow(message);
  });

  it('names its boundary in its type', () => {
    const types = [
      'multipart/form-data; boundary=abc',
      'multipart/form-data; boundary="a b"',
      'multipart/mixed; boundary=a',
      '',
    ];
    expect(types.map(multipartBoundary)).toEqual(['abc', 'a b', undefined, undefined]);
  });
});
