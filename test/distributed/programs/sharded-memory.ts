// The bytes of a sharded state on each process, for parameters of one size.

import * as k from "@stepwell/sdk";

await k.initProcessGroup();
const sizes = Array.from({ length: 12 }, () => ["linear", 200, 100] as const);
const net = k.module(k.seq("sequential", ...sizes.flatMap((layer) => [layer, ["linear", 100, 200] as const])));
const steps = async (options: k.DistributedOptions) => {
  const o = k.opt("lamb", net);
  await k.distributed(o, options);
  k.backward(k.sum(k.forward(net, k.full([2, 200], 0.1))));
  await k.stepAsync(o, { zerograd: true });
  return k.bytes(o);
};
const whole = await steps({});
const part = k.tensor([await steps({ sharded: true })], "double");
const parts = Array.from(k.data(await k.allGather(part), "double").data);
await k.destroyProcessGroup();
console.log(JSON.stringify({ parts, whole }));
