// `node examples/recommender/dist/main.js`: trains, and prints the errors of the model and of baselines on the test.

import { engine, ready } from "@stepwell/sdk";
import { meanOf, offsetsOf } from "./baselines.js";
import { predict, train, training } from "./factors.js";
import { plan, ratingsOf, rmse } from "./ratings.js";

await ready();
const data = ratingsOf(plan);
const { test } = data;
const print = (name: string, predicted: readonly number[]) =>
  console.log(`${name}: ${rmse(predicted, test.stars).toFixed(3)} stars`);

console.log(
  `engine ${engine}, ${data.training.stars.length} ratings, ${test.stars.length} of the test; root of the mean squared error:`,
);
const mean = meanOf(data.training);
print(
  "mean of all ratings",
  test.stars.map(() => mean),
);
print("offsets of users and items", offsetsOf(data.training, data.users, data.items)(test));
const start = performance.now();
const model = train(data, training, (epoch, now) => print(`epoch ${epoch}`, predict(now, test)));
print(`embeddings, after ${((performance.now() - start) / 1000).toFixed(1)} s`, predict(model, test));
print("the generator without its noise", data.expected);
