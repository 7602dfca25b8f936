import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainStyle } from '../../../../renderer/features/trace/text-style.ts';
import { TraceIndex } from '../../../../renderer/features/trace/trace-index.ts';
import { indexOf, rowsOf, shownOf } from './trace-text.ts';

const esc = '\u001b';
const start = (name: string, at = 100, options = '') => `section_start:${at}:${name}${options}\r${esc}[0K`;
const end = (name: string, at = 107) => `section_end:${at}:${name}\r${esc}[0K`;

describe('rows', () => {
  it.each<[string, string, string[]]>([
    ['nothing', '', []],
    ['a line that is not ended', 'abc', ['abc']],
    ['a line that is ended', 'abc\n', ['abc']],
    ['empty lines', 'a\n\n\nb\n', ['a', '', '', 'b']],
    ['lines with carriage returns', 'a\r\nb\r\n', ['a', 'b']],
    ['a line of spaces at the end', 'a\n  ', ['a', '  ']],
    ['an unfinished escape sequence at the end', `a\n${esc}[3`, ['a']],
    ['the beginning of a marker at the end', 'a\nsection_start:12:bu', ['a']],
  ])('are found in %s', (_name, text, rows) => {
    expect(rowsOf(indexOf(text))).toEqual(rows);
  });

  it('begin with the style that earlier rows left', () => {
    const index = indexOf(`${esc}[1;31mred\nstill\n${esc}[0mplain\nplain\n`);
    expect([0, 1, 2, 3].map((row) => index.row(row).style)).toEqual([
      plainStyle,
      { foreground: 1, background: -1, attributes: 1 },
      { foreground: 1, background: -1, attributes: 1 },
      plainStyle,
    ]);
  });

  it('take over a style from lines and markers in which nothing is seen', () => {
    const index = indexOf(`${esc}[31m\nred\n${esc}[32m${start('a')}${esc}[1m${end('a')}\ngreen\n`);
    expect([1, 2].map((row) => index.row(row).style)).toEqual([
      { foreground: 1, background: -1, attributes: 0 },
      { foreground: 2, background: -1, attributes: 1 },
    ]);
  });

  it('are as many as a long trace has, over the pages of its bytes', () => {
    const line = `${'x'.repeat(99)}\n`;
    const index = indexOf(line.repeat(30_000));
    expect([index.rowCount, rowsOf(index).every((row) => row === 'x'.repeat(99))]).toEqual([30_000, true]);
  });
});

describe('sections', () => {
  it('have the row of their title as header, and take time', () => {
    const index = indexOf(`${start('prepare')}Preparing\none\ntwo\n${end('prepare')}${start('build')}Building\n`);
    expect(shownOf(index)).toMatchObject({
      rows: ['Preparing', 'one', 'two', 'Building'],
      sections: [
        { name: 'prepare', headerRow: 0, endRow: 3, startedAtSeconds: 100, endedAtSeconds: 107, depth: 0 },
        { name: 'build', headerRow: 3, endRow: null, startedAtSeconds: 100, endedAtSeconds: null, depth: 0 },
      ],
    });
  });

  it('leave no row for a line that holds nothing but their marker', () => {
    const index = indexOf(`a\n${start('own')}Title\nb\n${end('own')}\nc\n`);
    expect(shownOf(index)).toMatchObject({
      rows: ['a', 'Title', 'b', 'c'],
      sections: [{ name: 'own', headerRow: 1, endRow: 3 }],
    });
  });

  it('end a row that has text, as at GitLab', () => {
    const index = indexOf(`before${start('inner')}Title\ninside${end('inner')}after\n`);
    expect(shownOf(index)).toMatchObject({
      rows: ['before', 'Title', 'inside', 'after'],
      sections: [{ name: 'inner', headerRow: 1, endRow: 3 }],
    });
  });

  it('are collapsed when the job asks for it', () => {
    const text = `${start('a', 1, '[collapsed=true]')}A\n${start('b', 1, '[hide_duration=true,collapsed=true]')}B\n${start('c', 1, '[collapsed=false]')}C\n`;
    expect([...indexOf(text).sections].map((section) => section.isCollapsed)).toEqual([true, true, false]);
  });

  it('may stand inside each other, and an outer end ends the inner ones', () => {
    const index = indexOf(`${start('out')}Out\n${start('in')}In\nx\n${end('out', 120)}y\n`);
    expect([...index.sections]).toMatchObject([
      { name: 'out', headerRow: 0, endRow: 3, depth: 0, endedAtSeconds: 120 },
      { name: 'in', headerRow: 1, endRow: 3, depth: 1, endedAtSeconds: 120 },
    ]);
  });

  it('may come again under the same name', () => {
    const once = `${start('step')}Step\nx\n${end('step')}`;
    expect([...indexOf(once + once).sections].map((section) => section.headerRow)).toEqual([0, 2]);
  });

  it('without a row are none', () => {
    const index = indexOf(`${start('empty')}${end('empty')}${start('full')}Full\nx\n`);
    expect([...index.sections].map(({ name, headerRow }) => ({ name, headerRow }))).toEqual([
      { name: 'full', headerRow: 0 },
    ]);
  });

  it.each([
    ['an end without a beginning', `a\n${end('none')}b\n`],
    ['a marker with a name of other letters', `section_start:1:a/b\r${esc}[0Ka\n`],
    ['a marker without its carriage return', 'section_start:1:name and text\n'],
  ])('do not come from %s', (_name, text) => {
    expect([...indexOf(text).sections]).toEqual([]);
  });
});

