// The nets of record_own_modules.py, as containers and as own modules.

import * as k from "@stepwell/sdk";
import { Module, Tensor } from "@stepwell/sdk";

/** A tensor of zeros that is trained. */
function parameter(...shape: readonly number[]): Tensor {
  const made = new Tensor(k.zeros(shape));
  made.requiresGrad = true;
  return made;
}

class Block extends Module {
  readonly inner: Module;
  readonly scale: Tensor;
  constructor(width: number) {
    super();
    this.inner = Module.of(k.seq("sequential", ["linear", width, 2 * width], "tanh", ["linear", 2 * width, width]));
    this.scale = parameter(width);
  }
  override forward(x: Tensor): Tensor {
    return x.add(this.inner.forward(x).mul(this.scale));
  }
}

class Mixture extends Module {
  declare readonly shift: Tensor;
  readonly blocks = [new Block(4), new Block(4)];
  readonly heads = { left: Module.of(["linear", 4, 2]), right: Module.of(["linear", 4, 2]) };
  readonly weights = [parameter(2), parameter(2)] as const;
  constructor() {
    super();
    this.registerBuffer("shift", new Tensor(k.zeros([4])));
  }
  override forward(x: Tensor): Tensor {
    let y = x.add(this.shift);
    for (const block of this.blocks) y = block.forward(y);
    const left = this.heads.left.forward(y).mul(this.weights[0]);
    return left.add(this.heads.right.forward(y).mul(this.weights[1]));
  }
}

class Attention extends Module {
  readonly qkv: Module;
  readonly out: Module;
  constructor(readonly width: number) {
    super();
    this.qkv = Module.of(["linear", width, 3 * width]);
    this.out = Module.of(["linear", width, width]);
  }
  override forward(x: Tensor): Tensor {
    const length = x.shape[1] as number;
    const all = this.qkv.forward(x);
    const part = (i: number) => all.narrow(2, i * this.width, this.width);
    const scores = part(0).matmul(part(1).transpose(1, 2)).div(Math.sqrt(this.width));
    const masked = new Tensor(k.where(k.gt(k.tril(k.ones([length, length])), 0), scores, -1e9));
    return this.out.forward(masked.softmax(2).matmul(part(2)));
  }
}

class Transformer extends Module {
  readonly position: Tensor;
  readonly embed: Module;
  readonly norm: Module;
  readonly attention: Attention;
  readonly block: Block;
  constructor(words: number, width: number, length: number) {
    super();
    this.position = parameter(length, width);
    this.embed = Module.of(["embedding", words, width]);
    this.norm = Module.of(["layernorm", width]);
    this.attention = new Attention(width);
    this.block = new Block(width);
  }
  override forward(x: Tensor): Tensor {
    const embedded = this.embed.forward(x).add(this.position);
    const attended = embedded.add(this.attention.forward(this.norm.forward(embedded)));
    return this.block.forward(attended).matmul(this.embed.parameter("weight").transpose(0, 1));
  }
}

class Tied extends Module {
  readonly w = parameter(3, 3);
  readonly v = this.w;
  readonly first = Module.of(["linear", 3, 3]);
  readonly second = this.first;
  override forward(x: Tensor): Tensor {
    return this.second.forward(this.first.forward(x.matmul(this.w)).tanh()).matmul(this.v.transpose(0, 1));
  }
}

class Two extends Module<readonly [Tensor, Tensor]> {
  readonly a = Module.of(["linear", 3, 2]);
  readonly b = Module.of(["linear", 2, 2]);
  override forward(x: Tensor, y: Tensor): readonly [Tensor, Tensor] {
    const z = this.a.forward(x).mul(this.b.forward(y));
    return [z, z.sigmoid()];
  }
}

const block = (width: number, outputs: number) =>
  k.seq("sequential", ["linear", width, 5], "tanh", k.seq("fork", ["linear", 5, width], ["linear", 5, outputs]));

/** The nets by their names. */
export const nets: Readonly<Record<string, () => k.AnyModule>> = {
  residual: () => k.module(k.seq("residual", k.seq("sequential", ["linear", 4, 4], "tanh"))),
  "residual of two": () =>
    k.module(
      k.seq("residual", k.seq("sequential", ["linear", 4, 3], "relu"), k.seq("sequential", ["linear", 4, 3]), "tanh"),
    ),
  seqjoin: () =>
    k.module(
      k.seq("seqjoin", k.seq("sequential", ["linear", 3, 4], "relu"), k.seq("sequential", ["linear", 2, 3]), [
        "cat",
        1,
      ]),
    ),
  seqlist: () =>
    k.module(
      k.seq(
        "seqlist",
        k.seq("sequential", ["cat", 1], ["linear", 5, 4], "tanh"),
        k.seq("sequential", ["linear", 4, 2]),
      ),
    ),
  nbeats: () => k.module(k.seq("nbeats", k.seq("modulelist", block(6, 2), block(6, 2)), block(6, 2))),
  mixture: () => new Mixture(),
  transformer: () => new Transformer(7, 8, 5),
  tied: () => new Tied(),
  two: () => new Two(),
};
