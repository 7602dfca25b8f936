/** Size of a page in bytes. */
const pageBytes = 1024 * 1024;

/** Bytes that only grow. They are kept in pages, so that growing never copies what is there already. */
export class ByteStore {
  readonly #pages: Uint8Array<ArrayBuffer>[] = [];
  #sizeBytes = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  append(bytes: Uint8Array): void {
    let taken = 0;
    while (taken < bytes.length) {
      const offset = this.#sizeBytes % pageBytes;
      if (offset === 0) this.#pages.push(new Uint8Array(pageBytes));
      const part = bytes.subarray(taken, taken + pageBytes - offset);
      this.#pages.at(-1)?.set(part, offset);
      this.#sizeBytes += part.length;
      taken += part.length;
    }
  }

  /** The byte at an offset; 0 outside. */
  at(offset: number): number {
    return this.#pages[Math.floor(offset / pageBytes)]?.[offset % pageBytes] ?? 0;
  }

  /** The bytes in `[fromByte, toByte)`: a view inside one page, a copy across pages. Either is to be read only. */
  slice(fromByte: number, toByte: number): Uint8Array<ArrayBuffer> {
    const from = Math.min(fromByte, this.#sizeBytes);
    const to = Math.min(Math.max(from, toByte), this.#sizeBytes);
    const page = this.#pages[Math.floor(from / pageBytes)];
    const offset = from % pageBytes;
    if (page !== undefined && offset + (to - from) <= pageBytes) return page.subarray(offset, offset + (to - from));
    const copy = new Uint8Array(to - from);
    let at = 0;
    for (const part of this.parts(from, to)) {
      copy.set(part, at);
      at += part.length;
    }
    return copy;
  }

  /** The same bytes as views, page by page. */
  *parts(fromByte = 0, toByte = this.#sizeBytes): Generator<Uint8Array<ArrayBuffer>> {
    let at = fromByte;
    while (at < toByte) {
      const page = this.#pages[Math.floor(at / pageBytes)];
      if (page === undefined) return;
      const offset = at % pageBytes;
      const part = page.subarray(offset, Math.min(pageBytes, offset + toByte - at));
      yield part;
      at += part.length;
    }
  }
}
