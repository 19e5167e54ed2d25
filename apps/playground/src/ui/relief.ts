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
/** Decades below the highest point that have distinct colours. */
const decades = 4.5;

/** The number of colours between the lowest and the highest point. */
const shades = 1024;
/** How steep the light finds the slopes. */
const steepness = 22;

/** Pixels of a map of `size` times `size`. */
export function paintRelief({ value, gradient, view }: Surface, size: number, theme: Theme): ImageData {
  const { ground, line, lineStrength, light } = palettes[theme];
  const { x: across, y: up } = view;
  const pixel = (across[1] - across[0]) / size;
  const corners = across.flatMap((x) => up.map((y) => value(x, y)));
  const floor = Math.max(...corners) / 10 ** decades;
  const lowest = Math.log10(floor);
  /** From 0 at the lowest possible point to about 1 at the highest. */
  const heightAt = (x: number, y: number) => (Math.log10(value(x, y) + floor) - lowest) / decades;
  const colors = colorsByHeight(ground, sortedHeights(view, heightAt));
  const image = new ImageData(size, size);
  const { data } = image;

  for (let row = 0; row < size; row++) {
    const y = up[1] - (row + 0.5) * pixel;
    for (let column = 0; column < size; column++) {
      const x = across[0] + (column + 0.5) * pixel;
      const loss = value(x, y) + floor;
      const slopes = gradient(x, y);
      const height = Math.log10(loss) - lowest;

      // The slope of the logarithm, in height lines for each pixel.
      const scale = (linesPerDecade * pixel) / (Math.LN10 * loss);
      const east = slopes[0] * scale;
      const north = slopes[1] * scale;
      const slope = Math.sqrt(east * east + north * north);
      const level = height * linesPerDecade;
      const distance = Math.abs(level - Math.round(level)) / Math.max(slope, 1e-9);
      // Lines that would run into each other fade.
      const ink = Math.max(0, 1.1 - distance) * Math.min(1, 0.35 / Math.max(slope, 0.05)) * lineStrength;
      const shade = ((east - north) * steepness) / Math.sqrt(1 + 2 * steepness * steepness * slope * slope);
      const lit = 1 + light * shade;

      const color = 3 * Math.max(0, Math.min(shades - 1, Math.floor((height / decades) * shades)));
      const at = 4 * (row * size + column);
      for (let channel = 0; channel < 3; channel++) {
        const plain = (colors[color + channel] as number) * lit;
        data[at + channel] = plain + ((line[channel] as number) - plain) * ink;
      }
      data[at + 3] = 255;
    }
  }
  return image;
}

/** Heights all over the part that is shown, in order. */
function sortedHeights(view: Surface["view"], heightAt: (x: number, y: number) => number): Float64Array {
  const count = 48;
  const at = ([low, high]: readonly [number, number], index: number) => low + ((index + 0.5) * (high - low)) / count;
  const heights = Float64Array.from({ length: count * count }, (_, index) =>
    heightAt(at(view.x, index % count), at(view.y, Math.floor(index / count))),
  );
  return heights.sort();
}

/**
 * Red, green and blue for each height. The colour depends on the rank among all heights, so that every surface has every
 * colour. It depends a little on the height itself, so that plains stay plain.
 */
function colorsByHeight(ground: readonly Color[], heights: Float64Array): Float32Array {
  const colors = new Float32Array(3 * shades);
  let lower = 0;
  for (let index = 0; index < shades; index++) {
    const height = index / shades;
    while (lower < heights.length && (heights[lower] as number) < height) lower++;
    // Between its neighbours, so that the colours have no edges.
    const before = heights[lower - 1] ?? 0;
    const part = lower < heights.length ? (height - before) / ((heights[lower] as number) - before) : 0;
    const rank = Math.min(1, (lower + part) / heights.length);
    colors.set(colorAt(ground, 0.3 * height + 0.7 * rank), 3 * index);
  }
  return colors;
}

function colorAt(colors: readonly Color[], share: number): Color {
  const place = Math.max(0, Math.min(0.9999, share)) * (colors.length - 1);
  const [low, high] = colors.slice(Math.floor(place), Math.floor(place) + 2) as [Color, Color];
  const part = place - Math.floor(place);
  const mix = (channel: 0 | 1 | 2) => low[channel] + part * (high[channel] - low[channel]);
  return [mix(0), mix(1), mix(2)];
}
