"""Records what PyTorch's modules for sequences compute: embeddings, recurrent layers, attention, transformers, bilinear.

Writes sequence.json beside this script. Recorded with Python 3.11, torch 2.11.0 and numpy 2.4.6 on the CPU. To run it again:
  pip install torch==2.11.0 numpy
  python test/parity/record_sequence.py [folder]
Two runs give the same bytes, as with record_modules.py. README.md describes the format.
"""

import json
import os
import sys
import warnings
from pathlib import Path

os.environ["ATEN_CPU_CAPABILITY"] = "default"  # read when torch loads

import numpy as np
import torch
from torch import nn

TORCH_VERSION = "2.11.0"
SEED = 20251129
DTYPES = {"double": torch.float64, "float": torch.float32, "bfloat16": torch.bfloat16}
# For float the defaults of torch.testing.assert_close; for double a few roundings. Sums of many rounded terms are wider apart
# in 16 bits, since intermediate rounding depends on the order of sums.
TOLERANCE = {
    "double": {"rtol": 1e-12, "atol": 1e-14},
    "float": {"rtol": 1.3e-6, "atol": 1e-5},
    "bfloat16": {"rtol": 1.6e-2, "atol": 6e-2},
}
# After steps of training, in which rounding adds up.
TRAINED_TOLERANCE = {"double": {"rtol": 1e-10, "atol": 1e-12}, "float": {"rtol": 1.3e-4, "atol": 1e-4}}
STEPS = 10
rng = np.random.default_rng(SEED)


def grid(*shape, low=-1.5, high=1.5):
    """Random numbers that are the same in float and double, and short in a file."""
    return np.round(rng.uniform(low, high, shape) * 1024) / 1024


def indices(limit, *shape):
    return rng.integers(0, limit, shape)


def flags(rows):
    return np.array(rows, dtype=bool)


def packed(module, x, lengths, *states):
    """A recurrent module over sequences of these lengths, by packed sequences."""
    first = module.batch_first
    total = x.shape[1 if first else 0]
    sequence = nn.utils.rnn.pack_padded_sequence(x, lengths, first, enforce_sorted=False)
    state = (states if len(states) > 1 else states[0]) if states else None
    output, last = module(sequence, state)
    output, _ = nn.utils.rnn.pad_packed_sequence(output, first, total_length=total)
    return flat(output, last)


def flat(*results):
    """The tensors of nested tuples."""
    tensors = []
    for result in results:
        tensors += flat(*result) if isinstance(result, tuple) else [] if result is None else [result]
    return tensors


def recurrent(module, x, *states):
    state = (states if len(states) > 1 else states[0]) if states else None
    return flat(module(x, state))


def one(module, *inputs):
    return flat(module(*inputs))


def bag(module, x, offsets=None, weights=None):
    if x.dim() == 2:
        offsets = None
    return [module(x, offsets, weights)]


def attend(module, query, key=None, value=None, padding=None, mask=None, weights=False):
    if key is None:
        key = value = query
    return flat(module(query, key, value, key_padding_mask=padding, attn_mask=mask, need_weights=weights))


def attend_weights(module, *inputs):
    return attend(module, *inputs, weights=True)


def causal(module, *inputs):
    length = inputs[0].shape[1 if module.batch_first else 0]
    mask = torch.ones(length, length, dtype=torch.bool).triu(1)
    query, key, value, padding = inputs if len(inputs) > 1 else [*inputs * 3, None]
    return attend(module, query, key, value, padding, mask)


def causal_target(module, *inputs):
    """With a causal mask of the (last) target: the first input of an encoder or a decoder, the second of a transformer."""
    at = 1 if isinstance(module, nn.Transformer) else 0
    first = module.batch_first if isinstance(module, nn.Transformer) else first_dimension(module)
    length = inputs[at].shape[1 if first else 0]
    mask = torch.ones(length, length, dtype=torch.bool).triu(1)
    name = "tgt_mask" if at or isinstance(module, (nn.TransformerDecoder, nn.TransformerDecoderLayer)) else None
    name = name or ("mask" if isinstance(module, nn.TransformerEncoder) else "src_mask")
    return flat(module(*inputs, **{name: mask}))


def first_dimension(module):
    return next(child.batch_first for child in module.modules() if isinstance(child, nn.MultiheadAttention))


