"""Records how PyTorch trains containers and own modules, for Stepwell's to be compared with.

Writes own-modules.json beside this script. Recorded with Python 3.11, torch 2.11.0 and numpy 2.4.6 on the CPU. To run it again:
  pip install torch==2.11.0 numpy
  python test/parity/record_own_modules.py [folder]
Two runs give the same bytes: everything random comes from a fixed seed, torch runs on one thread, and its vector kernels are
off. own-modules.test.ts has the same nets.
"""

import json
import math
import os
import sys
from pathlib import Path

os.environ["ATEN_CPU_CAPABILITY"] = "default"  # read when torch loads

import numpy as np
import torch
from torch import nn

SEED = 20261129
STEPS = 10


class Residual(nn.Module):
    """The container `residual` of ktorch."""

    def __init__(self, q1, q2=None, fn=None):
        super().__init__()
        self.q1 = q1
        if q2 is not None:
            self.q2 = q2
        if fn is not None:
            self.fn = fn

    def forward(self, *x):
        y = self.q1(*x) + (self.q2(*x) if hasattr(self, "q2") else x[0])
        return self.fn(y) if hasattr(self, "fn") else y


class Cat(nn.Module):
    def forward(self, x, y):
        return torch.cat([x, y], 1)


class SeqJoin(nn.Module):
    """The container `seqjoin` of ktorch."""

    def __init__(self, qx, qy, join):
        super().__init__()
        self.qx, self.qy, self.join = qx, qy, join

    def forward(self, x, y=None):
        return self.join(self.qx(x), self.qy(x if y is None else y))


class Fork(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.a, self.b = a, b

    def forward(self, x):
        return self.a(x), self.b(x)


class NBeats(nn.Module):
    """The container `nbeats` of ktorch: the first stack is a list of blocks."""

    def __init__(self, stack, block):
        super().__init__()
        self.add_module("0", stack)
        self.add_module("1", block)

    def forward(self, x):
        y = 0
        for block in [*self.get_submodule("0"), self.get_submodule("1")]:
            backcast, forecast = block(x)
            x, y = x - backcast, y + forecast
        return y


class SeqList(nn.Module):
    """The container `seqlist` of ktorch, whose first sequence takes two inputs and whose second takes one."""

    def __init__(self, *sequences):
        super().__init__()
        for position, sequence in enumerate(sequences):
            self.add_module(str(position), sequence)

    def forward(self, x, y):
        first = self.get_submodule("0")
        return self.get_submodule("1")(first[1:](first[0](x, y)))


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(width, 2 * width), nn.Tanh(), nn.Linear(2 * width, width))
        self.scale = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return x + self.inner(x) * self.scale


class Mixture(nn.Module):
    """Lists and dictionaries of modules and of parameters, and a buffer."""

    def __init__(self):
        super().__init__()
        self.register_buffer("shift", torch.zeros(4))
        self.blocks = nn.ModuleList([Block(4), Block(4)])
        self.heads = nn.ModuleDict({"left": nn.Linear(4, 2), "right": nn.Linear(4, 2)})
        self.weights = nn.ParameterList([torch.zeros(2), torch.zeros(2)])

    def forward(self, x):
        x = x + self.shift
        for block in self.blocks:
            x = block(x)
        return self.heads["left"](x) * self.weights[0] + self.heads["right"](x) * self.weights[1]


