import { describe, expect, it } from 'vitest';
import { drawRow, rowText } from '../../../../renderer/features/trace/draw-row.ts';
import { attribute, trueColour } from '../../../../renderer/features/trace/text-style.ts';
import { indexOf, rowsOf, spansOf } from './trace-text.ts';

const esc = '\u001b';

describe('a drawn row', () => {
  it('is cut into spans of one style each', () => {
    const index = indexOf(`plain ${esc}[32mgreen ${esc}[1mbold${esc}[0m end\n`);
    expect(spansOf(index, 0)).toEqual([
      ['plain ', {}],
      ['green ', { foreground: 2 }],
      ['bold', { foreground: 2, attributes: attribute.bold }],
      [' end', {}],
    ]);
  });

  it('goes on with the style of the rows before', () => {
    expect(spansOf(indexOf(`${esc}[44mone\ntwo${esc}[0m\n`), 1)).toEqual([['two', { background: 4 }]]);
  });

  it('places each span at its first character', () => {
    const row = drawRow(indexOf(`ab${esc}[31mcd${esc}[0mef\n`), 0);
    expect(row.spans.map((span) => span.at)).toEqual([0, 2, 4]);
  });

  it('decodes letters that were cut by a chunk border', () => {
    const bytes = Buffer.from('木は緑\n');
    const chunks = [bytes.subarray(0, 1), bytes.subarray(1, 5), bytes.subarray(5)];
    expect(rowsOf(indexOf(...chunks))).toEqual(['木は緑']);
  });

  it('shows bytes that are no text as replacement characters', () => {
    expect(rowsOf(indexOf(Uint8Array.of(0x61, 0xff, 0x62, 0x0a)))).toEqual(['a\ufffdb']);
  });

  it('says the time of its stamp', () => {
    const index = indexOf('2026-11-23T09:08:07.000001Z 00O one\nunstamped\n');
    expect([drawRow(index, 0).time, drawRow(index, 1).time]).toEqual(['09:08:07', null]);
  });

  it('is cut when it is very long, and says by how much', () => {
    const row = drawRow(indexOf(`${'x'.repeat(20_000)}\n`), 0);
    expect([row.spans[0]?.text.length, row.omittedBytes]).toEqual([16_384, 20_001 - 16_384]);
  });
});

describe('terminal control', () => {
  it.each<[string, string, string]>([
    ['a progress bar ends as it was last drawn', ' 10 %\r 55 %\r100 %', '100 %'],
    ['what is written over stays where the new text is shorter', 'downloading\rdone', 'doneloading'],
    ['erasing to the end takes it away', `downloading\rdone${esc}[K`, 'done'],
    ['erasing after a return empties the line', `downloading\r${esc}[0Kdone`, 'done'],
    ['erasing all leaves the cursor where it was', `ab${esc}[2Kcd`, '  cd'],
    ['erasing all and returning begins anew', `ab${esc}[2K\rcd`, 'cd'],
    ['erasing to the beginning leaves the rest', `abcd\r${esc}[2C${esc}[1Kx`, '  xd'],
    ['a return at the end changes nothing', 'abc\r', 'abc'],
    ['backspace goes back one', 'abc\b\bX', 'aXc'],
    ['columns count from 1', `abc${esc}[2GX`, 'aXc'],
    ['moving back', `abc${esc}[3DX`, 'Xbc'],
    ['a tab moves to the next eighth column when something is written over', 'a\tb\rX', 'X       b'],
    ['a mark stays with its letter', 'e\u0301x\rE', 'Ex'],
    ['a link is inert', `${esc}]8;;https://a.example\u0007text${esc}]8;;\u0007`, 'text'],
    ['a title is dropped', `${esc}]0;title${esc}\\text`, 'text'],
    ['an unended command hides nothing', `${esc}]0;text`, '0;text'],
    ['a character set is dropped', `${esc}(Btext`, 'text'],
    ['bells and other control characters are dropped', 'a\u0007\u0000\u007fb', 'ab'],
    ['the second set of control characters is dropped', 'a\u009b31mb', 'a31mb'],
    ['turning the direction of text around is dropped', 'a\u202egpj.exe', 'agpj.exe'],
    ['cursor keys and modes are dropped', `${esc}[?25l${esc}[2Ja${esc}[1A`, 'a'],
    ['an escape alone is dropped', `a${esc}`, 'a'],
    ['a sequence with a wrong letter ends there', `${esc}[3\u0001a`, 'a'],
  ])('%s', (_name, text, shown) => {
    expect(rowText(indexOf(`${text}\n`), 0)).toBe(shown);
  });

  it('does not grow a line beyond what a terminal has', () => {
    expect(rowText(indexOf(`a${esc}[999999999Cb\n`), 0).length).toBe(4_096);
  });

  it('keeps the colour of each letter that is left', () => {
    const index = indexOf(`${esc}[31mred text\r${esc}[32mgre${esc}[0m\n`);
    expect(spansOf(index, 0)).toEqual([
      ['gre', { foreground: 2 }],
      [' text', { foreground: 1 }],
    ]);
  });

  it('takes colours of 256 and in full, written with semicolons or colons', () => {
    const row = `${esc}[38;5;208ma${esc}[48;2;1;2;3mb${esc}[0;38:5:9mc${esc}[38:2::4:5:6md${esc}[38:2:7:8:9me\n`;
    expect(spansOf(indexOf(row), 0)).toEqual([
      ['a', { foreground: 208 }],
      ['b', { foreground: 208, background: trueColour | 0x010203 }],
      ['c', { foreground: 9 }],
      ['d', { foreground: trueColour | 0x040506 }],
      ['e', { foreground: trueColour | 0x070809 }],
    ]);
  });

  it('switches every attribute on and off', () => {
    const on = { 1: 'bold', 2: 'dim', 3: 'italic', 4: 'underlined', 7: 'inverse', 8: 'hidden', 9: 'struck' } as const;
    const seen = Object.entries(on).map(([code, name]) => {
      const off = code === '1' ? 22 : 20 + Number(code);
      const spans = spansOf(indexOf(`${esc}[${code}ma${esc}[${off}mb\n`), 0);
      return [name, spans];
    });
    expect(seen).toEqual(
      Object.values(on).map((name) => [
        name,
        [
          ['a', { attributes: attribute[name] }],
          ['b', {}],
        ],
      ]),
    );
  });

  it('goes back to its own colours', () => {
    expect(spansOf(indexOf(`${esc}[91;103ma${esc}[39mb${esc}[49mc\n`), 0)).toEqual([
      ['a', { foreground: 9, background: 11 }],
      ['b', { background: 11 }],
      ['c', {}],
    ]);
  });
});
