"""Records what PyTorch's modules and losses compute, for Stepwell's to be compared with.

Writes modules.json and losses.json beside this script. Recorded with Python 3.11, torch 2.11.0 and numpy 2.4.6 on the
CPU. To run it again:
  pip install torch==2.11.0 numpy
  python test/parity/record_modules.py [folder]
Two runs give the same bytes: everything random comes from a fixed seed, torch runs on one thread, and its vector kernels
are off. README.md describes the format.
"""

import json
import math
import os
import sys
from pathlib import Path

os.environ["ATEN_CPU_CAPABILITY"] = "default"  # read when torch loads

import numpy as np
import record_window_modules
import torch
from torch import nn

TORCH_VERSION = "2.11.0"
SEED = 20240613
DTYPES = {"double": torch.float64, "float": torch.float32, "half": torch.float16, "bfloat16": torch.bfloat16}
# For float the defaults of torch.testing.assert_close; for double a few roundings. For 16 bits some roundings, since
# intermediate rounding depends on the processor.
TOLERANCE = {
    "double": {"rtol": 1e-12, "atol": 1e-14},
    "float": {"rtol": 1.3e-6, "atol": 1e-5},
    "half": {"rtol": 2e-3, "atol": 2e-3},
    "bfloat16": {"rtol": 1.6e-2, "atol": 1.6e-2},
}


def sequential(*children):
    return {"container": "sequential", "children": list(children)}


