// The timed cases, section by section. The report has the same order.

import { type Case, race, stepping, threads, training } from "./cases.js";
import {
  type Contender,
  contenders,
  demonstration,
  inRust,
  jax,
  library,
  libtorchAlone,
  loops,
  offloaded,
  ourRust,
  ourWasm,
  plain,
  sdkImport,
  stepwell,
  tch,
  tfjs,
  torchEager,
  torchForeach,
  torchFused,
  torchLoop,
} from "./contenders.js";
import { bert, demo, huge, type Model, medium, resnet50, small, square, tiny } from "./models.js";
import { adam, fusedInPyTorch, lamb, optimizers } from "./optimizers.js";

export interface Section {
  readonly name: string;
  readonly title: string;
  readonly cases: (quick: boolean) => readonly Case[];
}

const rivals = [stepwell, torchFused];

/**
 * Adam on every model with all contenders. Models with much overhead besides the arithmetic have only contenders with a fused
 * kernel.
 */
function steps(quick: boolean): Case[] {
  const models = quick ? [demo, tiny, medium] : [demo, tiny, small, medium, resnet50, bert];
  const rest = optimizers.filter(({ name }) => name !== "adam" && fusedInPyTorch.includes(name));
  return threads.flatMap((count) => [
    ...models.map((model) => race("step", model, adam, count, { seconds: quick ? 2 : 5 })),
    ...(quick ? [] : rest.map((optimizer) => race("step", tiny, optimizer, count, { by: rivals, seconds: 2 }))),
  ]);
}

/** LAMB, Adam, and LAMB in tensor operations. */
function lambs(quick: boolean): Case[] {
  return (quick ? [1] : threads).map((count) => ({
    id: `lamb/${bert.name}/${count}`,
    threads: count,
    entrants: [
      stepping(stepwell, bert, lamb, "Stepwell LAMB"),
      { ...stepping(stepwell, bert, adam, "Stepwell Adam"), same: false },
      stepping(torchLoop, bert, lamb, "LAMB in PyTorch's operations"),
      ...(count === 1
        ? [stepping(loops, bert, lamb, "LAMB by hand"), { ...stepping(loops, bert, adam, "Adam by hand"), same: false }]
        : []),
    ],
    yardstick: true,
    seconds: quick ? 3 : 8,
    turn: 60,
  }));
}

/** Every optimizer on one tensor that no cache holds. Adam by everybody. */
function large(quick: boolean): Case[] {
  const few = [stepwell, torchFused];
  const all = [stepwell, library, torchLoop, torchForeach, torchFused, tch];
  const timed = quick ? optimizers.filter(({ name }) => ["adam", "sgd"].includes(name)) : optimizers;
  return threads.flatMap((count) =>
    timed.map((optimizer) => {
      const hand = count === 1 && !quick && [adam, lamb].includes(optimizer) ? [loops] : [];
      const by = [...(optimizer === adam && !quick ? all : few), ...hand];
      return race("large", huge, optimizer, count, { by, seconds: quick ? 3 : 5, turn: 100 });
    }),
  );
}

/** Adam on one tensor of many sizes, some of them powers of two, which caches like least. */
function spacing(quick: boolean): Case[] {
  const page = 4096;
  const sizes: readonly (readonly [string, number])[] = [
    ["2^26", 2 ** 26],
    ["2^26 + 4096", 2 ** 26 + page],
    ["2^27", 2 ** 27],
    ["2^27 + 64", 2 ** 27 + 64],
    ["2^27 + 2^26", 2 ** 27 + 2 ** 26],
    ["2^28", 2 ** 28],
    ["2^28 + 4096", 2 ** 28 + page],
  ];
  const model = (bytes: number): Model => ({ name: "", shapes: [[bytes / 4]] });
  return (quick ? [1] : threads).map((count) => ({
    id: `spacing/adam/${count}`,
    threads: count,
    entrants: sizes.map(([label, bytes]) => ({
      ...stepping(stepwell, model(bytes), adam, `${label} bytes`),
      same: false,
    })),
    yardstick: true,
    seconds: quick ? 4 : 10,
    turn: 80,
  }));
}

/** Nested arrays of numbers into a tensor and back, compared with plain double loops over a typed array. */
function conversions(quick: boolean): Case[] {
  const cases = (["tensor", "lists"] as const).flatMap((to) =>
    [[2000, 784] as const, ...(quick ? [] : [[100_000, 16] as const])].map((shape) => ({ to, shape })),
  );
  return cases.map(({ to, shape }) => ({
    id: `arrays/${shape.join("x")} to ${to === "tensor" ? "a tensor" : "nested arrays"}/1`,
    threads: 1,
    entrants: [plain, stepwell, ourWasm, tfjs].map((contender) => {
      const request = { do: "convert", to, shape } as const;
      return { label: contender.name, contender, request, bytes: 0, same: true };
    }),
    yardstick: false,
    seconds: quick ? 2 : 5,
    turn: 40,
  }));
}

/** Adam with `offload: true`, whose copies stay in host memory here: many small tensors, and 16 that no cache holds. */
function offloads(quick: boolean): Case[] {
  return (quick ? [1] : threads).flatMap((count) =>
    [tiny, medium].map((model) =>
      race("offload", model, adam, count, { by: [stepwell, offloaded], seconds: quick ? 2 : 5 }),
    ),
  );
}

