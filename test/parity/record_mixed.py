"""Records the trajectories that training in 16 bits, loss scales and averages are compared with: mixed.json.

  masters   parameters of half and bfloat16: PyTorch's own optimizer on float32 copies, with the gradients of 16 bits cast
            to float32, and the parameters cast back after each step
  scaling   torch.amp.GradScaler("cpu") on the float32 copies, with gradients that are not finite in some steps
  average   torch.optim.swa_utils.AveragedModel with get_ema_multi_avg_fn, of float32, float64 and the float32 copies

For lamb, which PyTorch lacks, the float64 reference of record.py.

Recorded with Python 3.11, torch 2.11.0 and numpy 2.4.6: python test/parity/record_mixed.py
"""

import json
import math
from pathlib import Path

from record import DEFAULTS, lamb_step, make_torch  # sets up torch

import numpy as np
import torch

from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

SIZES = (7, 3, 1)
STEPS = 30
KEPT = (1, 2, 10, 30)
TYPES = {"float": torch.float32, "double": torch.float64, "half": torch.float16, "bfloat16": torch.bfloat16}
VARIANTS = {
    "adagrad": [{"lr": 0.1}, {"lr": 0.1, "lrdecay": 0.02, "decay": 0.05, "init": 0.2, "eps": 0.001}],
    "adam": [{"lr": 0.01}, {"lr": 0.02, "beta1": 0.7, "beta2": 0.9, "eps": 0.001, "decay": 0.1, "amsgrad": True}],
    "adamw": [{"lr": 0.01}, {"lr": 0.02, "beta1": 0.7, "beta2": 0.9, "decay": 0.1, "maximize": True}],
    "lamb": [{"lr": 0.01}, {"lr": 0.05, "decay": 0.1, "trustclip": False}],
    "rmsprop": [{"lr": 0.01}, {"lr": 0.002, "alpha": 0.9, "momentum": 0.7, "centered": True, "decay": 0.02}],
    "sgd": [{"lr": 0.1}, {"lr": 0.05, "momentum": 0.9, "nesterov": True, "decay": 0.1}],
}


def numbers(tensors):
    return [t.detach().double().flatten().tolist() for t in tensors]


def draw(random, dtype):
    """Numbers of that dtype, one tensor for each size."""
    return [torch.tensor(random.standard_normal(size)).to(dtype) for size in SIZES]


def wide(tensors):
    return [t.clone() if t.dtype == torch.float64 else t.to(torch.float32, copy=True) for t in tensors]


class Lamb:
    """The reference of record.py on tensors."""

    def __init__(self, options, tensors):
        self.options, self.tensors, self.states = {**DEFAULTS["lamb"], **options}, tensors, {}
        self.exact = [t.detach().double().numpy() for t in tensors]

    def step(self):
        gradients = [t.grad.double().numpy() for t in self.tensors]
        after = list(self.exact)
        lamb_step(after, gradients, self.states, [self.options] * len(after))
        self.exact = after
        for tensor, values in zip(self.tensors, after):
            tensor.data.copy_(torch.tensor(values))


class Torch:
    def __init__(self, name, options, tensors):
        self.optimizer = make_torch(name, {**DEFAULTS[name], **options}, tensors)

    def step(self):
        self.optimizer.step()


def make(name, options, tensors):
    return Lamb(options, tensors) if name == "lamb" else Torch(name, options, tensors)


def trajectory(random, name, options, dtype, decay=None):
    parameters = draw(random, TYPES[dtype])
    gradients = [draw(random, TYPES[dtype]) for _ in range(STEPS)]
    masters = [torch.nn.Parameter(p) for p in wide(parameters)]
    optimizer = make(name, options, masters)
    module = torch.nn.ParameterList(masters)
    averaged = decay and AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(decay))
    kept = {}
    for number, rows in enumerate(gradients, 1):
        for master, gradient in zip(masters, wide(rows)):
            master.grad = gradient
        optimizer.step()
        if averaged:
            averaged.update_parameters(module)
        if number in KEPT:
            kept[number] = {"masters": numbers(masters), "parameters": numbers(m.to(TYPES[dtype]) for m in masters)}
            if averaged:
                kept[number]["average"] = numbers(averaged.module.parameters())
    return {
        "optimizer": name, "dtype": dtype, "options": options, "moments": "full",
        "average": decay, "parameters": numbers(parameters), "gradients": [numbers(rows) for rows in gradients],
        "expected": kept,
    }