class Of(nn.Module):
    """A module that is a function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


def numbers_like(x, numbers):
    """Numbers for the channels of images."""
    return torch.tensor(numbers, dtype=x.dtype).view(-1, 1, 1)


# name, specification, maker of torch's module, shape of the input, and optionally how it differs from the others.
IMAGE = (2, 3, 5, 6)
MODULES = [
    ("linear", ["linear", 5, 3], lambda: nn.Linear(5, 3), (4, 5)),
    ("linear without bias", ["linear", 5, 3, {"bias": False}], lambda: nn.Linear(5, 3, bias=False), (4, 5)),
    ("linear of one dimension", ["linear", 5, 3], lambda: nn.Linear(5, 3), (5,)),
    ("linear of three dimensions", ["linear", 4, 2], lambda: nn.Linear(4, 2), (2, 3, 4)),
    ("conv2d", ["conv2d", 3, 4, 3], lambda: nn.Conv2d(3, 4, 3), IMAGE),
    ("conv2d without bias", ["conv2d", 3, 2, 1, {"bias": False}], lambda: nn.Conv2d(3, 2, 1, bias=False), IMAGE),
    ("conv2d stride", ["conv2d", 3, 2, 3, {"stride": 2}], lambda: nn.Conv2d(3, 2, 3, stride=2), IMAGE),
    ("conv2d pad", ["conv2d", 3, 2, 3, 1, 2], lambda: nn.Conv2d(3, 2, 3, padding=2), IMAGE),
    ("conv2d dilate", ["conv2d", 3, 2, 2, {"dilate": 2}], lambda: nn.Conv2d(3, 2, 2, dilation=2), IMAGE),
    ("conv2d groups", ["conv2d", 3, 6, 3, {"groups": 3}], lambda: nn.Conv2d(3, 6, 3, groups=3), IMAGE),
    (
        "conv2d pairs",
        ["conv2d", 3, 2, [2, 3], [2, 1], [0, 1], [3, 2], 1, False],
        lambda: nn.Conv2d(3, 2, (2, 3), (2, 1), (0, 1), (3, 2), 1, False),
        IMAGE,
    ),
    ("maxpool2d", ["maxpool2d", 2], lambda: nn.MaxPool2d(2), IMAGE),
    ("maxpool2d stride", ["maxpool2d", 3, 1], lambda: nn.MaxPool2d(3, 1), IMAGE),
    ("maxpool2d pad", ["maxpool2d", 3, None, 1], lambda: nn.MaxPool2d(3, None, 1), IMAGE),
    ("maxpool2d dilate", ["maxpool2d", 2, {"dilate": 3, "stride": 1}], lambda: nn.MaxPool2d(2, 1, 0, 3), IMAGE),
    (
        "maxpool2d pairs",
        ["maxpool2d", [2, 3], [1, 2], [1, 0], [2, 1]],
        lambda: nn.MaxPool2d((2, 3), (1, 2), (1, 0), (2, 1)),
        IMAGE,
    ),
    ("flatten", "flatten", nn.Flatten, (2, 3, 4)),
    ("flatten of some", ["flatten", 0, -2], lambda: nn.Flatten(0, -2), (2, 3, 4)),
    ("flatten of none", ["flatten", 1, 1], lambda: nn.Flatten(1, 1), (2, 3, 4)),
    ("relu", "relu", nn.ReLU, (3, 7)),
    ("tanh", "tanh", nn.Tanh, (3, 7)),
    ("sigmoid", "sigmoid", nn.Sigmoid, (3, 7)),
    ("gelu", "gelu", nn.GELU, (3, 7)),
    ("gelu tanh", ["gelu", {"tanh": True}], lambda: nn.GELU("tanh"), (3, 7)),
    ("dropout of nothing", ["dropout", 0], lambda: nn.Dropout(0), (3, 7)),
    ("dropout of everything", ["dropout", 1], lambda: nn.Dropout(1), (3, 7)),
    ("dropout evaluated", ["dropout", 0.5], lambda: nn.Dropout(0.5), (3, 7), {"evaluate": True, "random": True}),
    ("batchnorm", ["batchnorm", 3], lambda: nn.BatchNorm2d(3), IMAGE, {"batches": 2}),
    ("batchnorm of two dimensions", ["batchnorm", 3], lambda: nn.BatchNorm1d(3), (5, 3), {"batches": 2}),
    (
        "batchnorm options",
        ["batchnorm", 3, 0.1, 0.5, False],
        lambda: nn.BatchNorm1d(3, 0.1, 0.5, False),
        (4, 3, 2),
        {"batches": 3},
    ),
    (
        "batchnorm without statistics",
        ["batchnorm", 3, {"track": False}],
        lambda: nn.BatchNorm1d(3, track_running_stats=False),
        (4, 3),
    ),
    ("batchnorm evaluated", ["batchnorm", 3], lambda: nn.BatchNorm2d(3), IMAGE, {"batches": 2, "evaluate": True}),
    (
        "batchnorm without statistics evaluated",
        ["batchnorm", 3, {"track": False}],
        lambda: nn.BatchNorm1d(3, track_running_stats=False),
        (4, 3),
        {"evaluate": True},
    ),
    ("layernorm", ["layernorm", 5], lambda: nn.LayerNorm(5), (3, 5)),
    ("layernorm of two dimensions", ["layernorm", [3, 4]], lambda: nn.LayerNorm((3, 4)), (2, 3, 4)),
    (
        "layernorm options",
        ["layernorm", 4, 0.01, False],
        lambda: nn.LayerNorm(4, 0.01, elementwise_affine=False),
        (2, 3, 4),
    ),
    ("embedding", ["embedding", 7, 3], lambda: nn.Embedding(7, 3), (2, 4), {"indices": 7}),
    ("embedding of one dimension", ["embedding", 4, 2], lambda: nn.Embedding(4, 2), (6,), {"indices": 4}),
    (
        "network of images",
        sequential(
            ["conv2d", "first", 3, 4, 3, {"pad": 1}],
            ["batchnorm", "norm", 4],
            "relu",
            ["maxpool2d", 2],
            sequential(["conv2d", 4, 2, 2], ["gelu", {"tanh": True}]),
            "flatten",
            ["dropout", 0],
            ["linear", "last", 4, 3],
        ),
        lambda: named(
            first=nn.Conv2d(3, 4, 3, padding=1), norm=nn.BatchNorm2d(4), x2=nn.ReLU(), x3=nn.MaxPool2d(2),
            x4=nn.Sequential(nn.Conv2d(4, 2, 2), nn.GELU("tanh")), x5=nn.Flatten(), x6=nn.Dropout(0),
            last=nn.Linear(4, 3),
        ),
        IMAGE,
        {"batches": 2},
    ),
    (
        "network of words",
        sequential(["embedding", 9, 4], ["layernorm", 4], ["flatten"], ["linear", 12, 5], "tanh", ["linear", 5, 2]),
        lambda: nn.Sequential(
            nn.Embedding(9, 4), nn.LayerNorm(4), nn.Flatten(), nn.Linear(12, 5), nn.Tanh(), nn.Linear(5, 2)
        ),
        (3, 3),
        {"indices": 9},
    ),
]

# Rows that each have random numbers of their own, so that a new row leaves the others as they are.
LAYERS = [
    ("relu6", "relu6", nn.ReLU6, (3, 7)),
    ("leakyrelu", "leakyrelu", nn.LeakyReLU, (3, 7)),
    ("leakyrelu slope", ["leakyrelu", 0.2], lambda: nn.LeakyReLU(0.2), (3, 7)),
    ("prelu", "prelu", nn.PReLU, (3, 7)),
    ("prelu of channels", ["prelu", 3, {"init": 0.1}], lambda: nn.PReLU(3, 0.1), IMAGE),
    ("prelu of one dimension", ["prelu"], nn.PReLU, (5,)),
    ("rrelu evaluated", ["rrelu", 0.1, 0.5], lambda: nn.RReLU(0.1, 0.5), (3, 7), {"evaluate": True, "random": True, "wide": True}),
    ("rrelu of one slope", ["rrelu", 0.25, 0.25], lambda: nn.RReLU(0.25, 0.25), (3, 7), {"wide": True}),
    ("elu", ["elu", 1.5], lambda: nn.ELU(1.5), (3, 7)),
    ("celu", ["celu", 0.5], lambda: nn.CELU(0.5), (3, 7)),
    ("selu", "selu", nn.SELU, (3, 7)),
    ("silu", "silu", nn.SiLU, (3, 7)),
    ("mish", "mish", nn.Mish, (3, 7)),
    ("glu", "glu", nn.GLU, (3, 8)),
    ("glu of channels", ["glu", 1], lambda: nn.GLU(1), (2, 4, 3)),
    ("logsigmoid", "logsigmoid", nn.LogSigmoid, (3, 7)),
    ("tanhshrink", "tanhshrink", nn.Tanhshrink, (3, 7)),
    ("hardtanh", "hardtanh", nn.Hardtanh, (3, 7)),
    ("hardtanh range", ["hardtanh", -0.5, 2], lambda: nn.Hardtanh(-0.5, 2), (3, 7)),
    ("hardshrink", ["hardshrink", 0.75], lambda: nn.Hardshrink(0.75), (3, 7)),
    ("softshrink", ["softshrink", 0.75], lambda: nn.Softshrink(0.75), (3, 7)),
    ("softsign", "softsign", nn.Softsign, (3, 7)),
    ("softplus", "softplus", nn.Softplus, (3, 7)),
    ("softplus options", ["softplus", 2, 1.5], lambda: nn.Softplus(2, 1.5), (3, 7)),
    ("threshold", ["threshold", 0.1, -2], lambda: nn.Threshold(0.1, -2), (3, 7)),
    ("softmax", ["softmax", 1], lambda: nn.Softmax(1), (3, 7)),
    ("logsoftmax", ["logsoftmax", -1], lambda: nn.LogSoftmax(-1), (3, 7)),
    ("softmin", ["softmin", 0], lambda: nn.Softmin(0), (3, 7)),
    ("softmax2d", "softmax2d", nn.Softmax2d, IMAGE),
    ("softmax2d of one image", "softmax2d", nn.Softmax2d, (3, 4, 5)),
    ("reshape", ["reshape", [3, -1]], lambda: Of(lambda x: x.reshape(3, -1)), (2, 3, 4)),
    ("squeeze", "squeeze", lambda: Of(torch.squeeze), (2, 1, 3, 1)),
    ("squeeze of one", ["squeeze", 1], lambda: Of(lambda x: x.squeeze(1)), (2, 1, 3, 1)),
    ("unsqueeze", ["unsqueeze", -1], lambda: Of(lambda x: x.unsqueeze(-1)), (2, 3)),
    ("transpose", "transpose", lambda: Of(lambda x: x.transpose(-2, -1)), (2, 3, 4)),
    ("transpose of two", ["transpose", 0, 2], lambda: Of(lambda x: x.transpose(0, 2)), (2, 3, 4)),
    ("permute", ["permute", [2, 0, -2]], lambda: Of(lambda x: x.permute(2, 0, -2)), (2, 3, 4)),
    ("expand", ["expand", [4, -1, 3]], lambda: Of(lambda x: x.expand(4, -1, 3)), (2, 1)),
    ("select", ["select", 1, -1], lambda: Of(lambda x: x.select(1, -1)), (2, 3, 4)),
    (
        "indexselect",
        ["indexselect", 1, [2, 0, 2]],
        lambda: Of(lambda x: x.index_select(1, torch.tensor([2, 0, 2]))),
        (2, 3, 4),
    ),
    ("indexselect of one", ["indexselect", -1, 3], lambda: Of(lambda x: x.index_select(-1, torch.tensor(3))), (2, 4)),
    ("identity", "identity", nn.Identity, (2, 3)),
    ("drop2d of nothing", ["drop2d", 0], lambda: nn.Dropout2d(0), IMAGE),
    ("drop2d of everything", ["drop2d", 1], lambda: nn.Dropout2d(1), IMAGE),
    ("drop2d evaluated", "drop2d", nn.Dropout2d, IMAGE, {"evaluate": True, "random": True}),
    ("drop3d of everything", ["drop3d", 1], lambda: nn.Dropout3d(1), (2, 3, 2, 2, 2)),
    ("drop3d evaluated", "drop3d", nn.Dropout3d, (2, 3, 2, 2), {"evaluate": True, "random": True}),
    ("adrop of nothing", ["adrop", 0], lambda: nn.AlphaDropout(0), (3, 7)),
    ("adrop of everything", ["adrop", 1], lambda: nn.AlphaDropout(1), (3, 7)),
    ("adrop evaluated", "adrop", nn.AlphaDropout, (3, 7), {"evaluate": True, "random": True}),
    ("fadrop of everything", ["fadrop", 1], lambda: nn.FeatureAlphaDropout(1), IMAGE),
    ("fadrop evaluated", "fadrop", nn.FeatureAlphaDropout, IMAGE, {"evaluate": True, "random": True}),
    ("droppath of nothing", "droppath", nn.Identity, (3, 7)),
    ("droppath evaluated", ["droppath", 0.5], nn.Identity, (3, 7), {"evaluate": True, "random": True}),
    ("groupnorm", ["groupnorm", 2, 4], lambda: nn.GroupNorm(2, 4), (3, 4, 2, 3)),
    ("groupnorm options", ["groupnorm", 3, 6, 0.1, False], lambda: nn.GroupNorm(3, 6, 0.1, False), (2, 6)),
    ("instancenorm", ["instancenorm1d", 3], lambda: nn.InstanceNorm1d(3), (2, 3, 4)),
    (
        "instancenorm options",
        ["instancenorm2d", 3, 0.1, 0.3, True, True],
        lambda: nn.InstanceNorm2d(3, 0.1, 0.3, True, True),
        IMAGE,
        {"batches": 2, "evaluate": True},
    ),
    ("instancenorm of volumes", ["instancenorm3d", 2], lambda: nn.InstanceNorm3d(2), (2, 2, 2, 2, 2)),
    ("instancenorm evaluated", ["instancenorm", 3], lambda: nn.InstanceNorm1d(3), (2, 3, 4), {"evaluate": True}),
    ("rmsnorm", ["rmsnorm", 5], lambda: nn.RMSNorm(5), (3, 5)),
    ("rmsnorm options", ["rmsnorm", [3, 4], 0.01, False], lambda: nn.RMSNorm((3, 4), 0.01, False), (2, 3, 4)),
    ("localnorm", ["localnorm", 3, 0.5, 0.7, 2], lambda: nn.LocalResponseNorm(3, 0.5, 0.7, 2.0), (2, 5, 3), {"wide": True}),
    ("localnorm of even size", ["localnorm", 4], lambda: nn.LocalResponseNorm(4), (2, 6, 2, 2), {"wide": True}),
    ("localnorm of many", ["localnorm", 9, 1], lambda: nn.LocalResponseNorm(9, 1.0), (1, 3, 2, 2, 2), {"wide": True}),
    # PyTorch's CrossMapLRN2d leaves the first channel in every later sum, and its gradient is of another window.
    (
        "crossmap2d of few",
        ["crossmap2d", 5, 0.5],
        lambda: nn.CrossMapLRN2d(5, 0.5),
        (2, 3, 2, 2),
        {"wide": True, "evaluate": True, "random": True},
    ),
    (
        "crossmap2d",
        ["crossmap2d", 3, 0.5, 0.5, 2],
        lambda: nn.LocalResponseNorm(3, 0.5, 0.5, 2),
        (2, 7, 2, 3),
        {"wide": True},
    ),
    ("normalize", "normalize", lambda: Of(nn.functional.normalize), (3, 4)),
    ("normalize options", ["normalize", 1, 0, 4], lambda: Of(lambda x: nn.functional.normalize(x, 1.0, 0, 4)), (3, 4)),
    ("zscore", ["zscore", 0.5, 0.25], lambda: Of(lambda x: (x - 0.5) / 0.25), (3, 4)),
    (
        "zscore of channels",
        ["zscore", [0.5, 1, -1], [0.25, 2, 4]],
        lambda: Of(lambda x: (x - numbers_like(x, [0.5, 1, -1])) / numbers_like(x, [0.25, 2, 4])),
        IMAGE,
    ),
    ("matmul", "matmul", lambda: Of(torch.matmul), (2, 3, 4), {"others": [(4, 2)]}),
    ("mul", "mul", lambda: Of(torch.mul), (2, 3), {"others": [(3,)]}),
    ("pairwise", "pairwise", nn.PairwiseDistance, (3, 4), {"others": [(3, 4)], "wide": True}),
    (
        "pairwise options",
        ["pairwise", 1, 0.5, True],
        lambda: nn.PairwiseDistance(1, 0.5, True),
        (2, 4),
        {"others": [(2, 4)], "wide": True},
    ),
    ("similar", "similar", nn.CosineSimilarity, (3, 4), {"others": [(3, 4)], "wide": True}),
    ("similar options", ["similar", 0, 1e-6], lambda: nn.CosineSimilarity(0, 1e-6), (3, 4), {"others": [(4,)], "wide": True}),
    ("drop", ["drop", 0], lambda: nn.Dropout(0), (3, 7)),
    ("embed", ["embed", 4, 2], lambda: nn.Embedding(4, 2), (6,), {"indices": 4}),
    ("batchnorm3d", ["batchnorm3d", 2], lambda: nn.BatchNorm3d(2), (2, 2, 2, 2, 2), {"batches": 2}),
]


def named(**children):
    """A sequence with the names of ours; `x4` is the unnamed child at position 4."""
    module = nn.Sequential()
    for name, child in children.items():
        module.add_module(name[1:] if name[0] == "x" and name[1:].isdigit() else name, child)
    return module


def grid(rng, shape, low=-2.5, high=2.5):
    """Random numbers that are the same in float and double, and short in a file."""
    return np.round(rng.uniform(low, high, shape) * 1024) / 1024


def numbers(tensor):
    """Nested numbers, of a float tensor with no more digits than tell its values apart; numpy has no bfloat16."""
    tensor = tensor.detach()
    array = (tensor.float() if tensor.itemsize == 2 else tensor).numpy()
    if array.dtype == np.float32:
        array = np.vectorize(lambda x: float(str(x)), otypes=[np.float64])(array)
    return array.tolist()


def torch_tensor(array, dtype):
    return torch.tensor(array, dtype=torch.int64 if array.dtype == np.int64 else dtype)


def record_module(rng, name, specification, make, shape, extra=None):
    extra = extra or {}
    batches = [
        rng.integers(0, extra["indices"], shape) if "indices" in extra else grid(rng, shape)
        for _ in range(extra.get("batches", 1))
    ]
    parameters = {key: grid(rng, tuple(value.shape), -0.8, 0.8) for key, value in make().named_parameters()}
    with torch.no_grad():
        others = [grid(rng, other) for other in extra.get("others", [])]
        given = [torch_tensor(numbers, torch.float32) for numbers in [batches[-1], *others]]
        target = grid(rng, tuple(make()(*given).shape))
    recording = {
        "name": name,
        "module": specification,
        "parameters": {key: value.tolist() for key, value in parameters.items()},
        "inputs": [batch.tolist() for batch in batches],
        "target": target.tolist(),
    }
    if others:
        recording["others"] = [other.tolist() for other in others]
    for flag in ("evaluate", "indices", "random"):
        if flag in extra:
            recording[flag] = True
    recording["expected"] = {
        word: expected_of_module(make(), dtype, parameters, batches, others, target, extra)
        for word, dtype in DTYPES.items()
        # PyTorch has not every module for 16 bits.
        if not extra.get("wide") or dtype.itemsize > 2
    }
    return recording


def expected_of_module(module, dtype, parameters, batches, others, target, extra):
    """Every output, and after the backward of mse(last output, target) every gradient; then the buffers.

    Of a module whose training is random, only what it gives in use.
    """
    module.to(dtype)
    with torch.no_grad():
        for key, value in module.named_parameters():
            value.copy_(torch_tensor(parameters[key], dtype))
    expected = {"outputs": []}
    others = [torch_tensor(other, dtype).requires_grad_(True) for other in others]
    for batch in batches:
        x = torch_tensor(batch, dtype)
        if x.dtype.is_floating_point:
            x.requires_grad_(True)
        y = module(x, *others)
        expected["outputs"].append(numbers(y))
    if extra.get("evaluate"):
        module.eval()
        with torch.no_grad():
            expected["evaluated"] = numbers(module(x))
    if extra.get("random"):
        return {"evaluated": expected["evaluated"]}
    loss = nn.functional.mse_loss(y, torch_tensor(target, dtype))
    loss.backward()
    expected["loss"] = numbers(loss)
    expected["gradients"] = {key: numbers(value.grad) for key, value in module.named_parameters()}
    if x.requires_grad:
        expected["inputGradient"] = numbers(x.grad)
    if others:
        expected["otherGradients"] = [numbers(other.grad) for other in others]
    # The number of batches counts only where momentum is None, which we do not have.
    expected["buffers"] = {
        key: numbers(value) for key, value in module.named_buffers() if not key.endswith("num_batches_tracked")
    }
    return expected


def losses(rng):
    """name of the loss, options, input, target."""
    logits, row = grid(rng, (5, 4)), grid(rng, (2, 3, 4))
    image = grid(rng, (2, 3, 2, 2))
    classes = rng.integers(0, 4, 5)
    ignored = classes.copy()
    ignored[1] = -100
    shares = np.round(rng.dirichlet(np.ones(4), 5) * 1024) / 1024
    x, y = grid(rng, (3, 4)), grid(rng, (3, 4))
    y[0, 0] = x[0, 0]  # no difference
    p = grid(rng, (3, 4), 0.01, 0.99)
    soft, hard = grid(rng, (3, 4), 0, 1), rng.integers(0, 2, (3, 4)).astype(np.float64)
    edge = np.array([0.0, 0.0, 1.0, 1.0, 0.5])
    large = np.array([-120.0, -40.0, 0.0, 40.0, 120.0])
    yield "ce", {}, logits, classes
    yield "ce", {}, logits, ignored
    yield "ce", {}, row, rng.integers(0, 3, (2, 4))
    yield "ce", {}, image, rng.integers(0, 3, (2, 2, 2))
    yield "ce", {}, logits, shares
    yield "ce", {}, row, grid(rng, (2, 3, 4), 0, 1)
    yield "ce", {}, logits * 64, classes
    yield "nll", {}, -np.abs(logits), classes
    yield "nll", {}, -np.abs(logits), ignored
    yield "nll", {}, -np.abs(row), rng.integers(0, 3, (2, 4))
    yield "nll", {}, -np.abs(image), rng.integers(0, 3, (2, 2, 2))
    for loss in ("mse", "l1", "smoothl1"):
        yield loss, {}, x, y
        yield loss, {}, x[0, 1], y[0, 1]
    yield "smoothl1", {"beta": 0.25}, x, y
    yield "smoothl1", {"beta": 3}, x, y
    yield "bce", {}, p, soft
    yield "bce", {}, p, hard
    yield "bce", {}, edge, np.array([0.0, 1.0, 0.0, 1.0, 0.5])
    yield "bcewithlogits", {}, x, soft
    yield "bcewithlogits", {}, x, hard
    yield "bcewithlogits", {}, large, np.array([0.0, 1.0, 0.5, 0.0, 1.0])


FUNCTIONS = {
    "ce": nn.functional.cross_entropy,
    "nll": nn.functional.nll_loss,
    "mse": nn.functional.mse_loss,
    "l1": nn.functional.l1_loss,
    "smoothl1": nn.functional.smooth_l1_loss,
    "bce": nn.functional.binary_cross_entropy,
    "bcewithlogits": nn.functional.binary_cross_entropy_with_logits,
}


def record_loss(loss, options, given, target):
    given, target = np.asarray(given), np.asarray(target)
    expected = {}
    for word, dtype in DTYPES.items():
        expected[word] = {}
        for reduce in ("none", "mean", "sum"):
            x = torch_tensor(given, dtype).requires_grad_(True)
            value = FUNCTIONS[loss](x, torch_tensor(target, dtype), reduction=reduce, **options)
            expected[word][reduce] = {"value": numbers(value)}
            if reduce != "none":
                value.backward()
                # In half the gradient of bce at 0 and 1 is not finite: 1e-12, which prevents a division by 0, is 0 there.
                if x.grad.isfinite().all():
                    expected[word][reduce]["gradient"] = numbers(x.grad)
    recording = {"loss": loss, "options": options, "input": given.tolist(), "target": target.tolist()}
    if target.dtype == np.int64:
        recording["classes"] = True
    return {**recording, "expected": expected}


def check_finite(value):
    if isinstance(value, (list, tuple)):
        for item in value:
            check_finite(item)
    elif isinstance(value, dict):
        check_finite(list(value.values()))
    elif isinstance(value, float) and not math.isfinite(value):
        raise SystemExit("a recording holds a number that JSON has not")


def write(path, recordings):
    check_finite(recordings)
    lines = ",\n".join(json.dumps(recording, separators=(",", ":")) for recording in recordings)
    path.write_text(f'{{"tolerance":{json.dumps(TOLERANCE)},\n"recordings":[\n{lines}\n]}}\n')


def main():
    if torch.__version__.split("+")[0] != TORCH_VERSION:
        raise SystemExit(f"needs torch {TORCH_VERSION}, this is {torch.__version__}")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.backends.mkldnn.set_flags(False)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    rng = np.random.default_rng(SEED)
    modules = [record_module(rng, *row) for row in MODULES]
    rows = LAYERS + record_window_modules.MODULES
    modules += [record_module(np.random.default_rng([SEED, *row[0].encode()]), *row) for row in rows]
    write(folder / "modules.json", modules)
    write(folder / "losses.json", [record_loss(*row) for row in losses(rng)])


main()
