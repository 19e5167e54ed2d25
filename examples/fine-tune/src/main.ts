import { fileURLToPath } from "node:url";
import { seed } from "@stepwell/sdk";
import { readDigits } from "./digits.js";
import { accuracy, fineTune, loadPretrained, trainFromScratch } from "./fine-tuning.js";
import { makeNet } from "./net.js";

/** Digits of each kind for the training: labels of the new question are few. */
const each = 10;
const { training, test } = readDigits(each);
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
console.log(`training: ${training.labels.length} digits, test: ${test.labels.length}`);

seed(1);
const net = makeNet();
const others = loadPretrained(net, fileURLToPath(new URL("../pretrained.safetensors", import.meta.url)));
console.log(`loaded but for ${others.join(", ")}`);
fineTune(net, training, (phase) => console.log(`fine-tuned, ${phase}: ${percent(accuracy(net, test))}`));

seed(1);
const scratch = makeNet();
trainFromScratch(scratch, training);
console.log(`from scratch: ${percent(accuracy(scratch, test))}`);
net.save("fine-tuned.safetensors");
