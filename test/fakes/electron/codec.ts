/** What a codec does with functions and promises; without it they are refused, as structured clone does. */
export interface LiveValues {
  encodeFunction(value: (...args: unknown[]) => unknown): number;
  decodeFunction(id: number): (...args: unknown[]) => unknown;
  encodePromise(value: Promise<unknown>): number;
  decodePromise(id: number): Promise<unknown>;
}

export interface Codec {
  encode(value: unknown): unknown;
  decode(value: unknown): unknown;
}

/**
 * Values as they cross a border of Electron, as JSON: what JSON lacks is tagged with `$`. The text of this function
 * also runs in pages, so it uses nothing from outside itself.
 */
export function createCodec(live?: LiveValues): Codec {
  function encode(value: unknown): unknown {
    switch (typeof value) {
      case 'undefined':
        return { $: 'undefined' };
      case 'string':
      case 'boolean':
        return value;
      case 'number':
        if (Object.is(value, -0)) return { $: 'number', v: '-0' };
        return Number.isFinite(value) ? value : { $: 'number', v: String(value) };
      case 'bigint':
        return { $: 'bigint', v: String(value) };
      case 'function':
        if (live === undefined) throw new Error('An object could not be cloned.');
        return { $: 'function', v: live.encodeFunction((...args) => value(...args)) };
      case 'symbol':
        throw new Error('An object could not be cloned.');
      case 'object':
        return value === null ? null : encodeObject(value);
    }
  }

  function encodeObject(value: object): unknown {
    if (Array.isArray(value)) return value.map(encode);
    if (value instanceof Date) return { $: 'date', v: value.getTime() };
    if (value instanceof Map) return { $: 'map', v: [...value].map(encode) };
    if (value instanceof Set) return { $: 'set', v: [...value].map(encode) };
    if (value instanceof Error) return { $: 'error', v: [value.name, value.message] };
    if (value instanceof Uint8Array) {
      let text = '';
      for (const byte of value) text += String.fromCharCode(byte);
      return { $: 'bytes', v: btoa(text) };
    }
    if (value instanceof Promise) {
      if (live === undefined) throw new Error('An object could not be cloned.');
      return { $: 'promise', v: live.encodePromise(value) };
    }
    return { $: 'object', v: Object.fromEntries(Object.entries(value).map(([key, member]) => [key, encode(member)])) };
  }

  function decode(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(decode);
    const { $: tag, v } = value as { $: string; v: unknown };
    switch (tag) {
      case 'undefined':
        return undefined;
      case 'number':
        return Number(v);
      case 'bigint':
        return BigInt(String(v));
      case 'date':
        return new Date(Number(v));
      case 'map':
        return new Map(decode(v) as [unknown, unknown][]);
      case 'set':
        return new Set(decode(v) as unknown[]);
      case 'error': {
        const [name, message] = v as [string, string];
        return Object.assign(new Error(message), { name });
      }
      case 'bytes':
        return Uint8Array.from(atob(String(v)), (character) => character.charCodeAt(0));
      case 'function':
        return live?.decodeFunction(Number(v));
      case 'promise':
        return live?.decodePromise(Number(v));
      default:
        return Object.fromEntries(Object.entries(v as object).map(([key, member]) => [key, decode(member)]));
    }
  }

  return { encode, decode };
}
