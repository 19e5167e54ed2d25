import { meanOf, offsetsOf } from "@stepwell/example-recommender/baselines";
import { predict, train, training } from "@stepwell/example-recommender/factors";
import { plan, ratingsOf, rmse } from "@stepwell/example-recommender/ratings";
import { handlecount, scoped } from "@stepwell/sdk";
import { expect, it } from "vitest";

const data = ratingsOf({ ...plan, users: 300, items: 150, ratings: 15_000 });
const { test } = data;

it("embeddings beat the offsets of users and items after five epochs", () => {
  const offsets = offsetsOf(data.training, data.users, data.items)(test);
  const predicted = scoped(() => {
    const model = train(data, { ...training, epochs: 5, batch: 128 });
    return predict(model, test);
  });
  const trained = rmse(predicted, test.stars);
  expect(rmse(offsets, test.stars)).toBeLessThan(
    rmse(
      test.stars.map(() => meanOf(data.training)),
      test.stars,
    ),
  );
  expect(trained).toBeLessThan(0.8 * rmse(offsets, test.stars));
  // A model that saw the ratings of the test would be below what the generator knows.
  expect(trained).toBeGreaterThan(rmse(data.expected, test.stars));
  expect(handlecount()).toBe(0);
});

it("no rating of the training is in the test", () => {
  const pairs = (part: typeof test) => part.users.map((user, n) => `${user} ${part.items[n]}`);
  const trained = new Set(pairs(data.training));
  expect(trained.size + test.stars.length).toBe(15_000);
  expect(pairs(test).filter((pair) => trained.has(pair))).toEqual([]);
});