class Attention(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.width = width

    def forward(self, x):
        length = x.shape[1]
        q, k, v = self.qkv(x).split(self.width, 2)
        scores = q @ k.transpose(1, 2) / math.sqrt(self.width)
        mask = torch.ones(length, length, dtype=torch.bool).tril()
        scores = scores.masked_fill(~mask, -1e9)
        return self.out(torch.softmax(scores, 2) @ v)


class Transformer(nn.Module):
    """A causal transformer whose head has the weights of its embedding."""

    def __init__(self, words, width, length):
        super().__init__()
        self.position = nn.Parameter(torch.zeros(length, width))
        self.embed = nn.Embedding(words, width)
        self.norm = nn.LayerNorm(width)
        self.attention = Attention(width)
        self.block = Block(width)

    def forward(self, x):
        x = self.embed(x) + self.position
        x = x + self.attention(self.norm(x))
        return self.block(x) @ self.embed.weight.T


class Tied(nn.Module):
    """One module and one parameter under two names each."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(3, 3))
        self.v = self.w
        self.first = nn.Linear(3, 3)
        self.second = self.first

    def forward(self, x):
        return self.second(torch.tanh(self.first(x @ self.w))) @ self.v.T


class Two(nn.Module):
    """Two inputs and two outputs."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(3, 2)
        self.b = nn.Linear(2, 2)

    def forward(self, x, y):
        z = self.a(x) * self.b(y)
        return z, torch.sigmoid(z)


def rows(*sizes):
    return lambda rng: grid(rng, sizes, -2, 2)


def block_of(width, outputs):
    return nn.Sequential(nn.Linear(width, 5), nn.Tanh(), Fork(nn.Linear(5, width), nn.Linear(5, outputs)))


# name, maker, makers of the inputs, classes of the targets (0 for numbers).
NETS = [
    ("residual", lambda: Residual(nn.Sequential(nn.Linear(4, 4), nn.Tanh())), [rows(5, 4)], 0),
    (
        "residual of two",
        lambda: Residual(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), nn.Sequential(nn.Linear(4, 3)), nn.Tanh()),
        [rows(5, 4)],
        0,
    ),
    (
        "seqjoin",
        lambda: SeqJoin(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), nn.Sequential(nn.Linear(2, 3)), Cat()),
        [rows(6, 3), rows(6, 2)],
        0,
    ),
    (
        "seqlist",
        lambda: SeqList(nn.Sequential(Cat(), nn.Linear(5, 4), nn.Tanh()), nn.Sequential(nn.Linear(4, 2))),
        [rows(6, 3), rows(6, 2)],
        0,
    ),
    ("nbeats", lambda: NBeats(nn.ModuleList([block_of(6, 2), block_of(6, 2)]), block_of(6, 2)), [rows(4, 6)], 0),
    ("mixture", Mixture, [rows(5, 4)], 0),
    ("transformer", lambda: Transformer(7, 8, 5), [lambda rng: rng.integers(0, 7, (3, 5))], 7),
    ("tied", Tied, [rows(5, 3)], 0),
    ("two", Two, [rows(5, 3), rows(5, 2)], 0),
]


def grid(rng, shape, low, high):
    """Random numbers that are the same in float and double, and short in a file."""
    return np.round(rng.uniform(low, high, shape) * 1024) / 1024


def as_tensor(array):
    return torch.tensor(array, dtype=torch.int64 if array.dtype == np.int64 else torch.float64)


def record(rng, name, make, makers, classes):
    module = make().double()
    parameters = {key: grid(rng, tuple(value.shape), -0.8, 0.8) for key, value in module.named_parameters()}
    buffers = {key: grid(rng, tuple(value.shape), -0.8, 0.8) for key, value in module.named_buffers()}
    inputs = [maker(rng) for maker in makers]
    with torch.no_grad():
        for key, value in [*module.named_parameters(), *module.named_buffers()]:
            value.copy_(torch.tensor({**parameters, **buffers}[key]))
        first = module(*map(as_tensor, inputs))
    outputs = [output.tolist() for output in (first if isinstance(first, tuple) else (first,))]
    shape = (first[1] if isinstance(first, tuple) else first).shape
    target = rng.integers(0, classes, tuple(shape[:-1])) if classes else grid(rng, tuple(shape), -1, 1)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.05)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        output = module(*map(as_tensor, inputs))
        if isinstance(output, tuple):
            output = output[0] + output[1]
        if classes:
            loss = nn.functional.cross_entropy(output.flatten(0, 1), as_tensor(target).flatten())
        else:
            loss = nn.functional.mse_loss(output, as_tensor(target))
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    return {
        "name": name,
        "parameters": {key: value.tolist() for key, value in parameters.items()},
        "buffers": {key: value.tolist() for key, value in buffers.items()},
        "state": list(module.state_dict()),
        "inputs": [values.tolist() for values in inputs],
        "classes": classes,
        "outputs": outputs,
        "target": target.tolist(),
        "losses": losses,
        "trained": {key: value.tolist() for key, value in module.named_parameters()},
    }


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    rng = np.random.default_rng(SEED)
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    recordings = [record(rng, *net) for net in NETS]
    text = json.dumps({"torch": torch.__version__.split("+")[0], "recordings": recordings}, indent=1)
    (folder / "own-modules.json").write_text(text + "\n")


main()
