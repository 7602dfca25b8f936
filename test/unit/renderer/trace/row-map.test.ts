import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hiddenRanges, RowMap } from '../../../../renderer/features/trace/row-map.ts';
import { indexOf } from './trace-text.ts';

const esc = '\u001b';

function sectioned(): ReturnType<typeof indexOf> {
  const start = (name: string, options = '') => `section_start:1:${name}${options}\r${esc}[0K`;
  const end = (name: string) => `section_end:2:${name}\r${esc}[0K`;
  // Rows: 0 out, 1 in, 2 x, 3 y, 4 shut, 5 z, 6 after
  return indexOf(
    `${start('out')}Out\n${start('in')}In\nx\n${end('in')}y\n${end('out')}${start('shut', '[collapsed=true]')}Shut\nz\n${end('shut')}after\n`,
  );
}

describe('hidden rows', () => {
  it.each<[string, [number, boolean][], { from: number; to: number }[]]>([
    ['of a section that the job wants collapsed', [], [{ from: 5, to: 6 }]],
    ['of none, when the user opens that', [[4, false]], []],
    [
      'of an inner section',
      [
        [1, true],
        [4, false],
      ],
      [{ from: 2, to: 3 }],
    ],
    [
      'of an outer section, with the inner one in it',
      [
        [0, true],
        [1, true],
      ],
      [
        { from: 1, to: 4 },
        { from: 5, to: 6 },
      ],
    ],
  ])('are those %s', (_name, folding, ranges) => {
    const index = sectioned();
    expect(hiddenRanges(index.sections, new Map(folding), index.rowCount)).toEqual(ranges);
  });

  it('of an open section reach to the end', () => {
    const index = indexOf(`section_start:1:a\r${esc}[0KA\nb\nc\n`);
    expect(hiddenRanges(index.sections, new Map([[0, true]]), index.rowCount)).toEqual([{ from: 1, to: 3 }]);
  });
});

describe('RowMap', () => {
  it('passes over hidden rows', () => {
    const rows = new RowMap(10, [
      { from: 1, to: 4 },
      { from: 6, to: 7 },
    ]);
    expect(Array.from({ length: rows.visibleCount }, (_, visible) => rows.rowAt(visible))).toEqual([0, 4, 5, 7, 8, 9]);
  });

  it('shows a hidden row by the title above it', () => {
    const rows = new RowMap(10, [{ from: 1, to: 4 }]);
    expect([0, 1, 3, 4, 9].map((row) => rows.visibleAt(row))).toEqual([0, 0, 0, 1, 6]);
  });

  it('goes from lines to rows and back', () => {
    const ranges = fc
      .array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })), { maxLength: 12 })
      .map((pairs) => {
        let at = 0;
        return pairs.map(([gap, length]) => {
          const from = at + gap;
          at = from + length;
          return { from, to: at };
        });
      });
    fc.assert(
      fc.property(ranges, fc.nat({ max: 20 }), (hidden, rest) => {
        const rowCount = (hidden.at(-1)?.to ?? 0) + rest;
        const rows = new RowMap(rowCount, hidden);
        const shown = Array.from({ length: rowCount }, (_, row) => row).filter(
          (row) => !hidden.some(({ from, to }) => row >= from && row < to),
        );
        expect(rows.visibleCount).toBe(shown.length);
        expect(shown.map((_, visible) => rows.rowAt(visible))).toEqual(shown);
        expect(shown.map((row) => rows.visibleAt(row))).toEqual(shown.map((_, visible) => visible));
      }),
    );
  });
});
