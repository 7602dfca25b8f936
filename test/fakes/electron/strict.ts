const faces = new WeakMap<object, object>();

/**
 * Makes an object throw where it has no such member, so that a gap of the double ends the test that steps into it
 * instead of passing as undefined.
 */
export function strict<T extends object>(name: string, target: T): T {
  // Methods run on the object itself: a Proxy does not reach its #private members.
  const bound = new Map<PropertyKey, unknown>();
  const face = new Proxy(target, {
    get(object, key) {
      const value: unknown = Reflect.get(object, key, object);
      if (typeof value === 'function' && key !== 'constructor') {
        if (!bound.has(key)) bound.set(key, value.bind(object));
        return bound.get(key);
      }
      // `then` and `toJSON` are asked for by promises and by serialisers, of any object.
      if (value !== undefined || key in object || typeof key === 'symbol' || key === 'then' || key === 'toJSON') {
        return value;
      }
      throw missing(`${name}.${key}`);
    },
    set(object, key, value: unknown) {
      // Playwright replaces methods of `app`, and specs those of `dialog`.
      bound.delete(key);
      return Reflect.set(object, key, value, object);
    },
  });
  faces.set(target, face);
  return face;
}

/** The strict face of an object that has one: what the app knows it by. */
export function faceOf<T extends object>(target: T): T {
  return (faces.get(target) as T | undefined) ?? target;
}

/** A class whose instances are strict, and whose static members are. */
export function strictClass<Args extends unknown[], Instance extends object, Statics extends object>(
  name: string,
  target: (new (...args: Args) => Instance) & Statics,
): (new (...args: Args) => Instance) & Statics {
  return new Proxy(target, {
    construct: (constructed, args: Args) => strict(name, new constructed(...args)),
    get(object, key) {
      const value: unknown = Reflect.get(object, key, object);
      if (value !== undefined || key in object || typeof key === 'symbol') return value;
      throw missing(`${name}.${key}`);
    },
  });
}

function missing(what: string): Error {
  return new Error(`electron double: ${what} is not implemented`);
}

/** What Electron hands to listeners that may say no. */
export class DoubleEvent {
  defaultPrevented = false;
  preventDefault(): void {
    this.defaultPrevented = true;
  }
}

/**
 * A double where Electron's type is wanted. The one cast of this folder: what the double lacks throws when it is used.
 */
export function standIn<T>(double: object): T {
  return faceOf(double) as T;
}
