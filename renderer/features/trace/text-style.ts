/** -1 for the terminal's own, 0 to 255 for its palette, `trueColour | 0xrrggbb` for a colour in full. */
export type Colour = number;
export const ownColour: Colour = -1;
export const trueColour: Colour = 0x1000000;

/** Bits of `TextStyle.attributes`. */
export const attribute = {
  bold: 1,
  dim: 2,
  italic: 4,
  underlined: 8,
  inverse: 16,
  hidden: 32,
  struck: 64,
} as const;

/** How a terminal would show a stretch of text. */
export interface TextStyle {
  readonly foreground: Colour;
  readonly background: Colour;
  readonly attributes: number;
}
export const plainStyle: TextStyle = { foreground: ownColour, background: ownColour, attributes: 0 };

const switchedOn: Record<number, number> = {
  1: attribute.bold,
  2: attribute.dim,
  3: attribute.italic,
  4: attribute.underlined,
  7: attribute.inverse,
  8: attribute.hidden,
  9: attribute.struck,
  21: attribute.underlined,
};
const switchedOff: Record<number, number> = {
  22: attribute.bold | attribute.dim,
  23: attribute.italic,
  24: attribute.underlined,
  27: attribute.inverse,
  28: attribute.hidden,
  29: attribute.struck,
};

/**
 * Applies one "select graphic rendition" sequence.
 * @param parameters What stands between `ESC [` and `m`. Both ways of writing a colour are read: `38;5;9` and `38:5:9`.
 * @see ECMA-48 8.3.117, ISO 8613-6 for the colons
 */
export function applySgr(style: TextStyle, parameters: string): TextStyle {
  let { foreground, background, attributes } = style;
  const fields = parameters.split(';');
  for (let at = 0; at < fields.length; at += 1) {
    const field = fields[at] ?? '';
    const code = Number.parseInt(field, 10) || 0;
    if (code === 0) {
      foreground = ownColour;
      background = ownColour;
      attributes = 0;
    } else if (code === 38 || code === 48) {
      const isWhole = field.includes(':');
      const rest = isWhole ? colonParts(field) : fields.slice(at + 1, at + 5).map(toByte);
      const { colour, length } = readColour(rest);
      if (!isWhole) at += length;
      if (colour !== null && code === 38) foreground = colour;
      if (colour !== null && code === 48) background = colour;
    } else if (code === 39) foreground = ownColour;
    else if (code === 49) background = ownColour;
    else if (code >= 30 && code <= 37) foreground = code - 30;
    else if (code >= 40 && code <= 47) background = code - 40;
    else if (code >= 90 && code <= 97) foreground = code - 82;
    else if (code >= 100 && code <= 107) background = code - 92;
    else if (field === '4:0') attributes &= ~attribute.underlined;
    else attributes = (attributes | (switchedOn[code] ?? 0)) & ~(switchedOff[code] ?? 0);
  }
  return { foreground, background, attributes };
}

/** `38:2::r:g:b` names a colour space that everybody leaves empty; `38:2:r:g:b` leaves it out. */
function colonParts(field: string): number[] {
  const parts = field.split(':').slice(1);
  if (parts[0] === '2' && parts.length > 4) parts.splice(1, 1);
  return parts.map(toByte);
}

function readColour(parts: readonly number[]): { colour: Colour | null; length: number } {
  const [kind, first = 0, second = 0, third = 0] = parts;
  if (kind === 5) return { colour: first, length: 2 };
  if (kind === 2) return { colour: trueColour | (first << 16) | (second << 8) | third, length: 4 };
  return { colour: null, length: 1 };
}

function toByte(text: string): number {
  return Math.min(255, Number.parseInt(text, 10) || 0);
}

/** Gives every style that occurs a small number, so that a row remembers its first style in four bytes. */
export class StyleTable {
  readonly #styles: TextStyle[] = [plainStyle];
  readonly #idsByStyle = new Map<string, number>([[keyOf(plainStyle), 0]]);
  readonly #idsByStep = new Map<string, number>();

  style(id: number): TextStyle {
    return this.#styles[id] ?? plainStyle;
  }

  /** The id of the style after a sequence. A job that makes up too many styles falls back to the plain one. */
  after(id: number, parameters: string): number {
    const step = `${id};${parameters}`;
    const known = this.#idsByStep.get(step);
    if (known !== undefined) return known;
    const next = this.#idOf(applySgr(this.style(id), parameters));
    if (this.#idsByStep.size < styleLimit) this.#idsByStep.set(step, next);
    return next;
  }

  #idOf(style: TextStyle): number {
    const key = keyOf(style);
    const known = this.#idsByStyle.get(key);
    if (known !== undefined) return known;
    if (this.#styles.length >= styleLimit) return 0;
    this.#idsByStyle.set(key, this.#styles.length);
    this.#styles.push(style);
    return this.#styles.length - 1;
  }
}

const styleLimit = 50_000;

function keyOf({ foreground, background, attributes }: TextStyle): string {
  return `${foreground},${background},${attributes}`;
}
