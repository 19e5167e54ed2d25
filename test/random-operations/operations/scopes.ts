import type * as k from "@stepwell/sdk";
import { InvariantViolation } from "../invariants.js";
import type { Operations } from "./operation.js";

export const scopeOperations: Operations = {
  scope: (world) => {
    // A spoiled argument of `keep` is another object, which the scope then does not free.
    if (world.spoils) return;
    const scope = world.call<k.Scope>("scope");
    const [freed, kept] = [1, 2].map((number) => world.call<k.TensorHandle>("tensor", [number]));
    world.call("keep", kept);
    scope.close();
    world.shadow.drop(freed);
  },
  scoped: (world) => {
    if (world.spoils) return;
    let freed: unknown;
    world.call("scoped", () => {
      freed = world.call("tensor", [1]);
      return world.call("tensor", [2]);
    });
    world.shadow.drop(freed);
  },
  leaks: (world) => {
    const living = world.call<readonly k.LivingObject[]>("leaks").length;
    if (living !== world.shadow.count)
      throw new InvariantViolation("leaks", "another number of objects", `${living} where ${world.shadow.count} live`);
    world.call<() => void>("leakcheck")();
  },
};
