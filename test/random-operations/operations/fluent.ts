import * as k from "@stepwell/sdk";
import { operations } from "../functions.js";
import { hostileValue } from "../hostile.js";
import { InvariantViolation } from "../invariants.js";
import { dtypeOf, inputOf, moduleSpecification, nestedNumbers, optimizerNames } from "../values.js";
import { isHandle, type World } from "../world.js";
import type { Operation, Operations } from "./operation.js";

/** The classes of the fluent layer by name. */
export const classes = { Tensor: k.Tensor, Module: k.Module, Optimizer: k.Optimizer, Model: k.Model } as const;
export type ClassName = keyof typeof classes;

/** The members that an object of a class has; the name of a symbol is its description. */
export const membersOf = (name: ClassName): readonly string[] => {
  const own: object = classes[name].prototype;
  const shared: object = Object.getPrototypeOf(own);
  return (
    [own, ...(shared === Object.prototype ? [] : [shared])]
      .flatMap((prototype) => Reflect.ownKeys(prototype))
      .filter((key) => !(typeof key === "string" && operations.has(key)))
      .filter((key) => !String(key).endsWith("Async"))
      .filter((key) => key !== "constructor" && key !== Symbol.for("nodejs.util.inspect.custom"))
      // The SDK's own, which a caller does not have.
      .filter((key) => typeof key === "string" || key === Symbol.dispose)
      .map((key) => (key === Symbol.dispose ? "Symbol.dispose" : String(key)))
  );
};

/** Members that end the life of an object. */
const ending = ["Symbol.dispose", "dispose", "take", "use"];

type Held = { readonly handle: k.AnyHandle };

const isHeld = (value: unknown): value is Held => typeof value === "object" && value !== null && "handle" in value;

/** Uses a member of an object; a handle in what it returns is the world's from then on. */
function use<Result>(world: World, name: ClassName, member: string, run: () => Result): Result {
  const label = `${name}.${member}`;
  // The handle itself is one that the world has.
  if (member === "handle") return run();
  const result = world.attempt(label, run, { line: label });
  if (isHandle(result) && !world.shadow.lives(result)) world.adopt(label, result);
  if (isHeld(result) && isHandle(result.handle) && !world.shadow.lives(result.handle))
    world.adopt(label, result.handle);
  return result;
}

/** An object over a living handle. */
const tensorOf = (world: World) => {
  const entry = world.any("tensor");
  return entry && new k.Tensor(entry.handle as k.TensorHandle);
};
const moduleOf = (world: World) => {
  const entry = world.any("module");
  return entry && new k.Module(entry.handle as k.ModuleHandle);
};
const optimizerOf = (world: World) => {
  const entry = world.any("optimizer");
  return entry && new k.Optimizer(entry.handle as k.OptimizerHandle);
};

/** Frees the object of a handle by the end of a `using` block: once, and a second time it does nothing. */
function dispose(world: World, name: ClassName, object: Held & Disposable & { dispose(): void }): void {
  use(world, name, "Symbol.dispose", () => object[Symbol.dispose]());
  world.shadow.drop(object.handle);
  use(world, name, "dispose", () => object.dispose());
}

type Members = Readonly<Record<string, () => unknown>>;

/** Members of all classes of one handle. */
const sharedMembers = (world: World, object: k.Tensor | k.Module | k.Optimizer): Members => ({
  ...{ handle: () => object.handle, kind: () => object.kind, tensorCount: () => object.tensorCount },
  ...{ elements: () => object.elements, bytes: () => object.bytes, zeroGrad: () => object.zeroGrad() },
  ...{ noGrad: () => object.noGrad(), clip: () => object.clip(1), clipValue: () => object.clipValue(1) },
  ...{ toString: () => object.toString(), toJSON: () => world.random.chance(0.3) && object.toJSON() },
});

/** Makes a tensor stand for another one. */
function useAnother(tensor: k.Tensor): void {
  const other = k.tensor([1]);
  try {
    tensor.use(other);
  } catch (error) {
    k.free(other);
    throw error;
  }
}

