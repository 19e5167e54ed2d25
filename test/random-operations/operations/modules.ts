import * as k from "@stepwell/sdk";
import { InvariantViolation } from "../invariants.js";
import { dtypeOf, inputOf, lossNames, moduleSpecification, nestedNumbers } from "../values.js";
import type { Operations } from "./operation.js";

export const moduleOperations: Operations = {
  module: (world) => {
    const module = world.call("module", moduleSpecification(world.random));
    if (world.random.chance(0.2)) world.call("to", module, dtypeOf(world));
  },
  parts: (world) => {
    const { random } = world;
    const module = world.any("module", "model")?.handle;
    if (!module) return;
    const names = world.call<readonly string[]>("parmnames", module);
    const children = world.call<readonly string[]>(random.pick(["names", "childnames"]), module);
    if (names.length > 0) world.call("parm", module, random.pick(names));
    if (children.length > 0) world.call("child", module, random.pick(children));
    if (random.chance(0.3)) world.call("parms", module);
  },
  "parts of modules": (world) => {
    const module = world.any("module")?.handle;
    if (!module) return;
    for (const name of ["moduletypes", "parmtypes", "buffernames"]) world.call(name, module);
    const [buffer] = k.buffernames(module as k.ModuleHandle);
    const made = [
      ...world.call<readonly k.AnyHandle[]>(world.random.pick(["children", "modules"]), module),
      world.call<k.AnyHandle>("buffers", module),
      ...(buffer === undefined ? [] : [world.call<k.AnyHandle>("buffer", module, buffer)]),
    ];
    world.call("free", ...made);
  },
  forward: (world) => {
    const module = world.any("module", "model");
    if (module) world.call(world.random.pick(["forward", "evaluate"]), module.handle, inputOf(world));
  },
  "function with a backward": (world) => {
    const tensor = world.any("tensor");
    const f = world.call<k.GradientFunction>(
      "gradient",
      (x: k.TensorHandle) => k.mul(x, 2),
      (g: k.TensorHandle) => g,
    );
    if (tensor && world.random.chance(0.7)) k.free(k.scoped(() => f(k.detach(tensor.handle as k.TensorHandle))));
  },
  "module of a function": (world) => {
    const { random } = world;
    const makers: readonly ((x: k.TensorHandle) => k.TensorHandle)[] = [
      (x) => x,
      (x) => k.mul(x, 2),
      (x) => k.forward(k.module(["linear", 2, 2]), x),
    ];
    const module = world.call<k.ModuleHandle>("callback", random.pick(makers));
    if (random.chance(0.7)) world.call(random.pick(["forward", "evaluate"]), module, inputOf(world));
    if (random.chance(0.3)) world.call("module", k.seq("sequential", module, "relu"));
  },
  loss: (world) => {
    const { random } = world;
    const [input, other] = [world.any("tensor"), world.any("tensor")];
    if (!input || !other) return;
    const number = random.pick([() => random.number(), () => random.int(2), () => random.next()]);
    const target = random.chance(0.4) ? other.handle : nestedNumbers(k.size(input.handle as k.TensorHandle), number);
    const options = random.chance(0.3) ? [{ reduce: random.pick(["sum", "none", "mean"]) }] : [];
    world.call(random.pick(lossNames), input.handle, target, ...options);
  },
  "loss of classes": (world) => {
    const { random } = world;
    const [rows, columns] = [1 + random.int(3), 1 + random.int(3)];
    const input = world.call(
      "tensor",
      nestedNumbers([rows, columns], () => random.number()),
      "grad",
    );
    const classes = random.list(rows, () => random.int(columns));
    const loss = world.call<k.TensorHandle>(random.pick(["ce", "nll"]), input, classes);
    if (random.chance(0.7)) world.call("backward", loss);
    if (random.chance(0.7)) world.call("free", input, loss);
  },
  "loss that fits": (world) => {
    const { random } = world;
    const numbers = [
      [0.25, -1],
      [0.5, 2],
    ];
    const signs = [1, -1];
    const calls: readonly (readonly [name: string, ...more: readonly unknown[]])[] = [
      ...["huber", "kl", "poissonloss", "hinge", "softmargin", "multisoft"].map((name) => [name, numbers] as const),
      ["multilabel", [signs.map(() => 0), [1, -1]]],
      ["multimargin", [0, 1]],
      ["cosineloss", numbers, signs],
      ["margin", numbers, signs],
      ["triplet", numbers, [signs, signs]],
      ["ctc", [1], 2, 1],
    ];
    const [name, ...more] = random.pick(calls);
    const input = world.call<k.TensorHandle>("tensor", numbers, "grad");
    const loss = world.call<k.TensorHandle>(name, input, ...more);
    if (random.chance(0.7)) world.call("backward", loss);
    if (random.chance(0.7)) world.call("free", input, loss);
  },
  "loss of probabilities": (world) => {
    const { random } = world;
    const [numbers, targets] = [0, 1].map(() => random.list(3, () => random.next()));
    world.call("bce", world.call("tensor", numbers, "grad"), targets);
  },
  "loss to keep": (world) => {
    const { random } = world;
    const kept = world.any("loss", "model");
    const [input, target] = [world.any("tensor"), world.any("tensor")];
    if (kept && input && target && random.chance(0.7)) world.call("loss", kept.handle, input.handle, target.handle);
    else if (kept?.kind === "model") world.call("loss", kept.handle);
    else world.call("loss", random.pick(lossNames), ...(random.chance(0.2) ? [{ reduce: "sum" }] : []));
  },
  "module copied": (world) => {
    const module = world.any("module", "model");
    if (!module) return;
    const copy = world.call<k.ModuleHandle>("clone", module.handle);
    world.call("copyparms", ...(world.random.chance(0.5) ? [module.handle, copy] : [copy, module.handle]));
    if (world.random.chance(0.7)) world.call("free", copy);
  },
  "parameters frozen": (world) => {
    const module = world.any("module")?.handle as k.ModuleHandle | undefined;
    if (!module) return;
    const named = world.random.chance(0.5) ? [k.parmnames(module).slice(0, 1)] : [];
    world.call("freeze", module, ...named);
    if (world.random.chance(0.8)) world.call("unfreeze", module, ...named);
  },
  "module again": (world) => {
    const module = world.any("module");
    if (!module) return;
    const state = world.call<k.ModuleState>("state", module.handle);
    const again = world.call<k.ModuleHandle>("module", state);
    const [wanted, given] = [k.parmnames(module.handle as k.ModuleHandle), k.parmnames(again)];
    if (String(wanted) !== String(given))
      throw new InvariantViolation("module", "other names after a restore", String(given));
  },
  file: (world) => {
    const [from, to] = [world.any("module"), world.any("module")];
    if (!from || !to) return;
    const name = `module-${world.random.int(3)}.safetensors`;
    if (world.random.chance(0.6)) world.call("save", from.handle, name);
    world.call("load", to.handle, name);
    world.call("inspect", name);
    const bytes = world.call<Uint8Array>("serialize", { from: from.handle });
    if (bytes) world.call("deserialize", bytes, { from: to.handle }, { generator: world.random.chance(0.5) });
  },
};
