// Matrix factorization: a rating is the product of two embeddings, with an offset of each, trained by Adagrad.

import { free, Module, normal, opt, randperm, scoped, seed, step, Tensor } from "@stepwell/sdk";
import { meanOf } from "./baselines.js";
import { inRange, type Ratings, type SplitRatings } from "./ratings.js";

/** How the model trains. */
export interface Training {
  readonly width: number;
  readonly epochs: number;
  readonly batch: number;
  readonly lr: number;
  /** Weight of the squared length of the embeddings of a rating in its loss. */
  readonly penalty: number;
  readonly seed: number;
}

/** The training of the example. */
export const training: Training = { width: 8, epochs: 10, batch: 512, lr: 0.1, penalty: 0.04, seed: 1 };

/** An embedding of a width, whose first weights are normal with a small deviation. */
function embedding(rows: number, width: number): Module {
  const made = Module.of(["embedding", rows, width]);
  scoped(() => void normal(made.parameter("weight"), 0, 0.1));
  return made;
}

/** Embeddings of users and items. */
export class Factors extends Module<readonly [Tensor, Tensor]> {
  readonly user: Module;
  readonly item: Module;
  readonly userOffset: Module;
  readonly itemOffset: Module;

  constructor(
    users: number,
    items: number,
    width: number,
    readonly mean: number,
  ) {
    super();
    this.user = embedding(users, width);
    this.item = embedding(items, width);
    this.userOffset = embedding(users, 1);
    this.itemOffset = embedding(items, 1);
  }

  /** Stars `[n]` that users `[n]` give to items `[n]`, and the squared length of the embeddings that took part. */
  override forward(users: Tensor, items: Tensor): readonly [Tensor, Tensor] {
    const parts = [
      this.user.forward(users),
      this.item.forward(items),
      this.userOffset.forward(users),
      this.itemOffset.forward(items),
    ] as const;
    const [user, item, userOffset, itemOffset] = parts;
    const stars = user.mul(item).sum(1).add(userOffset.squeeze(1)).add(itemOffset.squeeze(1)).add(this.mean);
    const lengths = parts.map((part) => part.square().sum(1)) as [Tensor, Tensor, Tensor, Tensor];
    return [stars, lengths.reduce((sum, length) => sum.add(length))];
  }
}

const indices = (list: readonly number[]) => Tensor.of(list, "long");

/** The predictions of a model, each in the range of stars. */
export function predict(model: Factors, { users, items }: Ratings): number[] {
  return scoped(() => (model.evaluate(indices(users), indices(items))[0].values() as number[]).map(inRange));
}

/** Trains a model, and calls `report` after each epoch. The model is the caller's. */
export function train(
  data: SplitRatings,
  { width, epochs, batch, lr, penalty, seed: number }: Training,
  report?: (epoch: number, model: Factors) => void,
): Factors {
  seed(number);
  const { users, items, stars } = data.training;
  const model = new Factors(data.users, data.items, width, meanOf(data.training));
  const o = opt("adagrad", model, { lr });
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const order = [...randperm(stars.length)];
    for (let at = 0; at < order.length; at += batch) {
      const rows = order.slice(at, at + batch);
      const pick = (list: readonly number[]) => rows.map((row) => list[row] as number);
      scoped(() => {
        const [predicted, length] = model.forward(indices(pick(users)), indices(pick(items)));
        const error = predicted.sub(pick(stars)).square();
        error.add(length.mul(penalty)).mean().backward();
        step(o, { zerograd: true });
      });
    }
    report?.(epoch, model);
  }
  free(o);
  return model;
}
