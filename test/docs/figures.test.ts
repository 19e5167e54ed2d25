import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

interface Row {
  readonly label: string;
  readonly parameters?: number;
}

describe("figures", () => {
  it("in the README and the report are those of the results", () => {
    // It prints which document differs from the results.
    execFileSync(process.execPath, [path("bench/dist/main.js"), "--check"], { stdio: ["ignore", "ignore", "pipe"] });
  });

  it("are of the models that they say", () => {
    const { results } = JSON.parse(readFileSync(path("bench/results/step.json"), "utf8"));
    const parameters = (id: string) =>
      results.find((one: { id: string }) => one.id === id)?.rows.map((row: Row) => row.parameters)[0];
    // torchvision's resnet50 and Hugging Face's bert-base-uncased without a head.
    expect(parameters("step/ResNet-50 adam/1")).toBe(25_557_032);
    expect(parameters("step/BERT-base adam/1")).toBe(109_482_240);
  });
});
