import { describe, expect, it } from 'vitest';
import { createCodec } from '../../fakes/electron/codec.ts';
import { Schemes } from '../../fakes/electron/schemes.ts';
import { DoubleEvent, faceOf, strict, strictClass } from '../../fakes/electron/strict.ts';

describe('the codec of the Electron double', () => {
  const { encode, decode } = createCodec();
  const across = (value: unknown) => decode(JSON.parse(JSON.stringify(encode(value))));

  it.each([
    [undefined],
    [null],
    [true],
    ['text'],
    [0],
    [-0],
    [Number.NaN],
    [Number.NEGATIVE_INFINITY],
    [10n],
    [[1, undefined, [null]]],
    [{ a: undefined, $: 'object', v: { $: 'date' } }],
    [new Date(7)],
    [new Map([[{ a: 1 }, new Set([1])]])],
    [new Uint8Array([0, 128, 255])],
  ])('brings %o across unchanged', (value) => {
    expect(across(value)).toEqual(value);
  });

  it('brings an error across with its name and message', () => {
    const error = across(new TypeError('no number'));
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'TypeError', message: 'no number' });
  });

  it.each([[() => {}], [Symbol('s')], [Promise.resolve()]])('refuses what cannot be cloned', (value) => {
    expect(() => encode({ value })).toThrow('An object could not be cloned.');
  });
});

describe('strict', () => {
  class Thing {
    #count = 0;
    readonly nothing = undefined;
    static make(): Thing {
      return new Thing();
    }
    increase(): number {
      this.#count += 1;
      return this.#count;
    }
  }

  it('throws for a member that is not there, naming it', () => {
    const thing = strict('thing', { known: 1 });
    expect(thing.known).toBe(1);
    expect(() => Reflect.get(thing, 'unknown')).toThrow('electron double: thing.unknown is not implemented');
  });

  it('lets methods reach private members, and be replaced', () => {
    const thing = strict('thing', new Thing());
    expect([thing.increase(), thing.increase()]).toEqual([1, 2]);
    thing.increase = () => 7;
    expect(thing.increase()).toBe(7);
  });

  it('answers undefined for a member that is undefined', () => {
    expect(strict('thing', new Thing()).nothing).toBeUndefined();
  });

  it('can be awaited and serialised', async () => {
    const thing = strict('thing', { a: 1 });
    expect(await thing).toBe(thing);
    expect(JSON.stringify(thing)).toBe('{"a":1}');
  });

  it('makes instances and static members of a class strict', () => {
    const StrictThing = strictClass('Thing', Thing);
    const thing = new StrictThing();
    expect(thing.increase()).toBe(1);
    expect(() => Reflect.get(thing, 'unknown')).toThrow('Thing.unknown is not implemented');
    expect(StrictThing.make()).toBeInstanceOf(Thing);
    expect(() => Reflect.get(StrictThing, 'unknown')).toThrow('Thing.unknown is not implemented');
  });

  it('gives an object back under the face the app knows', () => {
    const thing = new Thing();
    expect(faceOf(thing)).toBe(thing);
    const face = strict('thing', thing);
    expect(faceOf(thing)).toBe(face);
  });
});

describe('an event of the double', () => {
  it('remembers that it was prevented', () => {
    const event = new DoubleEvent();
    expect(event.defaultPrevented).toBe(false);
    event.preventDefault();
    expect(event.defaultPrevented).toBe(true);
  });
});

describe('schemes of the app', () => {
  const schemes = new Schemes();
  schemes.register('app');

  it.each([
    ['app://bench/index.html', 'https://bench.app.invalid/index.html'],
    ['app://bench/assets/a.js?x=1#top', 'https://bench.app.invalid/assets/a.js?x=1#top'],
  ])('%s is %s in Chromium', (address, inChromium) => {
    expect(schemes.toChromium(address)).toBe(inChromium);
    expect(schemes.fromChromium(inChromium)).toBe(address);
  });

  it.each([
    'https://gitlab.example.com/a',
    'about:blank',
    'data:text/html,a',
    'other://bench/',
    'https://bench.other.invalid/',
  ])('leaves %s alone', (address) => {
    expect(schemes.toChromium(address)).toBe(address);
    expect(schemes.fromChromium(address)).toBe(address);
  });
});
