// The look of each optimizer: a colour and a shape, so that colours need not be distinguished.

import type { OptimizerName } from "@stepwell/sdk";
import { optimizerNames } from "../options.js";

export type Shape = "circle" | "square" | "triangle" | "diamond" | "hexagon" | "star" | "cross";

export interface Mark {
  readonly label: string;
  readonly shape: Shape;
  /** For each theme. */
  readonly colors: { readonly light: string; readonly dark: string };
}

/**
 * In the order of their history. The colours of Okabe and Ito 2008, <https://jfly.uni-koeln.de/color/>, darker or lighter for
 * contrast with the page. The only second-order method has the colour of the ink.
 */
const known: { readonly [name: string]: Mark } = {
  sgd: { label: "SGD", shape: "circle", colors: { light: "#d55e00", dark: "#ff8a3d" } },
  lbfgs: { label: "L-BFGS", shape: "star", colors: { light: "#16181d", dark: "#ffffff" } },
  adagrad: { label: "Adagrad", shape: "triangle", colors: { light: "#008a63", dark: "#2fd0a2" } },
  rmsprop: { label: "RMSprop", shape: "diamond", colors: { light: "#b04a90", dark: "#ea94cb" } },
  adam: { label: "Adam", shape: "square", colors: { light: "#0062a8", dark: "#5aa9ff" } },
  adamw: { label: "AdamW", shape: "hexagon", colors: { light: "#2f9fd8", dark: "#a5e0ff" } },
  lamb: { label: "LAMB", shape: "cross", colors: { light: "#c98700", dark: "#f5c542" } },
};

/** The optimizers in the order in which the page names them. */
export const displayOrder: readonly OptimizerName[] = optimizerNames.toSorted((a, b) => rank(a) - rank(b));

function rank(name: string): number {
  const index = Object.keys(known).indexOf(name);
  return index < 0 ? Number.MAX_SAFE_INTEGER : index;
}

/** An optimizer without a mark of its own gets a grey circle. */
export function markOf(name: OptimizerName): Mark {
  return known[name] ?? { label: name, shape: "circle", colors: { light: "#777777", dark: "#aaaaaa" } };
}

/** The corners of a shape of radius 1 around 0; none for a circle. */
export function corners(shape: Shape): readonly (readonly [number, number])[] {
  const around = (count: number, turn: number, radius: (index: number) => number) =>
    Array.from({ length: count }, (_, index) => {
      const angle = turn + (2 * Math.PI * index) / count;
      return [radius(index) * Math.cos(angle), radius(index) * Math.sin(angle)] as const;
    });
  const up = -Math.PI / 2;
  switch (shape) {
    case "circle":
      return [];
    case "square":
      return around(4, Math.PI / 4, () => 1.2);
    case "diamond":
      return around(4, 0, () => 1.25);
    case "triangle":
      return around(3, up, () => 1.35);
    case "hexagon":
      return around(6, 0, () => 1.1);
    case "star":
      return around(10, up, (index) => (index % 2 === 0 ? 1.5 : 0.65));
    case "cross": {
      const [w, l] = [0.48, 1.25];
      const arm = [
        [-w, -l],
        [w, -l],
        [w, -w],
      ] as const;
      // A quarter turn takes (x, y) to (-y, x).
      const turned = (times: number) =>
        arm.map(([x, y]) => {
          let point: readonly [number, number] = [x, y];
          for (let n = 0; n < times; n++) point = [-point[1], point[0]];
          return point;
        });
      return [0, 1, 2, 3].flatMap(turned);
    }
  }
}
