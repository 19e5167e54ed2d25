// A surface as a map: height lines of the logarithm of the loss, on a ground that is lit from the north-west.

import type { Surface } from "../surfaces/surface.js";
import type { Theme } from "./theme.js";

type Color = readonly [number, number, number];

interface Palette {
  /** From the lowest to the highest. */
  readonly ground: readonly Color[];
  readonly line: Color;
  readonly lineStrength: number;
  readonly light: number;
}

const palettes: { readonly [Name in Theme]: Palette } = {
  light: {
    ground: [
      [134, 178, 190],
      [178, 207, 209],
      [216, 226, 216],
      [234, 227, 210],
      [241, 234, 221],
    ],
    line: [70, 88, 96],
    lineStrength: 0.3,
    light: 0.16,
  },
  dark: {
    ground: [
      [4, 16, 28],
      [9, 31, 46],
      [20, 47, 61],
      [36, 62, 73],
      [54, 76, 84],
    ],
    line: [168, 205, 214],
    lineStrength: 0.22,
    light: 0.2,
  },
};

/** Height lines for a factor of ten. */
const linesPerDecade = 4;
/** Decades below the highest point that are told apart. */
const decades = 4.5;

/** Pixels of a map of `size` times `size`. */
export function paintRelief(surface: Surface, size: number, theme: Theme): ImageData {
  const palette = palettes[theme];
  const { x: across, y: up } = surface.view;
  const pixel = (across[1] - across[0]) / size;
  const floor = highest(surface) / 10 ** decades;
  const lowest = Math.log10(floor);
  const heightOf = (loss: number) => (Math.log10(loss) - lowest) / decades;
  const ranks = heights(surface, (x, y) => heightOf(surface.value(x, y) + floor));
  const image = new ImageData(size, size);

  for (let row = 0; row < size; row++) {
    const y = up[1] - (row + 0.5) * pixel;
    for (let column = 0; column < size; column++) {
      const x = across[0] + (column + 0.5) * pixel;
      const loss = surface.value(x, y) + floor;
      const [dx, dy] = surface.gradient(x, y);
      const height = heightOf(loss);

      // The slope of the logarithm, in height lines for each pixel.
      const scale = (linesPerDecade * pixel) / (Math.LN10 * loss);
      const [east, north] = [dx * scale, dy * scale];
      const slope = Math.hypot(east, north);
      const level = (Math.log10(loss) - lowest) * linesPerDecade;
      const distance = Math.abs(level - Math.round(level)) / Math.max(slope, 1e-9);
      // Lines that would run into each other fade.
      const line = Math.max(0, 1.1 - distance) * Math.min(1, 0.35 / Math.max(slope, 0.05)) * palette.lineStrength;

      const steep = 22;
      const shade = ((east - north) * steep) / Math.sqrt(1 + 2 * steep * steep * slope * slope);
      const light = 1 + palette.light * shade;

      // By rank, so that every surface has every colour; a little by height, so that plains stay plain.
      const ground = colorAt(palette.ground, 0.3 * height + 0.7 * rankOf(ranks, height));
      const at = 4 * (row * size + column);
      for (let channel = 0; channel < 3; channel++) {
        const lit = (ground[channel] ?? 0) * light;
        image.data[at + channel] = lit + ((palette.line[channel] ?? 0) - lit) * Math.min(1, line);
      }
      image.data[at + 3] = 255;
    }
  }
  return image;
}

function highest({ value, view }: Surface): number {
  const corners = view.x.flatMap((x) => view.y.map((y) => value(x, y)));
  return Math.max(...corners);
}

/** Heights all over the part that is shown, in order. */
function heights({ view }: Surface, height: (x: number, y: number) => number): Float64Array {
  const count = 48;
  const at = ([low, high]: readonly [number, number], index: number) => low + ((index + 0.5) * (high - low)) / count;
  const all = Float64Array.from({ length: count * count }, (_, index) =>
    height(at(view.x, index % count), at(view.y, Math.floor(index / count))),
  );
  return all.sort();
}

/** The share of the heights that are lower. */
function rankOf(ranks: Float64Array, height: number): number {
  let [low, high] = [0, ranks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranks[middle] ?? 0) < height) low = middle + 1;
    else high = middle;
  }
  // Between its neighbours, so that the colours have no edges.
  const [before = 0, after = before] = [ranks[low - 1], ranks[low]];
  const part = after > before && low > 0 ? (height - before) / (after - before) : 0;
  return (low + part) / ranks.length;
}

function colorAt(colors: readonly Color[], share: number): Color {
  const place = Math.max(0, Math.min(0.9999, share)) * (colors.length - 1);
  const index = Math.floor(place);
  const [low, high] = [colors[index] as Color, colors[index + 1] as Color];
  const part = place - index;
  return [0, 1, 2].map((channel) => {
    const [from = 0, to = 0] = [low[channel], high[channel]];
    return from + part * (to - from);
  }) as unknown as Color;
}
