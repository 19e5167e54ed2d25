"""Records what PyTorch's losses compute that Stepwell composes of operations on tensors.

Writes composed_losses.json beside this script. Recorded with Python 3.11, torch 2.11.0 and numpy 2.4.6 on the CPU. To run it
again:
  pip install torch==2.11.0 numpy
  python test/parity/record_losses.py [folder]
Two runs give the same bytes: everything random comes from a fixed seed, torch runs on one thread, and its vector kernels
are off. README.md describes the format.
"""

import json
import os
import sys
from pathlib import Path

os.environ["ATEN_CPU_CAPABILITY"] = "default"  # read when torch loads

import numpy as np
import torch
from torch.nn import functional as F

TORCH_VERSION = "2.11.0"
SEED = 20261129
DTYPES = {"double": torch.float64, "float": torch.float32, "half": torch.float16, "bfloat16": torch.bfloat16}
# For float the defaults of torch.testing.assert_close; for double a few roundings. For 16 bits each operation of a composition
# rounds, and torch rounds once.
TOLERANCE = {
    "double": {"rtol": 1e-12, "atol": 1e-14},
    "float": {"rtol": 1.3e-6, "atol": 1e-5},
    "half": {"rtol": 8e-3, "atol": 8e-3},
    "bfloat16": {"rtol": 6e-2, "atol": 6e-2},
}
FUNCTIONS = {
    "ce": F.cross_entropy,
    "nll": F.nll_loss,
    "bce": F.binary_cross_entropy,
    "bcewithlogits": F.binary_cross_entropy_with_logits,
    "huber": F.huber_loss,
    "kl": F.kl_div,
    "poissonloss": F.poisson_nll_loss,
    "hinge": F.hinge_embedding_loss,
    "softmargin": F.soft_margin_loss,
    "multilabel": F.multilabel_margin_loss,
    "multimargin": F.multi_margin_loss,
    "multisoft": F.multilabel_soft_margin_loss,
    "cosineloss": F.cosine_embedding_loss,
    "margin": F.margin_ranking_loss,
    "triplet": F.triplet_margin_loss,
    # Its gradient is the one of logits: it leaves out a term that the softmax cancels.
    "ctc": lambda x, *args, **named: F.ctc_loss(F.log_softmax(x, -1), *args, **named),
}
# Element types that torch's kernels on the CPU lack, or where they lose all digits.
WIDE = {"multilabel", "multimargin", "ctc", "cosineloss", "triplet", "poissonloss"}


def grid(rng, shape, low=-2.0, high=2.0):
    """Numbers that 16 bits represent."""
    return np.round(rng.uniform(low, high, shape) * 64) / 64