describe('time stamps', () => {
  const stamp = (flag: string, time = '12:00:01.000001', stream = '01O') => `2026-11-23T${time}Z ${stream}${flag}`;

  it('stand before each line and are no text', () => {
    const index = indexOf(`${stamp(' ')}one\n${stamp(' ', '12:00:02.000000', '01E')}two\n`);
    expect([rowsOf(index), index.hasTimes]).toEqual([['one', 'two'], true]);
  });

  it('join a line to the one that it continues', () => {
    const index = indexOf(`${stamp(' ')}one \n${stamp('+')}and \n${stamp('+')}more\n${stamp(' ')}two\n`);
    expect(rowsOf(index)).toEqual(['one and more', 'two']);
  });

  it('join the title to the marker before it', () => {
    const index = indexOf(
      `${stamp(' ')}section_start:100:prepare\r\n${stamp('+')}${esc}[0K${esc}[36mPreparing${esc}[0m\n` +
        `${stamp(' ')}x\n` +
        `${stamp(' ')}section_end:104:prepare\r\n${stamp('+')}${esc}[0Ksection_start:104:build\r\n${stamp('+')}${esc}[0KBuilding\n`,
    );
    expect(shownOf(index)).toMatchObject({
      rows: ['Preparing', 'x', 'Building'],
      sections: [
        { name: 'prepare', headerRow: 0, endRow: 2 },
        { name: 'build', headerRow: 2, endRow: null },
      ],
    });
  });

  it('are hidden while they are incomplete at the end', () => {
    const text = `${stamp(' ')}one\n${stamp(' ')}two`;
    for (let cut = text.indexOf('\n') + 1; cut <= text.length; cut += 1) {
      const rows = rowsOf(indexOf(text.slice(0, cut)));
      expect(rows).toEqual(cut <= text.length - 3 ? ['one'] : ['one', 'two'.slice(0, cut - (text.length - 3))]);
    }
  });

  it('are text where they are none', () => {
    const text = '2026-11-23T12:00:01Z 01O one\n';
    expect(rowsOf(indexOf(text))).toEqual([text.trimEnd()]);
  });
});

/** Pieces of traces, so that random ones meet every rule: markers, colours, stamps, multi-byte letters, raw bytes. */
const piece = fc.oneof(
  fc.constantFrom(
    'make all\n',
    '\n',
    '\r',
    '\r\n',
    'ünïcödé 木\n',
    `${esc}[1;31m`,
    `${esc}[0m`,
    `${esc}[38;5;208mo`,
    `${esc}[0K`,
    `${esc}]8;;https://a.example\u0007link\n`,
    esc,
    start('one'),
    start('two', 5, '[collapsed=true]'),
    end('one'),
    end('two'),
    'section_',
    '2026-11-23T12:00:01.000001Z 01O ',
    '2026-11-23T12:00:01.000001Z 01O+',
    '10 %\r20 %\r',
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
const trace = fc
  .tuple(fc.array(piece, { maxLength: 60 }), fc.uint8Array({ maxLength: 8 }))
  .map(([pieces, raw]) => new Uint8Array(Buffer.concat([Buffer.from(pieces.join('')), raw])));

describe('an index', () => {
  it('is the same however the bytes were cut into chunks', () => {
    fc.assert(
      fc.property(trace, fc.array(fc.nat({ max: 400 }), { maxLength: 12 }), (bytes, cuts) => {
        const whole = shownOf(indexOf(bytes));
        const places = [...new Set([0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length])];
        places.sort((a, b) => a - b);
        const chunks = places.map((place, at) => bytes.subarray(place, places[at + 1] ?? bytes.length));
        expect(shownOf(indexOf(...chunks))).toEqual(whole);
      }),
      { numRuns: 400 },
    );
  });

  it('is the same when bytes come one at a time', () => {
    fc.assert(
      fc.property(trace, (bytes) => {
        const index = new TraceIndex();
        for (const byte of bytes) index.append(Uint8Array.of(byte));
        expect(shownOf(index)).toEqual(shownOf(indexOf(bytes)));
      }),
      { numRuns: 200 },
    );
  });

  it('keeps the rows it has when more bytes come, all but the last one', () => {
    fc.assert(
      fc.property(trace, trace, (first, second) => {
        const index = indexOf(first);
        const before = rowsOf(index).slice(0, -1);
        index.append(second);
        expect(rowsOf(index).slice(0, before.length)).toEqual(before);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps sections inside the trace, in order of their titles', () => {
    fc.assert(
      fc.property(trace, (bytes) => {
        const index = indexOf(bytes);
        const sections = [...index.sections];
        const headers = sections.map((section) => section.headerRow);
        expect(headers).toEqual([...new Set(headers)].sort((a, b) => a - b));
        for (const { headerRow, endRow } of sections) {
          expect(headerRow).toBeLessThan(endRow ?? Number.POSITIVE_INFINITY);
          expect(endRow ?? 0).toBeLessThanOrEqual(index.rowCount);
        }
      }),
    );
  });
});