class SelfAttention(nn.Module):
    """The k-api's self-attention, written with PyTorch's functions."""

    def __init__(self, dim, heads, norm):
        super().__init__()
        self.heads = heads
        if norm:
            self.norm = nn.LayerNorm(dim)
        self.add_module("in", nn.Linear(dim, 3 * dim, bias=not norm))
        self.out = nn.Linear(dim, dim)

    def forward(self, x, mask=None, padding=None):
        n, length, dim = x.shape
        y = self.norm(x) if hasattr(self, "norm") else x
        q, k, v = getattr(self, "in")(y).chunk(3, -1)
        split = lambda t: t.view(n, length, self.heads, dim // self.heads).transpose(1, 2)
        if mask is not None:
            mask = mask[:length, :length]
        if padding is not None:
            hidden = padding[:, None, None, :]
            mask = hidden.logical_not() if mask is None else mask.masked_fill(hidden, -float("inf"))
        y = nn.functional.scaled_dot_product_attention(split(q), split(k), split(v), mask)
        return self.out(y.transpose(1, 2).reshape(n, length, dim))


class EmbedPosition(nn.Module):
    def __init__(self, rows, columns):
        super().__init__()
        self.pos = nn.Parameter(torch.zeros(1, rows, columns))

    def forward(self, x):
        return self.pos[:, : x.shape[-1]]


class EmbedSequence(nn.Module):
    def __init__(self, rows, columns, length):
        super().__init__()
        self.tok = nn.Embedding(rows, columns)
        self.pos = EmbedPosition(length, columns)

    def forward(self, x):
        return self.tok(x) + self.pos(x)


class OneHot(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.classes = classes

    def forward(self, x):
        return nn.functional.one_hot(x, self.classes).float()


BLOCK = {"batch_first": True, "dropout": 0}
PADDING = flags([[0, 0, 0, 1], [0, 1, 1, 1]])
HIDDEN = flags([[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 1]])
SQUARE = flags([[0, 1, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0]])


def rows():
    """name, specification, maker of torch's module, inputs (None for a missing mask), and what calls torch's module."""
    # Embeddings
    yield "embedding padindex", ["embedding", 7, 3, 2], lambda: nn.Embedding(7, 3, 2), [np.array([[2, 0, 2], [6, 1, 2]])]
    yield "embedding padindex from the end", ["embedding", 5, 2, {"padding_idx": -1}], lambda: nn.Embedding(5, 2, -1), [
        np.array([4, 1, 4, 0])
    ]
    yield "embedding maxnorm", ["embedding", 6, 3, None, 0.5], lambda: nn.Embedding(6, 3, max_norm=0.5), [indices(6, 2, 4)]
    yield "embedding maxnorm of order 1", ["embedding", 6, 3, None, 1, 1], lambda: nn.Embedding(6, 3, None, 1, 1), [
        indices(6, 5)
    ]
    yield "embedding empty", ["embedding", 6, 3, 1], lambda: nn.Embedding(6, 3, 1), [indices(6, 0, 4)]
    for mode in ("sum", "mean", "max"):
        options = {"mode": mode}
        make = lambda mode=mode, **o: nn.EmbeddingBag(6, 3, mode=mode, **o)
        yield f"embedbag {mode}", ["embedbag", 6, 3, options], make, [indices(6, 3, 4)], bag
        offsets = np.array([0, 2, 2, 5])
        yield f"embedbag {mode} offsets", ["embedbag", 6, 3, options], make, [indices(6, 7), offsets], bag
        yield f"embedbag {mode} last offset", ["embedbag", 6, 3, {**options, "lastoffset": True}], (
            lambda make=make: make(include_last_offset=True)
        ), [indices(6, 5), offsets], bag
        yield f"embedbag {mode} padindex", ["embedbag", 6, 3, {**options, "padindex": 1}], (
            lambda make=make: make(padding_idx=1)
        ), [np.array([[1, 0, 1, 2], [1, 1, 1, 1], [5, 4, 3, 1]])], bag
    yield "embedbag weights", ["embedbag", 6, 3, {"mode": "sum"}], lambda: nn.EmbeddingBag(6, 3, mode="sum"), [
        indices(6, 3, 2), None, grid(3, 2)
    ], bag
    yield "embedbag weights of offsets", ["embedbag", 6, 3, {"mode": "sum"}], lambda: nn.EmbeddingBag(6, 3, mode="sum"), [
        indices(6, 6), np.array([0, 1, 4]), grid(6)
    ], bag
    yield "embedpos", ["embedpos", 6, 3], lambda: EmbedPosition(6, 3), [indices(9, 2, 4)]
    yield "embedseq", ["embedseq", 7, 3, 5], lambda: EmbedSequence(7, 3, 5), [indices(7, 2, 4)]
    yield "onehot", ["onehot", 4], lambda: OneHot(4), [indices(4, 2, 3)]
    yield "onehot of its classes", ["onehot"], lambda: OneHot(-1), [indices(4, 5)]

    # Recurrent layers
    kinds = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
    for kind, make in kinds.items():
        states = 2 if kind == "lstm" else 1
        yield kind, [kind, 4, 3], lambda make=make: make(4, 3), [grid(5, 2, 4)], recurrent
        yield f"{kind} of one step", [kind, 4, 3], lambda make=make: make(4, 3), [grid(1, 2, 4)], recurrent
        yield f"{kind} without a batch", [kind, 4, 3], lambda make=make: make(4, 3), [grid(3, 4)], recurrent
        yield f"{kind} of an empty batch", [kind, 4, 3], lambda make=make: make(4, 3), [grid(3, 0, 4)], recurrent
        yield f"{kind} without bias", [kind, 4, 3, {"bias": False}], (
            lambda make=make: make(4, 3, bias=False)
        ), [grid(3, 2, 4)], recurrent
        yield f"{kind} batch first", [kind, 4, 3, {"batch_first": True}], (
            lambda make=make: make(4, 3, batch_first=True)
        ), [grid(2, 5, 4)], recurrent
        yield f"{kind} with states", [kind, 4, 3, 2], lambda make=make: make(4, 3, 2), [
            grid(4, 2, 4), *[grid(2, 2, 3) for _ in range(states)]
        ], recurrent
        deep = {"layers": 2, "bi": True, "batchfirst": True}
        make_deep = lambda make=make: make(4, 3, 2, bidirectional=True, batch_first=True)
        yield f"{kind} deep", [kind, 4, 3, deep], make_deep, [
            grid(2, 4, 4), *[grid(4, 2, 3) for _ in range(states)]
        ], recurrent
        lengths = np.array([2, 4, 1])
        yield f"{kind} of lengths", [kind, 4, 3, deep], make_deep, [
            grid(3, 4, 4), *[grid(4, 3, 3) for _ in range(states)], lengths
        ], lambda module, x, *rest: packed(module, x, rest[-1], *rest[:-1])
        yield f"{kind} of lengths without states", [kind, 4, 3], lambda make=make: make(4, 3), [
            grid(4, 3, 4), lengths
        ], packed
    yield "rnn relu", ["rnn", 4, 3, 2, "relu"], lambda: nn.RNN(4, 3, 2, "relu"), [grid(5, 2, 4)], recurrent

    # Attention
    pair = lambda **o: lambda: nn.MultiheadAttention(4, 2, **o)
    first = {"batchfirst": True}
    x = lambda *shape: grid(*(shape or (2, 4, 4)))
    yield "attention to itself", ["attention", 4, 2], pair(), [x(3, 2, 4)], attend
    yield "attention batch first", ["attention", 4, 2, first], pair(batch_first=True), [x()], attend
    yield "attention of one step", ["attention", 4, 2, first], pair(batch_first=True), [x(2, 1, 4)], attend
    yield "attention without a batch", ["attention", 4, 2], pair(), [x(3, 4)], attend
    yield "attention of an empty batch", ["attention", 4, 2, first], pair(batch_first=True), [x(0, 3, 4)], attend
    yield "attention of one head", ["attention", 4, 1, first], lambda: nn.MultiheadAttention(4, 1, batch_first=True), [
        x()
    ], attend
    yield "attention without bias", ["attention", 4, 2, 0, False], pair(bias=False), [x(3, 2, 4)], attend
    cross = lambda: [x(2, 3, 4), x(2, 4, 4), x(2, 4, 4)]
    yield "attention across", ["attention", 4, 2, first], pair(batch_first=True), cross(), attend
    yield "attention of other sizes", ["attention", 4, 2, {**first, "kdim": 3, "vdim": 5}], (
        pair(batch_first=True, kdim=3, vdim=5)
    ), [x(2, 3, 4), x(2, 4, 3), x(2, 4, 5)], attend
    yield "attention weights", ["attention", 4, 2, {**first, "weights": True}], pair(batch_first=True), (
        cross() + [flags([[0, 0, 0, 1], [0, 0, 0, 0]]), HIDDEN]
    ), attend_weights
    yield "attention weights without a batch", ["attention", 4, 2, {"need_weights": True}], pair(), [
        x(3, 4), x(4, 4), x(4, 4)
    ], attend_weights
    yield "attention padding", ["attention", 4, 2, first], pair(batch_first=True), cross() + [PADDING], attend
    yield "attention mask", ["attention", 4, 2, first], pair(batch_first=True), cross() + [None, HIDDEN], attend
    yield "attention mask of numbers", ["attention", 4, 2, first], pair(batch_first=True), (
        cross() + [None, grid(3, 4)]
    ), attend
    infinite = np.where(HIDDEN, -np.inf, 0.25)
    yield "attention mask with infinities", ["attention", 4, 2, first], pair(batch_first=True), (
        cross() + [None, infinite]
    ), attend
    yield "attention padding of numbers", ["attention", 4, 2, first], pair(batch_first=True), (
        cross() + [grid(2, 4), grid(3, 4)]
    ), attend
    yield "attention mask of each head", ["attention", 4, 2, first], pair(batch_first=True), (
        cross() + [PADDING, rng.integers(0, 2, (4, 3, 4)) == 1]
    ), attend
    hidden_all = flags([[1, 1, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0]])
    yield "attention without keys", ["attention", 4, 2, first], pair(batch_first=True), (
        cross() + [PADDING, hidden_all]
    ), attend
    yield "attention causal", ["attention", 4, 2, {**first, "causal": True}], pair(batch_first=True), [x()], causal
    same = x()
    yield "attention causal and padding", ["attention", 4, 2, {"is_causal": True, **first}], pair(batch_first=True), [
        same, same, same, flags([[0, 0, 0, 1], [0, 0, 1, 1]])
    ], causal
    for name, more in (("addbias", {"add_bias_kv": True}), ("addzero", {"add_zero_attn": True})):
        yield f"attention {name}", ["attention", 4, 2, {name: True}], pair(**more), [x(3, 2, 4)], attend
        yield f"attention {name} masks", ["attention", 4, 2, {name: True, **first}], pair(batch_first=True, **more), (
            cross() + [PADDING, hidden_all]
        ), attend
    both = {"add_bias_kv": True, "add_zero_attn": True}
    yield "attention addbias addzero", ["attention", 4, 2, 0, True, True, True], pair(**both), [
        x(3, 2, 4), x(4, 2, 4), x(4, 2, 4), PADDING
    ], attend
    for norm in (False, True):
        word = " norm" if norm else ""
        make = lambda norm=norm: SelfAttention(4, 2, norm)
        yield f"selfattention{word}", ["selfattention", 4, 2, 0, norm], make, [x()]
        above = np.triu(np.full((6, 6), -np.inf), 1)
        yield f"selfattention{word} mask", ["selfattention", 4, 2, {"norm": norm}], make, [x(), above]
        yield f"selfattention{word} causal", ["selfattention", 4, 2, {"norm": norm, "causal": True}], make, [
            x()
        ], lambda module, x: [module(x, torch.full((4, 4), -float("inf"), dtype=x.dtype).triu(1))]
        yield f"selfattention{word} padding", ["selfattention", 4, 2, {"norm": norm}], make, [x(), None, PADDING]

    # Layers of transformers
    for name, ours, theirs in (
        ("", {}, {}),
        (" norm first", {"normfirst": True}, {"norm_first": True}),
        (" gelu", {"fn": "gelu", "eps": 0.01}, {"activation": "gelu", "layer_norm_eps": 0.01}),
    ):
        encoder = lambda theirs=theirs: nn.TransformerEncoderLayer(4, 2, 6, **BLOCK, **theirs)
        decoder = lambda theirs=theirs: nn.TransformerDecoderLayer(4, 2, 6, **BLOCK, **theirs)
        ours = {**ours, "batchfirst": True}
        yield f"encoderlayer{name}", ["encoderlayer", 4, 2, 6, 0, ours], encoder, [x()]
        yield f"encoderlayer{name} masks", ["encoderlayer", 4, 2, 6, 0, ours], encoder, [x(), SQUARE, PADDING]
        yield f"encoderlayer{name} causal", ["encoderlayer", 4, 2, 6, 0, {**ours, "causal": True}], encoder, [
            x()
        ], causal_target
        yield f"decoderlayer{name}", ["decoderlayer", 4, 2, 6, 0, ours], decoder, [x(2, 3, 4), x()]
        yield f"decoderlayer{name} masks", ["decoderlayer", 4, 2, 6, 0, ours], decoder, [
            x(2, 3, 4), x(), SQUARE[:3, :3], HIDDEN, flags([[0, 0, 1], [0, 0, 0]]), PADDING
        ]
        yield f"decoderlayer{name} memory padding", ["decoderlayer", 4, 2, 6, 0, ours], decoder, [
            x(2, 3, 4), x(), None, None, None, PADDING
        ]
        yield f"decoderlayer{name} causal", ["decoderlayer", 4, 2, 6, 0, {**ours, "causal": True}], decoder, [
            x(2, 3, 4), x()
        ], causal_target
    yield "encoderlayer sequence first", ["encoderlayer", {"d_model": 4, "nhead": 2, "dim_feedforward": 6, "dropout": 0}], (
        lambda: nn.TransformerEncoderLayer(4, 2, 6, 0)
    ), [x(3, 2, 4), None, flags([[0, 0, 1], [0, 0, 0]])]
    yield "encoderlayer without a batch", ["encoderlayer", 4, 2, 6, 0], lambda: nn.TransformerEncoderLayer(4, 2, 6, 0), [
        x(3, 4)
    ]
    yield "encoder", ["encoder", 4, 2, 2, 6, 0, {"batchfirst": True}], (
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 6, **BLOCK), 2)
    ), [x(), SQUARE, PADDING]
    yield "encoder norm", ["encoder", 4, 2, 1, 6, 0, "relu", True], (
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 6, 0), 1, nn.LayerNorm(4))
    ), [x(3, 2, 4)]
    yield "encoder causal", ["encoder", 4, 2, 2, 6, 0, "gelu", {"batchfirst": True, "causal": True, "normfirst": True}], (
        lambda: nn.TransformerEncoder(
            nn.TransformerEncoderLayer(4, 2, 6, activation="gelu", norm_first=True, **BLOCK), 2
        )
    ), [x()], causal_target
    yield "decoder", ["decoder", 4, 2, 2, 6, 0, "relu", True, {"batchfirst": True}], (
        lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 6, **BLOCK), 2, nn.LayerNorm(4))
    ), [x(2, 3, 4), x(), SQUARE[:3, :3], HIDDEN, None, PADDING]
    yield "transformer", ["transformer", 4, 2, 2, 1, 6, 0, {"batchfirst": True}], (
        lambda: nn.Transformer(4, 2, 2, 1, 6, **BLOCK)
    ), [x(), x(2, 3, 4)]
    yield "transformer masks", ["transformer", 4, 2, 1, 2, 6, 0, "gelu", {"batchfirst": True, "normfirst": True}], (
        lambda: nn.Transformer(4, 2, 1, 2, 6, activation="gelu", norm_first=True, **BLOCK)
    ), [x(), x(2, 3, 4), SQUARE, SQUARE[:3, :3], HIDDEN, PADDING, flags([[0, 0, 1], [0, 0, 0]]), PADDING]
    yield "transformer causal", ["transformer", 4, 2, 1, 1, 6, 0, {"causal": True}], (
        lambda: nn.Transformer(4, 2, 1, 1, 6, 0)
    ), [x(4, 2, 4), x(3, 2, 4)], causal_target

    # Bilinear
    yield "bilinear", ["bilinear", 3, 4, 2], lambda: nn.Bilinear(3, 4, 2), [grid(5, 3), grid(5, 4)]
    yield "bilinear without bias", ["bilinear", 3, 4, 2, False], lambda: nn.Bilinear(3, 4, 2, bias=False), [
        grid(2, 3, 3), grid(2, 3, 4)
    ]
    yield "bilinear of one dimension", ["bilinear", 3, 4, 2], lambda: nn.Bilinear(3, 4, 2), [grid(3), grid(4)]