/** The cost of a call from JavaScript. */
function calls(quick: boolean): Case[] {
  const one: Model = { name: "1x1", shapes: [[1]] };
  const call = { label: "handlecount()", contender: stepwell, request: { do: "call" }, bytes: 0, same: false } as const;
  return [one, tiny].map((model) => ({
    id: `call/${model.name} adam/1`,
    threads: 1,
    entrants: [stepping(inRust, model, adam), stepping(stepwell, model, adam), ...(model === one ? [call] : [])],
    yardstick: false,
    difference: true,
    seconds: quick ? 2 : 5,
    turn: 20,
  }));
}

/** Steps of a training from beginning to end, and Adam alone, in JavaScript's libraries. */
function trainings(quick: boolean): Case[] {
  const trainers = [...contenders, ourRust].filter(
    ({ refuses }) => !refuses?.({ do: "train", implementation: "", batch: 256 }),
  );
  return [
    ...threads.map((count) => ({
      id: `training/784-256-10, batch 256/${count}`,
      threads: count,
      entrants: trainers.map((contender) => training(contender, 256)),
      yardstick: false,
      seconds: quick ? 4 : 8,
      turn: 60,
    })),
    race("training", square, adam, 1, { seconds: quick ? 2 : 5 }),
    ...threads.map((count) => ({
      id: `training/the demo: digits, LAMB, batch 128/${count}`,
      threads: count,
      entrants: [
        { label: "Stepwell", contender: demonstration, request: { do: "demo" }, bytes: 0, same: false } as const,
      ],
      yardstick: false,
      seconds: quick ? 2 : 4,
      turn: 100,
    })),
  ];
}

/** A chain of 200 operations on 16 elements, without and with a graph for gradients. */
function operations(quick: boolean): Case[] {
  return [false, true].map((gradient) => ({
    id: `operations/200 of 16 elements${gradient ? ", recorded" : ""}/1`,
    threads: 1,
    entrants: [stepwell, torchEager, ourRust, ourWasm].map((contender) => ({
      label: contender.name,
      contender,
      request: { do: "operations", gradient } as const,
      bytes: 0,
      same: true,
    })),
    yardstick: false,
    seconds: quick ? 2 : 5,
    turn: 60,
  }));
}

/** Steps of the training of examples/gpt, and the same in WebAssembly. */
function characterModels(quick: boolean): Case[] {
  const race = (where: string, batch: number, by: readonly Contender[], count: number): Case => ({
    id: `gpt/${where}, batch ${batch}/${count}`,
    threads: count,
    entrants: by.map((contender) => ({
      label: contender.name,
      contender,
      request: { do: "gpt", batch } as const,
      bytes: 0,
      same: true,
    })),
    yardstick: false,
    seconds: quick ? 4 : 12,
    turn: 100,
  });
  return [
    ...(quick ? [1] : threads).map((count) => race("native", 16, [stepwell, torchEager, ourRust], count)),
    race("wasm", 8, [ourWasm, jax, tfjs], 1),
  ];
}

/** The import of Stepwell, and of that the load of libtorch. */
function imports(): Case[] {
  const entrants = [libtorchAlone, sdkImport].map((contender) => ({
    label: contender.name,
    contender,
    request: { do: "call" } as const,
    bytes: 0,
    same: false,
  }));
  return [{ id: "import/native/1", threads: 1, entrants, yardstick: false, seconds: 0, turn: 0, starts: true }];
}

/** A training and Adam alone, where everybody computes in WebAssembly. */
function webAssembly(quick: boolean): Case[] {
  const by = [ourWasm, jax, tfjs];
  return [
    {
      id: "wasm/784-256-10, batch 256/1",
      threads: 1,
      entrants: by.map((contender) => training(contender, 256)),
      yardstick: false,
      seconds: quick ? 4 : 12,
      turn: 60,
    },
    race("wasm", square, adam, 1, { by, seconds: quick ? 2 : 8 }),
  ];
}

/** The most memory that the steps of everybody's Adam take, each alone. */
function memory(): Case[] {
  const by = [stepwell, library, torchLoop, torchForeach, torchFused, tch, plain];
  const one = race("memory", resnet50, adam, 1, { by });
  return process.platform === "linux" ? [{ ...one, memory: true }] : [];
}

export const sections: readonly Section[] = [
  { name: "step", title: "A step of Adam", cases: steps },
  { name: "large", title: "One tensor of 64 million", cases: large },
  { name: "lamb", title: "LAMB on BERT-base", cases: lambs },
  { name: "spacing", title: "Sizes that are powers of two", cases: spacing },
  { name: "offload", title: "Steps on copies, offload: true", cases: offloads },
  { name: "call", title: "The call from JavaScript", cases: calls },
  { name: "operations", title: "Operations on small tensors", cases: operations },
  { name: "import", title: "The import", cases: imports },
  { name: "arrays", title: "Nested arrays", cases: conversions },
  { name: "training", title: "Training in JavaScript", cases: trainings },
  { name: "wasm", title: "WebAssembly in Node", cases: webAssembly },
  { name: "gpt", title: "A transformer", cases: characterModels },
  { name: "memory", title: "Peak memory of steps", cases: memory },
];
