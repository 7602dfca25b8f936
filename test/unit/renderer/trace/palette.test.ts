import { describe, expect, it } from 'vitest';
import { contrast, lookOf, readable, rgbOf, traceColours } from '../../../../renderer/features/trace/palette.ts';
import { applySgr, plainStyle } from '../../../../renderer/features/trace/text-style.ts';

const lookAfter = (...sequences: string[]) => lookOf(sequences.reduce(applySgr, plainStyle));

describe('colours of a trace', () => {
  it('can all be read on its background', () => {
    const colours = Array.from({ length: 16 }, (_, colour) => rgbOf(colour));
    const hardToRead = [...colours, traceColours.text].filter(
      (colour) => contrast(colour, traceColours.background) < 4.5,
    );
    expect(hardToRead).toEqual([]);
  });

  it('are those of xterm beyond the sixteen', () => {
    expect([16, 21, 208, 231, 232, 255].map(rgbOf)).toEqual([
      [0, 0, 0],
      [0, 0, 255],
      [255, 135, 0],
      [255, 255, 255],
      [8, 8, 8],
      [238, 238, 238],
    ]);
  });

  it('are moved just as far as they have to be to be read', () => {
    const dark = readable([0, 0, 95], traceColours.background);
    expect(contrast(dark, traceColours.background)).toBeGreaterThanOrEqual(4.5);
    expect(readable([255, 135, 0], traceColours.background)).toEqual([255, 135, 0]);
  });

  it('can be read on any background that a job chooses', () => {
    const backgrounds = Array.from({ length: 256 }, (_, colour) => rgbOf(colour));
    const worst = Math.min(...backgrounds.map((paper) => contrast(readable([128, 128, 128], paper), paper)));
    expect(worst).toBeGreaterThanOrEqual(4.5);
  });
});

describe('the look of a style', () => {
  it.each<[string, string[], object]>([
    ['plain text has none', [], {}],
    ['a colour in full', ['38;2;255;200;0'], { color: 'rgb(255 200 0)' }],
    ['bold in a dull colour is bright', ['1;31'], { color: 'rgb(255 150 142)', fontWeight: 700 }],
    ['italic, underlined and struck', ['3;4;9'], { fontStyle: 'italic', textDecoration: 'underline line-through' }],
    ['dim', ['2'], { opacity: 0.75 }],
    ['hidden', ['8'], { visibility: 'hidden' }],
    ['inverse', ['7'], { color: 'rgb(22 26 24)', backgroundColor: 'rgb(214 220 215)' }],
  ])('%s', (_name, sequences, look) => {
    expect(lookAfter(...sequences)).toEqual(look);
  });
});