TRAINED = {
    "embedding padindex", "embedding maxnorm", "embedbag mean padindex", "embedseq", "rnn deep", "lstm deep", "gru of lengths",
    "attention across", "attention of other sizes", "attention addbias masks", "selfattention norm causal",
    "encoderlayer masks", "decoderlayer norm first masks", "transformer", "bilinear",
}


def numbers(tensor):
    """Nested numbers, of a float tensor with no more digits than tell its values apart; numpy has no bfloat16."""
    tensor = tensor.detach()
    array = (tensor.float() if tensor.itemsize == 2 else tensor).numpy()
    if array.dtype == np.float32:
        array = np.array([float(str(x)) for x in array.flat], dtype=np.float64).reshape(array.shape)
    return array.tolist()


def tensor_of(array, dtype):
    if array is None:
        return None
    return torch.tensor(array) if array.dtype in (np.int64, bool) else torch.tensor(array, dtype=dtype)


def described(array):
    """An input: its kind, and its numbers; null is -infinity. Without numbers its shape."""
    if array is None:
        return None
    kind = {np.dtype(bool): "bool", np.dtype(np.int64): "long"}.get(array.dtype, "number")
    if 0 in array.shape:
        return {"kind": kind, "shape": list(array.shape)}
    infinite = lambda x: [infinite(y) for y in x] if isinstance(x, list) else None if x == -np.inf else x
    return {"kind": kind, "numbers": infinite(array.tolist())}


