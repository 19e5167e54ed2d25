import type { World } from "../world.js";

/** One operation: a call or a few, of choices that the world's generator makes. It may do nothing. */
export type Operation = (world: World) => void;
export type Operations = Readonly<Record<string, Operation>>;
