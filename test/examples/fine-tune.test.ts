import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { readDigits } from "@stepwell/example-fine-tune/digits";
import { accuracy, fineTune, loadPretrained } from "@stepwell/example-fine-tune/fine-tuning";
import { makeNet } from "@stepwell/example-fine-tune/net";
import { handlecount, type Module, scoped, seed, Tensor } from "@stepwell/sdk";
import { afterAll, expect, it } from "vitest";

const example = fileURLToPath(new URL("../../examples/fine-tune/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "fine-tune-"));
afterAll(() => rmSync(folder, { recursive: true }));

const pretrained = join(example, "pretrained.safetensors");
const bodyNames = ["conv1", "conv2", "fc"].flatMap((layer) => [`body.${layer}.weight`, `body.${layer}.bias`]);
const all = [...bodyNames, "head.weight", "head.bias"];
const parameters = (net: Module) => new Map(all.map((name) => [name, String(net.parameter(name).values())]));

it("the body of the file computes what it computes in PyTorch", () => {
  const recorded = JSON.parse(readFileSync(join(example, "pretrained.json"), "utf8")) as number[][];
  // The first two digits of the training are zeros, as in the recording.
  const { images } = readDigits(2).training;
  scoped(() => {
    const net = makeNet();
    expect(loadPretrained(net, pretrained)).toEqual(["head.weight", "head.bias"]);
    const first = Tensor.of(images.subarray(0, 2 * 28 * 28)).reshape([2, 1, 28, 28]);
    const features = net.child("body").evaluate(first).values() as number[][];
    for (const [row, values] of features.entries())
      for (const [n, value] of values.entries()) expect(value).toBeCloseTo(recorded[row]?.[n] as number, 4);
  });
  expect(handlecount()).toBe(0);
});

it("phases change the layers that they train, and no others", () => {
  scoped(() => {
    seed(1);
    const net = makeNet();
    loadPretrained(net, pretrained);
    const states = [parameters(net)];
    fineTune(net, readDigits(2).training, () => states.push(parameters(net)));
    const changed = (phase: number) => all.filter((name) => states[phase]?.get(name) !== states[phase - 1]?.get(name));
    expect(changed(1)).toEqual(["head.weight", "head.bias"]);
    expect(changed(2)).toEqual(all.filter((name) => !name.startsWith("body.conv1")));
  });
  expect(handlecount()).toBe(0);
});

it("prints the output of its page, in which the fine-tuned net is the better one", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(example, "dist/main.js")], { cwd: folder });
  const [, page] = /```text\n(.*?)```/s.exec(readFileSync(join(example, "README.md"), "utf8")) ?? [];
  const percent = /: ([\d.]+) %$/gm;
  expect(stdout.replaceAll(percent, "")).toBe(page?.replaceAll(percent, ""));
  const sharesOf = (text = "") => [...text.matchAll(percent)].map(([, share]) => Number(share));
  // Another processor rounds otherwise, and 20 of the 2000 digits are a percent.
  for (const [n, share] of sharesOf(page).entries())
    expect(Math.abs(share - (sharesOf(stdout)[n] ?? 0))).toBeLessThan(2);
  const [, fineTuned = 0, scratch = 100] = sharesOf(stdout);
  expect(fineTuned).toBeGreaterThan(scratch + 3);
  scoped(() => {
    const net = makeNet();
    net.load(join(folder, "fine-tuned.safetensors"));
    expect(100 * accuracy(net, readDigits(1).test)).toBeCloseTo(fineTuned, 1);
  });
});
