// Trainings whose optimizer does not have all of the model, and a count of batches of which one process has no sample.

import * as k from "@stepwell/sdk";
import { partialRuns, trainPartially } from "../partial-models.js";

k.setting("threads", 1);
const { rank } = await k.initProcessGroup();
const partial = [];
for (const run of partialRuns) partial.push(await trainPartially(run, rank));
// Of 4 samples in batches of 3, rank 0 has none of the second batch.
const net = k.module(
  k.seq("sequential", ["conv2d", 1, 2, 3], ["batchnorm2d", "norm", 2], "flatten", ["linear", 32, 1]),
);
const data = { inputs: k.randn([4, 1, 6, 6]), targets: k.randn([4, 1]) };
await new k.Model(net, "mse", k.opt("sgd", net, 0.01)).fit(data, { distributed: true, epochs: 3, batchsize: 3 });
const counted = String(k.data(k.buffer(net, "norm.num_batches_tracked")).data);
await k.destroyProcessGroup();
console.log(JSON.stringify({ partial, counted }));
