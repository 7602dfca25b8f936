import { attribute, ownColour, type TextStyle, trueColour } from './text-style.ts';

/** Red, green and blue from 0 to 255. */
export type Rgb = readonly [number, number, number];

/** The trace is dark in both schemes, because tools choose their colours for dark terminals. */
export const traceColours = {
  background: [22, 26, 24] as Rgb,
  text: [214, 220, 215] as Rgb,
};

/** The sixteen named colours, each readable on the background of the trace. */
const named: readonly Rgb[] = [
  [126, 135, 129],
  [240, 120, 112],
  [124, 199, 128],
  [222, 180, 94],
  [116, 168, 240],
  [211, 146, 224],
  [98, 196, 196],
  [206, 212, 207],
  [150, 160, 153],
  [255, 150, 142],
  [160, 226, 150],
  [244, 210, 120],
  [154, 196, 255],
  [233, 178, 245],
  [140, 224, 224],
  [246, 248, 246],
];

/** A colour number of `TextStyle` in red, green and blue. @see xterm's 256 colours: 16 named, a cube, 24 greys */
export function rgbOf(colour: number): Rgb {
  if (colour >= trueColour) return [(colour >> 16) & 255, (colour >> 8) & 255, colour & 255];
  if (colour >= 232) {
    const grey = (colour - 232) * 10 + 8;
    return [grey, grey, grey];
  }
  if (colour >= 16) {
    const level = (place: number) => {
      const step = Math.floor((colour - 16) / place) % 6;
      return step === 0 ? 0 : step * 40 + 55;
    };
    return [level(36), level(6), level(1)];
  }
  return named[colour] ?? traceColours.text;
}

/** Contrast of two colours, 1 to 21. @see WCAG 2.2, "contrast ratio" */
export function contrast(one: Rgb, other: Rgb): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
}

function luminance([red, green, blue]: Rgb): number {
  const linear = (channel: number) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

const leastContrast = 4.5;

/** A colour, moved towards black or white just as far as it needs to be read on `background`. */
export function readable(colour: Rgb, background: Rgb): Rgb {
  if (contrast(colour, background) >= leastContrast) return colour;
  const target = contrast([255, 255, 255], background) > contrast([0, 0, 0], background) ? 255 : 0;
  for (let share = 0.1; share < 1; share += 0.1) {
    const mixed = mix(colour, target, share);
    if (contrast(mixed, background) >= leastContrast) return mixed;
  }
  return [target, target, target];
}

function mix([red, green, blue]: Rgb, target: number, share: number): Rgb {
  const channel = (value: number) => Math.round(value + (target - value) * share);
  return [channel(red), channel(green), channel(blue)];
}

/** What React sets on an element, through the CSS object model and thus within the content security policy. */
export interface Look {
  color?: string;
  backgroundColor?: string;
  fontWeight?: number;
  fontStyle?: 'italic';
  textDecoration?: string;
  opacity?: number;
  visibility?: 'hidden';
}

const looksByStyle = new WeakMap<TextStyle, Look>();

/** How a stretch of a trace is to look; remembered by style. */
export function lookOf(style: TextStyle): Look {
  const known = looksByStyle.get(style);
  if (known !== undefined) return known;
  const look = makeLook(style);
  looksByStyle.set(style, look);
  return look;
}

function makeLook({ foreground, background, attributes }: TextStyle): Look {
  const has = (bit: number) => (attributes & bit) !== 0;
  // Bold text in one of the eight dull colours is shown in the bright one, as terminals do.
  const bright = has(attribute.bold) && foreground >= 0 && foreground < 8 ? foreground + 8 : foreground;
  const isInverse = has(attribute.inverse);
  const ink = bright === ownColour ? traceColours.text : rgbOf(bright);
  const paper = background === ownColour ? traceColours.background : rgbOf(background);
  const [text, behind] = isInverse ? [paper, ink] : [ink, paper];
  const look: Look = {};
  if (isInverse || bright !== ownColour || background !== ownColour) look.color = css(readable(text, behind));
  if (isInverse || background !== ownColour) look.backgroundColor = css(behind);
  if (has(attribute.bold)) look.fontWeight = 700;
  if (has(attribute.italic)) look.fontStyle = 'italic';
  const lines = [has(attribute.underlined) ? 'underline' : '', has(attribute.struck) ? 'line-through' : ''];
  const decoration = lines.filter((line) => line !== '').join(' ');
  if (decoration !== '') look.textDecoration = decoration;
  if (has(attribute.dim)) look.opacity = 0.75;
  if (has(attribute.hidden)) look.visibility = 'hidden';
  return look;
}

export function css([red, green, blue]: Rgb): string {
  return `rgb(${red} ${green} ${blue})`;
}