def prepared(make, dtype, parameters):
    module = make().to(dtype)
    with torch.no_grad():
        for key, value in module.named_parameters():
            value.copy_(torch.tensor(parameters[key], dtype=dtype))
    return module


def loss_of(outputs, weights, dtype):
    """The sum of products with weights of all outputs, so that each element has a gradient of its own."""
    return sum((output * torch.tensor(weight, dtype=dtype)).sum() for output, weight in zip(outputs, weights))


def record(name, specification, make, inputs, call=one):
    parameters = {key: grid(*value.shape, low=-0.8, high=0.8) for key, value in make().named_parameters()}
    with torch.no_grad():
        module = prepared(make, torch.float64, parameters)
        outputs = call(module, *[tensor_of(x, torch.float64) for x in inputs])
    weights = [grid(*output.shape) for output in outputs]
    recording = {
        "name": name,
        "module": specification,
        "parameters": {key: value.tolist() for key, value in parameters.items()},
        "inputs": [described(x) for x in inputs],
        "weights": [weight.tolist() for weight in weights],
        "expected": {
            word: expected(name, make, word, parameters, inputs, weights, call) for word in DTYPES
        },
    }
    return recording


def expected(name, make, word, parameters, inputs, weights, call):
    dtype = DTYPES[word]
    module = prepared(make, dtype, parameters)
    tensors = [tensor_of(x, dtype) for x in inputs]
    for x in tensors:
        if x is not None and x.is_floating_point():
            x.requires_grad_(True)
    outputs = call(module, *tensors)
    found = {"outputs": [numbers(output) for output in outputs], "shapes": [list(output.shape) for output in outputs]}
    if any(output.requires_grad for output in outputs):
        loss_of(outputs, weights, dtype).backward()
        found["gradients"] = {key: numbers(value.grad) for key, value in module.named_parameters()}
        # A gradient of a mask with infinities is NaN where it is infinite in one of them and 0 in the other.
        found["inputGradients"] = [
            None if x is None or x.grad is None or not x.isfinite().all() else numbers(x.grad) for x in tensors
        ]
    if name in TRAINED and word in TRAINED_TOLERANCE:
        found["trained"] = trained(make, dtype, parameters, inputs, weights, call)
    return found


