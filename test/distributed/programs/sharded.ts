// Makes all steps and trainings with a sharded state and without, and compares both.

import * as k from "@stepwell/sdk";
import { allSteps, makeSteps } from "../sharded-steps.js";
import { train, trainings } from "../trainings.js";

k.setting("threads", 1);
const { rank } = await k.initProcessGroup();
const steps = [];
for (const row of allSteps) {
  const begin = (options: k.DistributedOptions) => async (o: k.OptimizerHandle, step: number) => {
    if (step === 0) await k.distributed(o, options);
  };
  const whole = await makeSteps(row, rank, begin({}));
  const sharded = await makeSteps(row, rank, begin({ sharded: true }));
  steps.push({ name: row.name, whole, sharded });
}
const trained = [];
for (const row of trainings) {
  if (row.optimizer === "lbfgs" || !/accumulated|fewer samples/.test(row.name)) continue;
  const whole = await train(row, (model) => k.distributed(model));
  const sharded = await train(row, (model) => k.distributed(model, { sharded: true }));
  trained.push({ name: row.name, isEqual: JSON.stringify(whole) === JSON.stringify(sharded) });
}

/** The state goes from a part on each process to the whole and back, before each step. */
const changed = await makeSteps(allSteps[0] as (typeof allSteps)[0], rank, (o, step) =>
  k.distributed(o, { sharded: step % 2 === 0 }),
);

const refusal = (call: () => Promise<unknown>) =>
  call().then(
    () => "no error",
    (error) => `${error.code} ${error.message}`,
  );
const parameters = () => k.vector(k.tensor([1, 2], "grad"), k.tensor([3], "grad"));
const refused = {
  lbfgs: await refusal(() => k.distributed(k.opt("lbfgs", parameters()), { sharded: true })),
  "of libtorch": await refusal(() => k.distributed(k.opt("adam", parameters(), { fused: false }), { sharded: true })),
  "on one process": await refusal(() => k.distributed(k.opt("adam", parameters()), { sharded: rank === 0 })),
  "a word": await refusal(() => k.distributed(k.opt("adam", parameters()), { sharded: "yes" as unknown as boolean })),
  "no average": await refusal(async () => {
    const o = k.opt("adam", parameters(), { average: 0.9 });
    await k.distributed(o, { sharded: true });
    k.average(o);
  }),
};
await k.destroyProcessGroup();
console.log(JSON.stringify({ steps, trained, changed, refused }));
