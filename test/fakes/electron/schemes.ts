/**
 * Chromium itself has no way to be told of schemes: `app://bench/a` is loaded as `https://bench.app.invalid/a`, whose
 * requests are answered here before they become any (`Fetch` of the DevTools protocol). It is a secure origin of its
 * own as the real one is. The main process sees the real addresses only; a page sees the other in `location`.
 */
export class Schemes {
  readonly #names = new Set<string>();

  register(scheme: string): void {
    this.#names.add(scheme);
  }

  /** Where Chromium is sent for `url`. */
  toChromium(url: string): string {
    const parsed = URL.parse(url);
    const scheme = parsed?.protocol.slice(0, -1) ?? '';
    if (parsed === null || !this.#names.has(scheme)) return url;
    return `https://${parsed.host}.${scheme}.invalid${parsed.pathname}${parsed.search}${parsed.hash}`;
  }

  /** What the app calls an address of Chromium's. */
  fromChromium(url: string): string {
    const parsed = URL.parse(url);
    const match = /^(.+)\.([a-z]+)\.invalid$/.exec(parsed?.protocol === 'https:' ? parsed.host : '');
    const [, host, scheme] = match ?? [];
    if (parsed === null || host === undefined || scheme === undefined || !this.#names.has(scheme)) return url;
    return `${scheme}://${host}${parsed.pathname}${parsed.search}${parsed.hash}`;
  }
}

export const schemes = new Schemes();