def trained(make, dtype, parameters, inputs, weights, call):
    """The parameters after steps of SGD with momentum on the mean of squares of the outputs minus the weights."""
    module = prepared(make, dtype, parameters)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.9)
    for _ in range(STEPS):
        optimizer.zero_grad()
        outputs = call(module, *[tensor_of(x, dtype) for x in inputs])
        loss = sum(((output - torch.tensor(weight, dtype=dtype)) ** 2).mean() for output, weight in zip(outputs, weights))
        loss.backward()
        optimizer.step()
    return {key: numbers(value) for key, value in module.named_parameters()}


def written(recording):
    try:
        return json.dumps(recording, separators=(",", ":"), allow_nan=False)
    except ValueError:
        raise SystemExit(f"{recording['name']} holds a number that JSON has not") from None


def main():
    if torch.__version__.split("+")[0] != TORCH_VERSION:
        raise SystemExit(f"needs torch {TORCH_VERSION}, this is {torch.__version__}")
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.backends.mkldnn.set_flags(False)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    recordings = [record(*row) for row in rows()]
    missing = TRAINED - {recording["name"] for recording in recordings}
    if missing:
        raise SystemExit(f"no recordings named {missing}")
    lines = ",\n".join(written(recording) for recording in recordings)
    tolerances = f'"tolerance":{json.dumps(TOLERANCE)},\n"trained":{json.dumps(TRAINED_TOLERANCE)}'
    (folder / "sequence.json").write_text(f'{{{tolerances},\n"recordings":[\n{lines}\n]}}\n')


main()
