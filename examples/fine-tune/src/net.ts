// The net of pretrain.py, with a head for other classes.

import { Module, seq, Tensor } from "@stepwell/sdk";
import { classes, type Digits } from "./digits.js";

/** Layers have the names of PyTorch's state dict, by which `load` finds their tensors. */
const body = seq(
  ["sequential", "body"],
  ["conv2d", "conv1", 1, 8, 3, { stride: 2, pad: 1 }],
  ["relu", "relu1"],
  ["conv2d", "conv2", 8, 16, 3, { stride: 2, pad: 1 }],
  ["relu", "relu2"],
  ["flatten", "flatten", 1],
  ["linear", "fc", 784, 32],
  ["relu", "relu3"],
);

/** A net with parameters of its own: `[n, 1, 28, 28]` to `[n, classes]`. */
export const makeNet = (): Module => Module.of(seq("sequential", body, ["linear", "head", 32, classes.length]));

/** The images as a tensor `[n, 1, 28, 28]`. */
export const imagesOf = ({ images, labels }: Digits): Tensor => Tensor.of(images).reshape([labels.length, 1, 28, 28]);
