// Writes to parameters on one process alone, and on all, between the steps of a loop.

import * as k from "@stepwell/sdk";
import { partialModel } from "../partial-models.js";

k.setting("threads", 1);
const { rank } = await k.initProcessGroup();
const outcome = (run: () => PromiseLike<unknown>) =>
  (async () => run())().then(
    () => "no error",
    (error) => `${error.code} ${error.message}`,
  );
const results: Record<string, string> = {};
// Each change is made once on rank 1 alone, and once on all processes.
type Objects = { readonly net: k.ModuleHandle; readonly o: k.OptimizerHandle };
const changes: Readonly<Record<string, (objects: Objects) => void>> = {
  copyto: ({ net }) => k.copyto(k.full([4], 3, "double"), k.parm(net, "a.bias")),
  "a file of the module": ({ net }) => void k.deserialize(fileOf(net, 5), { net }),
  "a file of a part": ({ net }) => void k.deserialize(fileOf(net, 6), { net }, { only: ["net.a.bias"] }),
  copyparms: ({ net }) => k.copyparms(partialModel("module", 7).net, net),
  "a fill": ({ net }) => k.fill(k.parm(net, "b.weight"), 0),
  "another optimizer": ({ net }) => {
    k.backward(k.sum(k.forward(net, k.full([3, 3], 0.5, "double"))));
    k.step(k.opt("sgd", k.child(net, "a"), 0.5), { zerograd: true });
  },
};
const fileOf = (net: k.ModuleHandle, number: number) => {
  const copy = k.clone(net);
  k.copyto(k.full([4], number, "double"), k.parm(copy, "a.bias"));
  return k.serialize({ net: copy });
};
for (const [name, change] of Object.entries(changes)) {
  for (const onAll of [false, true]) {
    const objects = partialModel("child", rank);
    const { net, o } = objects;
    await k.distributed(o);
    const step = async () => {
      // Running statistics that differ until the step.
      k.backward(k.sum(k.forward(net, k.full([3, 3], rank + 1, "double"))));
      await k.stepAsync(o, { zerograd: true });
    };
    await step();
    if (onAll || rank === 1) change(objects);
    const first = await outcome(step);
    // Begins again with the values of rank 0.
    await k.distributed(o);
    results[`${name}${onAll ? " on all" : ""}`] = `${first}, then ${await outcome(step)}`;
  }
}
{
  // Files of equal parameters and other moments.
  const parameter = k.tensor([1], { grad: true });
  const o = k.opt("adam", parameter, 0);
  await k.distributed(o);
  const files = [1, 2].map((factor) => {
    const alone = k.opt("adam", parameter, 0);
    k.backward(k.sum(k.mul(parameter, factor)));
    k.step(alone, { zerograd: true });
    return k.serialize({ parameter, o: alone });
  });
  k.deserialize(files[rank] as Uint8Array, { parameter, o });
  k.backward(k.sum(parameter));
  results["other states"] = await outcome(() => k.stepAsync(o));
}
await k.destroyProcessGroup();
console.log(JSON.stringify(results));
