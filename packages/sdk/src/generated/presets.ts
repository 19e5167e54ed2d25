// Written by `cargo test -p stepwell-optim generated` from the presets; not to be edited.

/** Options that stand for a published variant of an optimizer. The learning rate is not among them. */
export const presets = {
  /** Of `lamb`. g / G, always; u = m / (√v + eps) + decay p; ratio ‖p‖ / ‖u‖ clipped to [0, 1]. The defaults. From https://developer.nvidia.com/blog/pretraining-bert-with-layer-wise-adaptive-learning-rates, as the k-api has it. */
  nvlamb: {
    eps: 1e-8,
    decay: 0,
    globalnorm: true,
    trustclip: true,
    max_grad_norm: null,
    use_nvlamb: true,
  },
  /** Of `lamb`. g / max(1, G / max_grad_norm); u = m / (√v + eps) + decay p; ratio ‖p‖ / ‖u‖ unclipped, 1 where decay is 0. From https://github.com/NVIDIA/apex, FusedLAMB and its defaults. */
  apex: {
    eps: 1e-6,
    decay: 0.01,
    globalnorm: true,
    trustclip: false,
    max_grad_norm: 1,
    use_nvlamb: false,
  },
  /** Of `lamb`. g as it is; u = m / (√v + eps) + decay p; ratio ‖p‖ / ‖u‖ unclipped (φ(z) = z). From https://arxiv.org/abs/1904.00962, algorithm 2; eps and decay as BERT was trained with. */
  paper: {
    eps: 1e-6,
    decay: 0.01,
    globalnorm: false,
    trustclip: false,
    max_grad_norm: null,
    use_nvlamb: true,
  },
} as const;