def rows(rng):
    """Loss, options, input, further tensors."""
    logits, image = grid(rng, (5, 4)), grid(rng, (2, 3, 2, 2))
    classes = rng.integers(0, 4, 5)
    ignored = classes.copy()
    ignored[1] = -100
    weight = [0.5, 1.0, 2.0, 0.25]
    shares = np.round(rng.dirichlet(np.ones(4), 5) * 1024) / 1024
    for name, x in (("ce", logits), ("nll", -np.abs(logits))):
        yield name, {"weight": weight}, x, classes
        yield name, {"weight": weight}, x, ignored
        yield name, {"weight": weight, "ignore_index": 2}, x, classes
    yield "nll", {"weight": [0.5, 1.0, 2.0]}, -np.abs(image), rng.integers(0, 3, (2, 2, 2))
    yield "ce", {"weight": [0.5, 0.0, 2.0]}, image, rng.integers(0, 3, (2, 2, 2))
    for smoothing in (0.125, 1.0):
        yield "ce", {"label_smoothing": smoothing}, logits, classes
        yield "ce", {"label_smoothing": smoothing}, logits, ignored
        yield "ce", {"label_smoothing": smoothing, "weight": weight}, logits, ignored
        yield "ce", {"label_smoothing": smoothing}, logits, shares
    yield "ce", {"label_smoothing": 0.25, "weight": weight}, logits, shares
    yield "ce", {"weight": weight}, logits, shares
    yield "ce", {"label_smoothing": 0.25, "weight": [0.5, 1.0, 2.0]}, image, rng.integers(0, 3, (2, 2, 2))
    p, x, y = grid(rng, (3, 4), 0.05, 0.95), grid(rng, (3, 4)), grid(rng, (3, 4))
    soft = grid(rng, (3, 4), 0, 1)
    for w in (grid(rng, (3, 4), 0, 2), grid(rng, (4,), 0, 2), grid(rng, (3, 1), 0, 2)):
        yield "bce", {}, p, soft, w
        yield "bcewithlogits", {}, x, soft, w
    yield "bcewithlogits", {"pos_weight": weight}, x, soft
    yield "bcewithlogits", {"pos_weight": [3.0]}, x * 16, soft
    yield "bcewithlogits", {"pos_weight": weight}, x, soft, grid(rng, (3, 4), 0, 2)
    y[0, 0] = x[0, 0]
    for delta in (1.0, 0.25, 3.0):
        yield "huber", {"delta": delta}, x, y
    yield "huber", {}, x[0, 1], y[0, 1]
    shares[0] = [0, 1, 0, 0]
    yield "kl", {}, -np.abs(logits), shares
    yield "kl", {"log_target": True}, -np.abs(logits), -np.abs(grid(rng, (5, 4)))
    counts = rng.integers(0, 6, (3, 4)).astype(np.float64)
    yield "poissonloss", {}, x, counts
    yield "poissonloss", {"full": True}, x, counts
    yield "poissonloss", {"log_input": False}, np.abs(x) + 0.25, counts
    yield "poissonloss", {"log_input": False, "full": True, "eps": 0.5}, np.abs(x), counts
    signs = np.where(rng.uniform(size=(3, 4)) < 0.5, -1.0, 1.0)
    x[1, 1], signs[1, 1] = 1.0, -1.0  # at the margin
    yield "hinge", {}, x, signs
    yield "hinge", {"margin": 0.5}, x, signs
    yield "softmargin", {}, x, signs
    labels = np.array([[2, 0, -1, 1], [1, -1, -1, -1], [3, 3, 0, -1], [-1, 0, 1, 2], [0, 1, 2, 3]])
    yield "multilabel", {}, logits, labels
    yield "multilabel", {}, logits[0], labels[0]
    yield "multimargin", {}, logits, classes
    yield "multimargin", {}, logits[0], classes[0]
    yield "multimargin", {"p": 2, "margin": 0.5}, logits, classes
    yield "multimargin", {"p": 2, "weight": weight}, logits, classes
    yield "multisoft", {}, x, (soft > 0.5).astype(np.float64)
    yield "multisoft", {"weight": weight}, x, soft
    yield "multisoft", {}, grid(rng, (2, 3, 4)), grid(rng, (2, 3, 4), 0, 1)
    pairs = np.array([1.0, -1.0, -1.0])
    yield "cosineloss", {}, x, y, pairs
    yield "cosineloss", {"margin": 0.25}, x, y, pairs
    yield "cosineloss", {}, x[0], y[0], pairs[0]
    yield "margin", {}, x, y, signs
    yield "margin", {"margin": 0.5}, x, y, signs
    yield "margin", {"margin": 0.5}, x[0, 0], y[0, 1], signs[0, 0]
    far = grid(rng, (3, 4))
    yield "triplet", {}, x, y, far
    yield "triplet", {"margin": 0.5, "p": 1.0}, x, y, far
    yield "triplet", {"margin": 2.0, "p": 3.0, "swap": True}, x, y, far
    yield "triplet", {"swap": True, "eps": 0.125}, x[0], y[0], far[0]
    logs = grid(rng, (7, 3, 5))
    targets = np.array([[1, 1, 2], [3, 4, 0], [2, 0, 0]])
    # The second label of the third sample does not count; class 0 is the blank.
    yield "ctc", {}, logs, targets, np.array([7, 5, 6]), np.array([3, 2, 1])
    yield "ctc", {}, logs, targets, np.array([7, 5, 6]), np.array([3, 2, 0])
    yield "ctc", {"zero_infinity": True}, logs, targets, np.array([2, 5, 6]), np.array([3, 2, 1])
    yield "ctc", {"blank": 4}, logs, np.array([[1, 1, 2], [3, 2, 0], [2, 0, 1]]), np.array([7, 7, 7]), np.array([3, 3, 3])
    yield "ctc", {}, logs[:, 0], targets[0], np.array(7), np.array(3)


def numbers(tensor):
    return tensor.detach().to(torch.float64).tolist()


def torch_tensor(given, dtype):
    given = np.asarray(given)
    return torch.tensor(given, dtype=torch.int64 if given.dtype == np.int64 else dtype)


def record(loss, options, given, *more):
    expected = {}
    for word, dtype in DTYPES.items():
        if loss in WIDE and word in ("half", "bfloat16"):
            continue
        expected[word] = {}
        named = dict(options)
        for name in ("weight", "pos_weight"):
            if name in named:
                named[name] = torch.tensor(named[name], dtype=dtype)
        targets = [torch_tensor(item, dtype) for item in more]
        if loss in ("bce", "bcewithlogits") and len(targets) > 1:
            named["weight"] = targets.pop()
        if loss == "ctc":
            targets[1:] = [item.reshape(-1) for item in targets[1:]] if given.ndim == 3 else targets[1:]
        for reduce in ("none", "mean", "sum"):
            x = torch_tensor(given, dtype).requires_grad_(True)
            if loss != "kl" or reduce != "mean":
                value = FUNCTIONS[loss](x, *targets, reduction=reduce, **named)
            else:
                # torch warns of this reduction, and will change it.
                value = FUNCTIONS[loss](x, *targets, reduction="none", **named).mean()
            expected[word][reduce] = {"value": numbers(value)}
            value.sum().backward()
            expected[word][reduce]["gradient"] = numbers(x.grad)
    tensors = [np.asarray(item) for item in more]
    return {
        "loss": loss,
        "options": options,
        "input": np.asarray(given).tolist(),
        "targets": [item.tolist() for item in tensors],
        "long": [item.dtype == np.int64 for item in tensors],
        "expected": expected,
    }


def main():
    if torch.__version__.split("+")[0] != TORCH_VERSION:
        raise SystemExit(f"needs torch {TORCH_VERSION}, this is {torch.__version__}")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.backends.mkldnn.set_flags(False)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    recordings = [record(*row) for row in rows(np.random.default_rng(SEED))]
    lines = ",\n".join(json.dumps(recording, separators=(",", ":"), allow_nan=False) for recording in recordings)
    text = f'{{"tolerance":{json.dumps(TOLERANCE)},\n"recordings":[\n{lines}\n]}}\n'
    (folder / "composed_losses.json").write_text(text)


main()
