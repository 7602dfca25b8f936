const toldOneByOne = 50;
const thenEvery = 100;

/** Counts what was refused, so that a machine that keeps on trying fills neither the log nor the screen. */
export class Refusals {
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** @returns Whether this one is worth telling. */
  add(): boolean {
    this.#count += 1;
    return this.#count <= toldOneByOne || this.#count % thenEvery === 0;
  }
}
