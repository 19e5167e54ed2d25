// Checked by `tsc -b test` and never run: specifications of layers.

import {
  type LayerKind,
  type LayerSpecification,
  layers,
  Module,
  type ModuleSpecification,
  module,
  seq,
} from "@stepwell/sdk";
import { expectTypeOf } from "vitest";

// By position, by name, and the first by position; with a name, or without one.
module(["linear", 4, 3]);
module(["linear", "head", 4, 3, false]);
module(["linear", 4, 3, { bias: false }]);
module(["linear", 4, { outputs: 3 }]);
module(["linear", "head", { in_features: 4, out_features: 3 }]);
module(["conv2d", 1, 2, [3, 3], 1, { pad: [1, 1] }]);
module(["maxpool2d", 2, null, { pad: 1 }]);
module(["dropout"]);
module("dropout");
// @ts-expect-error no such kind
module(["liner", 4, 3]);
// @ts-expect-error the outputs are missing
module(["linear", 4]);
// @ts-expect-error the outputs are missing
module(["linear", 4, { bias: false }]);
// @ts-expect-error the inputs were given before
module(["linear", 4, { inputs: 4, outputs: 3 }]);
// @ts-expect-error a number
module(["linear", 4, "3"]);
// @ts-expect-error no such option
module(["linear", 4, 3, { bais: false }]);
// @ts-expect-error too many
module(["linear", "a", 4, 3, true, 5, 6, "x", { outs: 1 }]);
// @ts-expect-error its options have no defaults
module("linear");
// @ts-expect-error no such kind
module("relu7");
// @ts-expect-error relu has no options
module(["relu", 1]);
// @ts-expect-error no such kind
seq("sequential", "relu", ["dropot", 0.5]);
// @ts-expect-error no such kind
Module.of(seq("sequential", seq(["sequential", "inner"], "relu7")));

// Plain data keep their type.
const list: readonly LayerSpecification[] = ["relu", ["linear", 4, 3], layers.dropout(0.1)];
module(seq("sequential", ...list, ["linear", 3, 1]));
const width = 16 as number;
module(["linear", width, width]);
declare const either: ModuleSpecification;
module(either);
Module.of(either);
// @ts-expect-error no such kind
const wrong: LayerSpecification = ["liner", 4, 3];
expectTypeOf(wrong).toEqualTypeOf<LayerSpecification>();

// A function for each kind.
expectTypeOf<LayerKind | "fromJSON">().toEqualTypeOf<keyof typeof layers>();
layers.linear(4, 3);
layers.linear("head", 4, 3, { bias: false });
layers.linear("head", { inputs: 4, outputs: 3 });
layers.relu();
layers.relu("act");
expectTypeOf(layers.linear(4, 3)).toEqualTypeOf<LayerSpecification>();
// @ts-expect-error the outputs are missing
layers.linear(4);
// @ts-expect-error the outputs are missing
layers.linear("head", 4);
// @ts-expect-error no such option
layers.linear(4, 3, { bais: false });
// @ts-expect-error relu has no options
layers.relu(1);

// A specification that a program does not state.
declare const unknown: unknown;
declare const words: string[];
module(layers.fromJSON(unknown));
module(layers.fromJSON(words));
seq("sequential", layers.fromJSON(words), "relu");
// @ts-expect-error not known to be a specification
module(unknown);
// @ts-expect-error not known to be a specification
module(words);
