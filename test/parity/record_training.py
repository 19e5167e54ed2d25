"""Records a training run of PyTorch, for an engine's own to be compared with.

Writes training.json beside this script: a network of two layers with cross entropy and Adam, 100 steps over four batches
in turn. Recorded with Python 3.11, torch 2.11.0 and numpy 2.4.6 on the CPU. To run it again:
  pip install torch==2.11.0 numpy
  python test/parity/record_training.py [folder]
Two runs give the same bytes. README.md describes the format.
"""

import json
import os
import sys
from pathlib import Path

os.environ["ATEN_CPU_CAPABILITY"] = "default"  # read when torch loads

import numpy as np
import torch
from torch import nn

TORCH_VERSION = "2.11.0"
SEED = 20240614
DTYPES = {"double": torch.float64, "float": torch.float32}
# After 100 steps; in float the roundings of two orders of summation have grown apart.
TOLERANCE = {"double": {"rtol": 1e-10, "atol": 1e-12}, "float": {"rtol": 1e-4, "atol": 1e-5}}
INPUTS, HIDDEN, CLASSES, BATCH, BATCHES, STEPS, LR = 6, 16, 4, 8, 4, 100, 0.01


def multiples(generator, *shape):
    """Multiples of 1/1024, which are the same in float and double."""
    return (np.round(generator.standard_normal(shape) * 1024) / 1024).tolist()


def run(dtype, parameters, inputs, targets):
    net = nn.Sequential(nn.Linear(INPUTS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, CLASSES)).to(dtype)
    with torch.no_grad():
        for name, values in parameters.items():
            net.get_parameter(name).copy_(torch.tensor(values, dtype=dtype))
    optimizer = torch.optim.Adam(net.parameters(), lr=LR, foreach=False)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        x = torch.tensor(inputs[step % BATCHES], dtype=dtype)
        loss = nn.functional.cross_entropy(net(x), torch.tensor(targets[step % BATCHES]))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {"losses": losses, "parameters": {name: p.tolist() for name, p in net.named_parameters()}}


def main():
    assert torch.__version__.split("+")[0] == TORCH_VERSION, torch.__version__
    torch.set_num_threads(1)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    generator = np.random.default_rng(SEED)
    shapes = {"0.weight": (HIDDEN, INPUTS), "0.bias": (HIDDEN,), "2.weight": (CLASSES, HIDDEN), "2.bias": (CLASSES,)}
    parameters = {name: multiples(generator, *shape) for name, shape in shapes.items()}
    inputs = multiples(generator, BATCHES, BATCH, INPUTS)
    targets = generator.integers(0, CLASSES, (BATCHES, BATCH)).tolist()
    relu, linear = "relu", "linear"
    recording = {
        "tolerance": TOLERANCE,
        "module": {
            "container": "sequential",
            "children": [[linear, INPUTS, HIDDEN], relu, [linear, HIDDEN, CLASSES]],
        },
        "optimizer": ["adam", LR],
        "parameters": parameters,
        "inputs": inputs,
        "targets": targets,
        "expected": {name: run(dtype, parameters, inputs, targets) for name, dtype in DTYPES.items()},
    }
    (folder / "training.json").write_text(json.dumps(recording, separators=(",", ":")) + "\n")


main()