BAD = {2: (0, 1, math.inf), 5: (1, 0, math.nan), 6: (2, 0, -math.inf), 7: (0, 6, math.inf), 20: (0, 0, math.nan)}


def scaling(random, name, options, dtype, scaler_options, clip):
    """What the scale makes of gradients, some of which are not finite, and of the parameters."""
    parameters = draw(random, TYPES[dtype])
    masters = [torch.nn.Parameter(p) for p in wide(parameters)]
    optimizer = make_torch(name, {**DEFAULTS[name], **options}, masters)
    names = {"init": "init_scale", "growth": "growth_factor", "backoff": "backoff_factor", "interval": "growth_interval"}
    scaler = torch.amp.GradScaler("cpu", **{names[k]: v for k, v in scaler_options.items()})
    given, trace, kept = [], [], {}
    for number in range(1, STEPS + 1):
        scaler.scale(torch.ones(()))  # makes the scale
        scale = scaler.get_scale()
        # As a backward from the scale leaves them.
        rows = [(g.double() * scale / 64).to(TYPES[dtype]) for g in draw(random, torch.float64)]
        bad = BAD.get(number)
        if bad:
            rows[bad[0]][bad[1]] = bad[2]
        given.append([[str(x) if not math.isfinite(x) else x for x in row] for row in numbers(rows)])
        for master, gradient in zip(masters, wide(rows)):
            master.grad = gradient
        scaler.unscale_(optimizer)
        if "clipnorm" in clip:
            torch.nn.utils.clip_grad_norm_(masters, clip["clipnorm"])
        if "clipvalue" in clip:
            torch.nn.utils.clip_grad_value_(masters, clip["clipvalue"])
        scaler.step(optimizer)
        scaler.update()
        trace.append([scaler.get_scale(), scaler.state_dict()["_growth_tracker"]])
        if number in KEPT:
            kept[number] = {"masters": numbers(masters), "parameters": numbers(m.to(TYPES[dtype]) for m in masters)}
    return {
        "optimizer": name, "dtype": dtype, "options": options, "scaling": scaler_options, "clip": clip,
        "parameters": numbers(parameters), "gradients": given, "scales": trace, "expected": kept,
    }


def main():
    random = np.random.default_rng(20261123)
    rows = [(name, options) for name, variants in VARIANTS.items() for options in variants]
    reduced = ("half", "bfloat16")
    masters = [trajectory(random, *row, dtype) for row in rows for dtype in reduced]
    # Recordings that were removed; drawing their numbers keeps the later ones unchanged.
    for name, options in rows:
        for dtype in ("float", *reduced):
            if name != "sgd" or "momentum" in options:
                for _ in range(1 + STEPS):
                    draw(random, TYPES[dtype])
    average = [
        trajectory(random, name, VARIANTS[name][1], dtype, decay)
        for name in VARIANTS for dtype, decay in
        [("float", 0.9), ("double", 0.99), ("half", 0.9), ("bfloat16", 0.3)] if name != "lamb" or dtype != "double"
    ]
    scalers = [
        {}, {"init": 1024, "interval": 3}, {"init": 3000, "growth": 1.7, "backoff": 0.3, "interval": 2},
        {"init": 2.0**126, "interval": 1}, {"init": 0.125, "growth": 4, "interval": 4},
    ]
    scaled = [
        scaling(random, name, VARIANTS[name][1], dtype, options, clip)
        for dtype in ("float", *reduced)
        for name, options, clip in [
            ("adam", scalers[1], {}), ("sgd", scalers[2], {}), ("rmsprop", scalers[4], {"clipnorm": 0.01}),
            ("adamw", scalers[1], {"clipvalue": 0.01}), ("adagrad", scalers[0], {}),
        ]
    ]
    scaled += [scaling(random, "sgd", VARIANTS["sgd"][1], dtype, scalers[3], {}) for dtype in ("float", "bfloat16")]
    recorded = {"masters": masters, "average": average, "scaling": scaled}
    lines = [f"{json.dumps(kind)}: [\n" + ",\n".join(map(json.dumps, rows)) + "\n]" for kind, rows in recorded.items()]
    Path(__file__).with_name("mixed.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
