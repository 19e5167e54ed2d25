// Answers questions about leaves with the file of the trainer.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { classify, makeClassifier } from "@monorepo-example/model";

const classifier = makeClassifier();
classifier.load("model.safetensors");

const server = createServer((request, response) => {
  const { searchParams } = new URL(request.url ?? "", "http://localhost");
  const [length, width] = [Number(searchParams.get("length")), Number(searchParams.get("width"))];
  const isValid = [length, width].every((value) => value > 0 && value < 100);
  response.writeHead(isValid ? 200 : 400, { "content-type": "application/json" });
  response.end(
    JSON.stringify(
      isValid ? { kind: classify(classifier, [length, width]) } : { error: "length and width in centimetres" },
    ),
  );
});
server.listen(Number(process.env.PORT ?? 3000), () => {
  console.log(`http://localhost:${(server.address() as AddressInfo).port}/?length=5&width=2`);
});
process.once("SIGTERM", () => server.close());
