// Trains until the group fails, prints the error, and stays. So no other process fails because this one has ended. The last process says that it trains.

import * as k from "@stepwell/sdk";

const { timeout } = JSON.parse(process.argv[2] ?? "{}") as { timeout: number };
const { rank, size } = await k.initProcessGroup({ timeout });
// Messages of some megabytes: most have come in part when a process ends.
const layers = Array.from({ length: 2 }, () => ["linear", 2048, 2048] as const);
const net = k.module(k.seq("sequential", ...layers));
const model = k.model(net, k.loss("mse"), k.opt("sgd", net, 1e-3));
await k.distributed(model);
k.train(model, { batchsize: 8 });
k.train(model, k.full([8, 2048], 0.1), k.full([8, 2048], 0.1));
if (rank === size - 1) console.log("trains");
for (;;) {
  try {
    k.batch(model);
  } catch (error) {
    const { code, message } = error as k.StepwellError;
    console.log(JSON.stringify({ code, message }));
    break;
  }
}
setInterval(() => {}, 1000);
