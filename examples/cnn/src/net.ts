// A small residual net, as modules of its own.

import { Module, seq, type Tensor } from "@stepwell/sdk";

/** `relu(x + f(x))`, with two convolutions in `f`. A block that halves the image adds a convolution of `x` instead. */
export class Block extends Module {
  readonly body: Module;
  readonly shortcut: Module | undefined;

  constructor(inputs: number, outputs: number, stride: 1 | 2) {
    super();
    this.body = Module.of(
      seq(
        "sequential",
        ["conv2d", inputs, outputs, 3, { stride, pad: 1, bias: false }],
        ["batchnorm2d", outputs],
        "relu",
        ["conv2d", outputs, outputs, 3, { pad: 1, bias: false }],
        ["batchnorm2d", outputs],
      ),
    );
    this.shortcut =
      stride === 1
        ? undefined
        : Module.of(
            seq("sequential", ["conv2d", inputs, outputs, 1, { stride, bias: false }], ["batchnorm2d", outputs]),
          );
  }

  override forward(x: Tensor): Tensor {
    return this.body
      .forward(x)
      .add(this.shortcut?.forward(x) ?? x)
      .relu();
  }
}

/** Logits `[n, 10]` of images `[n, 1, 28, 28]`. */
export class ResidualNet extends Module {
  readonly stem = Module.of(
    seq("sequential", ["conv2d", 1, 16, 3, { pad: 1, bias: false }], ["batchnorm2d", 16], "relu", ["maxpool2d", 2]),
  );
  readonly blocks = [new Block(16, 16, 1), new Block(16, 32, 2), new Block(32, 32, 1)];
  readonly head = Module.of(["linear", 32, 10]);

  override forward(x: Tensor): Tensor {
    const features = this.blocks.reduce((y, block) => block.forward(y), this.stem.forward(x));
    return this.head.forward(features.mean([2, 3]));
  }
}
