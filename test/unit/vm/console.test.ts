import { expect, it } from 'vitest';
import { lastLines, lastWords } from '../../../electron/core/vm/console.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);

it('keeps the last lines that hold something', () => {
  expect(lastLines(bytesOf('one\r\ntwo\r\n\r\n  \r\nthree\n'), 2)).toEqual(['two', 'three']);
});

it('strips colours, cursor movements, titles and control characters', () => {
  const text = '\u001b[1;31mred\u001b[0m \u001b[2Jclear\u001b]0;title\u0007ed\u0000\u0008\u009b1m\tend\u007f';
  expect(lastLines(bytesOf(text), 5)).toEqual(['red cleared end']);
});

it('strips characters that turn or hide text', () => {
  expect(lastLines(bytesOf('a\u202eb\u2066c\u200bd\ufeffe'), 5)).toEqual(['abcde']);
});

it('takes a carriage return as the end of a line, as a progress bar means it', () => {
  expect(lastLines(bytesOf('10 %\r20 %\r30 %'), 1)).toEqual(['30 %']);
});

it('replaces what is not UTF-8, also where the range begins within a character', () => {
  expect(lastLines(Uint8Array.of(0xa9, 0x41, 0xff, 0x42), 1)).toEqual(['\ufffdA\ufffdB']);
});

it('cuts a long line', () => {
  expect(lastLines(bytesOf('x'.repeat(5_000)), 1)).toEqual(['x'.repeat(300)]);
});

it('begins the last words with a kernel panic, and not with the end of its message', () => {
  const text = [
    'up',
    '[    1.9] Kernel panic - not syncing: sysrq triggered crash',
    '[    1.9] CPU: 0 PID: 1',
    '[    1.9] Call Trace:',
    '[    2.0] ---[ end Kernel panic - not syncing: sysrq triggered crash ]---',
  ].join('\r\n');
  expect(lastWords(bytesOf(text), 2)).toEqual({
    hasPanicked: true,
    lines: ['[    1.9] Kernel panic - not syncing: sysrq triggered crash', '[    1.9] CPU: 0 PID: 1'],
  });
});

it('has the last lines as last words where there is no panic', () => {
  expect(lastWords(bytesOf('a\nb\nc\n'), 2)).toEqual({ hasPanicked: false, lines: ['b', 'c'] });
  expect(lastWords(new Uint8Array(), 2)).toEqual({ hasPanicked: false, lines: [] });
});