export const fluentOperations = (_another: Operation): Operations => ({
  Tensor: (world) => {
    const { random } = world;
    const shape = random.pick([[], [2, 2]]);
    const make = () =>
      k.Tensor.of(
        nestedNumbers(shape, () => (random.chance(0.5) ? random.number() : 0.25)),
        dtypeOf(world),
        "grad",
      );
    const tensor = random.chance(0.5) ? tensorOf(world) : use(world, "Tensor", "of", make);
    if (!tensor) return;
    const lossNames: readonly k.ModelLossName[] = [
      ...(["ce", "nll", "mse", "l1", "smoothl1", "bce", "bcewithlogits", "huber", "kl", "poissonloss"] as const),
      ...(["hinge", "softmargin", "multimargin", "multisoft"] as const),
    ];
    type LossMethod = (this: k.Tensor, target: k.Tensor | readonly number[]) => k.Tensor;
    const target = random.chance(0.5) ? tensor : [0, 1];
    const members: Members = {
      ...sharedMembers(world, tensor),
      ...Object.fromEntries(lossNames.map((name) => [name, () => (tensor[name] as LossMethod).call(tensor, target)])),
      ...{ cosineloss: () => tensor.cosineloss(tensor, target), margin: () => tensor.margin(tensor, target) },
      ...{ multilabel: () => tensor.multilabel(nestedNumbers(tensor.shape, () => 0)) },
      ...{ triplet: () => tensor.triplet(tensor, [0, 1]), ctc: () => tensor.ctc([1], 2, 1) },
      ...{ shape: () => tensor.shape, dtype: () => tensor.dtype },
      requiresGrad: () => {
        tensor.requiresGrad = true;
        return tensor.requiresGrad;
      },
      ...{ copyTo: () => tensor.copyTo(tensor), use: () => useAnother(tensor) },
      ...{ device: () => tensor.device, values: () => tensor.values(), data: () => tensor.data() },
      ...{ grad: () => tensor.grad(), backward: () => tensor.backward(), to: () => tensor.to(dtypeOf(world)) },
    };
    for (const member of random.list(2, () => random.pick(Object.keys(members)))) {
      use(world, "Tensor", member, () => members[member]?.());
    }
    if (random.chance(0.1)) {
      use(world, "Tensor", "take", () => tensor.take());
      world.shadow.drop(tensor.handle);
    } else if (random.chance(0.3)) dispose(world, "Tensor", tensor);
  },
  Module: (world) => {
    const { random } = world;
    const make = () => k.Module.of(moduleSpecification(random));
    const module = random.chance(0.5) ? moduleOf(world) : use(world, "Module", "of", make);
    if (!module) return;
    const [names, parameters] = [use(world, "Module", "names", () => module.names()), module.parameters];
    const file = `module-${random.int(3)}.safetensors`;
    const members: Members = {
      ...sharedMembers(world, module),
      ...{ parameters: () => module.parameters, state: () => module.state() },
      ...{ type: () => module.type, size: () => module.size, childNames: () => module.childNames() },
      ...{ parameterDictionary: () => module.parameterDictionary(), step: () => module.step() },
      requiresGrad: () => {
        module.requiresGrad = true;
        return module.requiresGrad;
      },
      ...{ child: () => module.child(random.pick([...names, "none"])), to: () => module.to(dtypeOf(world)) },
      ...{ parameter: () => module.parameter(random.pick([...parameters, "none"])) },
      ...{ forward: () => module.forward(inputOf(world)), evaluate: () => module.evaluate(inputOf(world)) },
      ...{ save: () => module.save(file), load: () => module.load(file) },
      ...{ freeze: () => module.freeze(), unfreeze: () => module.unfreeze(), clone: () => module.clone() },
      ...{ copyParameters: () => module.copyParameters(module) },
    };
    for (const member of random.list(2, () => random.pick(Object.keys(members)))) {
      use(world, "Module", member, () => members[member]?.());
    }
    if (parameters.length > 0 && random.chance(0.1)) {
      world.call("opt", "sgd", module.handle, 0.01);
      use(world, "Module", "step", () => module.step());
    }
    if (random.chance(0.3)) dispose(world, "Module", module);
  },
  Optimizer: (world) => {
    const { random } = world;
    const optimizer = optimizerOf(world);
    const tensor = tensorOf(world);
    if (!optimizer || !tensor) return;
    const members: Members = {
      ...sharedMembers(world, optimizer),
      ...{ state: () => optimizer.state(), definition: () => optimizer.definition() },
      ...{ type: () => optimizer.type, size: () => optimizer.size, module: () => optimizer.module() },
      addParameters: () => void optimizer.addParameters(0, [], { lr: 0.02 }),
      schedule: () => {
        optimizer.schedule = random.pick([k.schedules.cosine({ steps: 4 }), null, undefined]);
        return optimizer.schedule;
      },
      lr: () => {
        optimizer.lr = 0.05;
        return optimizer.lr;
      },
      lossScale: () => {
        optimizer.lossScale = random.pick([{ init: 4 }, null, undefined]);
        return optimizer.lossScale;
      },
      step: () => (random.chance(0.5) ? optimizer.step() : optimizer.step(() => random.number(), { zerograd: true })),
      backward: () => optimizer.backward(tensor),
      ...{ average: () => optimizer.average(), advance: () => optimizer.advance(random.number()) },
    };
    for (const member of random.list(2, () => random.pick(Object.keys(members)))) {
      use(world, "Optimizer", member, () => members[member]?.());
    }
    if (random.chance(0.2)) dispose(world, "Optimizer", optimizer);
  },
  builder: (world) => {
    const { random } = world;
    const [module, tensor] = [moduleOf(world), tensorOf(world)];
    const name = random.pick(optimizerNames);
    const build = () => {
      let builder = world.call<k.OptimizerBuilder<k.OptimizerName>>("optimizer", name).lr(0.01);
      if (random.chance(0.3)) builder = builder.group(random.pick(["a", /weight/]), (group) => group.lr(0.1));
      if (random.chance(0.3)) builder = builder.schedule(k.schedules.cosine({ steps: 4 }));
      if (random.chance(0.2)) builder = k.optimizer.fromJSON(JSON.parse(JSON.stringify(builder)));
      return builder.build((random.chance(0.6) ? module : tensor) ?? []);
    };
    const optimizer = use(world, "Optimizer", "build", build);
    if (random.chance(0.5))
      use(world, "Optimizer", "restore", () => {
        const state = optimizer.state();
        const container = k.module(optimizer.handle);
        world.adopt("module", container);
        return k.Optimizer.restore(state, container);
      });
  },
  Model: (world) => {
    const { random } = world;
    const [module, optimizer] = [moduleOf(world), optimizerOf(world)];
    if (!module || !optimizer) return;
    const model = use(world, "Model", "new", () => new k.Model(module, random.pick(["mse", "ce"]), optimizer));
    const inputs = nestedNumbers([3, 2], () => random.number());
    const data = { inputs, targets: random.pick([inputs, [0, 1, 1]]) };
    use(world, "Model", "measure", () => model.measure(data, { batchSize: 2 }));
    use(world, "Model", "toString", () => model.toString());
    if (random.chance(0.2)) use(world, "Model", "toJSON", () => model.toJSON());
    if (random.chance(0.1)) {
      use(world, "Model", "Symbol.dispose", () => model[Symbol.dispose]());
      use(world, "Model", "dispose", () => model.dispose());
      // A model may have a handle of its own.
      for (const object of [module, optimizer, model]) if (isHeld(object)) world.shadow.drop(object.handle);
    }
  },
  "fluent misuse": (world) => {
    const { random } = world;
    const objects = [tensorOf(world), moduleOf(world), optimizerOf(world)].filter((object) => object !== undefined);
    if (objects.length === 0) return;
    const object = random.pick(objects) as unknown as Record<string, unknown>;
    const name = (Object.keys(classes) as ClassName[]).find((key) => object instanceof classes[key]) ?? "Tensor";
    const member = random.pick(membersOf(name).filter((key) => !ending.includes(key)));
    const given = random.list(random.int(4), () => hostileValue(world));
    world.isTainted = true;
    use(world, name, member, () => {
      const value = object[member];
      return typeof value === "function" ? value.apply(object, given) : value;
    });
    if (member === "handle" && object.handle === undefined) throw new InvariantViolation(member, "no handle", "");
  },
});
