import { beale } from "./beale.js";
import { himmelblau } from "./himmelblau.js";
import { quadratic } from "./quadratic.js";
import { rosenbrock } from "./rosenbrock.js";
import { saddle } from "./saddle.js";
import type { Surface } from "./surface.js";

/** The surfaces, by the name that the address has. */
export const surfaces = { rosenbrock, beale, himmelblau, saddle, quadratic } as const satisfies {
  readonly [name: string]: Surface;
};

export type SurfaceName = keyof typeof surfaces;

export const surfaceNames = Object.keys(surfaces) as readonly SurfaceName[];
