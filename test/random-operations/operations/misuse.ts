// Any function with any arguments.

import { functions } from "../functions.js";
import { hostileValue } from "../hostile.js";
import { words } from "../values.js";
import type { World } from "../world.js";
import type { Operation, Operations } from "./operation.js";

/** `ready` answers with a promise, and without arguments these two end the sequence. */
const names = [...functions.keys()].filter((name) => !["ready", "reset"].includes(name));

function argumentsFor(world: World): unknown[] {
  const { random, shadow } = world;
  const given = random.list(random.int(5), () => hostileValue(world));
  // Many faults need a first argument that is good.
  if (random.chance(0.6) && shadow.count > 0) given.unshift(random.pick(shadow.live).handle);
  else if (random.chance(0.3)) given.unshift(random.pick(words));
  return given;
}

export const misuseOperations = (another: Operation): Operations => ({
  "one bad argument": (world) => {
    world.spoils = true;
    try {
      another(world);
    } finally {
      world.spoils = false;
    }
  },
  misuse: (world) => {
    const name = world.random.pick(names);
    const given = argumentsFor(world);
    // Without arguments it frees everything, which an operation of its own does.
    if (name === "free" && given.length === 0) return;
    world.isTainted = true;
    world.call(name, ...given);
  },
});
