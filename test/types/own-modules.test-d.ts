// Types of classes that extend `Module`: inputs of their forward passes.

import { Module, Tensor } from "@stepwell/sdk";
import { expectTypeOf } from "vitest";

class Masked extends Module {
  override forward(x: Tensor, mask?: Tensor): Tensor {
    return mask === undefined ? x : x.mul(mask);
  }
}

class Split extends Module<readonly [Tensor, Tensor]> {
  override forward(x: Tensor, y: Tensor, mask?: Tensor): readonly [Tensor, Tensor] {
    return [x, mask ?? y];
  }
}

const [masked, x] = [new Masked(), Tensor.of([1])];
expectTypeOf(masked.forward(x)).toEqualTypeOf<Tensor>();
expectTypeOf(masked.forward(x, undefined)).toEqualTypeOf<Tensor>();
expectTypeOf(masked.forward(x, x)).toEqualTypeOf<Tensor>();
expectTypeOf(masked.evaluate([1], undefined)).toEqualTypeOf<Tensor>();
expectTypeOf(new Split().forward(x, x)).toEqualTypeOf<readonly [Tensor, Tensor]>();
// @ts-expect-error a first input is needed
masked.forward();
// @ts-expect-error the first input is needed
masked.evaluate(undefined);
// @ts-expect-error a mask is a tensor
masked.forward(x, "mask");

class Numbers extends Module {
  // @ts-expect-error an input is a tensor
  override forward(name: string): Tensor {
    return Tensor.of(name.length);
  }
}
new Numbers();
