"""Records the reference trajectories that Stepwell's optimizers are compared with.

Writes one file per optimizer to recordings/ beside this script:
  adagrad, adam, adamw, rmsprop, sgd, lbfgs   recorded from torch.optim (PyTorch 2.11.0, CPU,
                                              single-tensor mode: foreach=False, fused=False)
  lamb                                        PyTorch has no LAMB: printed values of ktorch's lamb.cpp,
                                              and trajectories of the float64 reference in this file
README.md describes the format.

Recorded with Python 3.11, torch 2.11.0 and numpy 2.4.6. To run it again:
  pip install torch==2.11.0 numpy
  python test/parity/record.py [folder]
Two runs give the same bytes: everything random comes from a fixed seed, torch runs on one thread,
and its vector kernels are off, so that the last bits do not depend on the processor's vector width.
"""

import json
import math
import os
import sys
from pathlib import Path

os.environ["ATEN_CPU_CAPABILITY"] = "default"  # read when torch loads

import numpy as np
import torch

TORCH_VERSION = "2.11.0"
SEED = 20240520
SIZES = (6, 3, 1)
STEPS = 100
KEPT = (1, 2, 10, 50, 100)
DTYPES = {"double": (np.float64, torch.float64), "float": (np.float32, torch.float32)}

# The defaults of torch.testing.assert_close; L-BFGS in float has a wider tolerance, since the steps magnify one rounding of a
# gradient.
TOLERANCE = {
    "double": {"rtol": 1e-7, "atol": 1e-7},
    "float": {"rtol": 1.3e-6, "atol": 1e-5},
}
LBFGS_TOLERANCE = {**TOLERANCE, "float": {"rtol": 1e-5, "atol": 1e-4}}

# Every option of every optimizer with Stepwell's default. All of them are handed to torch
# explicitly, so that a default of torch never enters a recording.
ADAM = {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "decay": 0, "amsgrad": False, "maximize": False}
DEFAULTS = {
    "adagrad": {"lr": 0.01, "lrdecay": 0, "decay": 0, "init": 0, "eps": 1e-10, "maximize": False},
    "adam": ADAM,
    "adamw": {**ADAM, "decay": 0.01},
    "rmsprop": {
        "lr": 0.01, "alpha": 0.99, "eps": 1e-8, "decay": 0, "momentum": 0, "centered": False, "maximize": False,
    },
    "sgd": {"lr": 0.01, "momentum": 0, "dampening": 0, "decay": 0, "nesterov": False, "maximize": False},
    "lamb": {
        "lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "decay": 0, "unbiased": True,
        "globalnorm": True, "trustclip": True, "trustmin": 0, "trustmax": 1, "max_grad_norm": None,
        "grad_averaging": True, "l2": False, "use_nvlamb": True, "maximize": False,
    },
    "lbfgs": {
        "lr": 1, "iter": 20, "eval": None, "gradtol": 1e-7, "changetol": 1e-9, "history": 100,
        "search": None, "maximize": False,
    },
}

TORCH_NAMES = {
    "decay": "weight_decay", "lrdecay": "lr_decay", "init": "initial_accumulator_value",
    "iter": "max_iter", "eval": "max_eval", "gradtol": "tolerance_grad",
    "changetol": "tolerance_change", "history": "history_size", "search": "line_search_fn",
}

TORCH_CLASSES = {
    "adagrad": (torch.optim.Adagrad, {"foreach": False, "fused": False}),
    "adam": (torch.optim.Adam, {"foreach": False, "fused": False}),
    "adamw": (torch.optim.AdamW, {"foreach": False, "fused": False}),
    "rmsprop": (torch.optim.RMSprop, {"foreach": False}),
    "sgd": (torch.optim.SGD, {"foreach": False, "fused": False}),
    "lbfgs": (torch.optim.LBFGS, {}),
}

# Gradients that are left out (the parameter has none in that step) or set to zero: [step, parameter].
MISSING = [[1, 1], [2, 0], [3, 1], *([s, 1] for s in range(8, 13)), [30, 0], [30, 2], [50, 2],
           *([s, 0] for s in range(70, 76)), [99, 1], [100, 2]]
ZERO = [[1, 0], [2, 0], [4, 0], [4, 1], [4, 2], *([s, 1] for s in range(20, 26)), [50, 2],
        *([s, 0] for s in range(80, 91)), [100, 1]]
LR_EDIT = {"20": {"lr": 0.0005}, "60": {"lr": 0.01}, "90": {"lr": 0}}
MAXIMIZE_EDIT = {"20": {"maximize": True}, "60": {"maximize": False, "lr": 0.002}}


def climbing(richest):
    """Variants with `maximize` for every optimizer; `richest` has its other options."""
    up = {"maximize": True}
    return [
        ("maximize", up),
        ("maximize lr decay", {"lr": 0.02, "decay": 0.1, **up}),
        ("maximize and all", {**richest, **up}),
        ("maximize missing gradients", {**richest, **up}, {"missing": MISSING}),
        ("maximize zero gradients", {"decay": 0.1, **up}, {"zero": ZERO}),
        ("maximize lr edit", up, {"edits": LR_EDIT}),
        ("maximize edit", {"decay": 0.1}, {"edits": MAXIMIZE_EDIT}),
        ("maximize and all edit", {**richest, **up}, {"edits": {"30": {"maximize": False}, "31": {"lr": 0.003}}}),
        ("missing and zero gradients, lr edit", richest, {"missing": MISSING[:8], "zero": ZERO[5:], "edits": LR_EDIT}),
    ]


def grouped(richest, second, third):
    """Variants with groups. What the options of a group name is set on top of the options of the recording."""
    rest = [{"parameters": [1], "options": second}]
    return [
        ("groups", richest, {"groups": [{"parameters": [0, 2], "options": {}}, *rest]}),
        ("groups lr edits", richest, {
            "groups": [{"parameters": [2, 1], "options": {}}, {"parameters": [0], "options": second}],
            "edits": LR_EDIT, "edits1": {"40": {"lr": 0.004}, "70": {"decay": 0.02}},
        }),
        ("three groups missing gradients", richest, {
            "groups": [{"parameters": [2], "options": {}}, *rest, {"parameters": [0], "options": third}],
            "missing": MISSING, "edits": {"20": {"lr": 0.0005}},
        }),
    ]


def groups_of(recording, count):
    """The groups of a recording with `count` parameters: without any of its own, one of all parameters."""
    return recording.get("groups", [{"parameters": list(range(count)), "options": {}}])


def edits_of(recording, group, step):
    """The options set in a group before a step."""
    return recording.get(f"edits{group or ''}", {}).get(str(step), {})


ADAM_VARIANTS = [
    ("defaults", {}),
    ("lr", {"lr": 0.05}),
    ("beta1", {"beta1": 0.5}),
    ("beta1 zero", {"beta1": 0}),
    ("beta2", {"beta2": 0.9}),
    ("betas", {"beta1": 0.8, "beta2": 0.95}),
    ("eps", {"eps": 0.1}),
    ("decay", {"decay": 0.1}),
    ("amsgrad", {"amsgrad": True, "beta2": 0.9}),
    ("amsgrad default betas", {"lr": 0.1, "amsgrad": True}),
    ("amsgrad decay", {"lr": 0.01, "decay": 0.1, "amsgrad": True}),
    ("betas eps decay", {"lr": 0.02, "beta1": 0.7, "beta2": 0.8, "eps": 0.001, "decay": 0.3}),
    ("missing gradients", {"lr": 0.01, "decay": 0.1}, {"missing": MISSING}),
    ("missing gradients amsgrad", {"lr": 0.01, "beta2": 0.9, "amsgrad": True}, {"missing": MISSING}),
    ("zero gradients", {"lr": 0.01}, {"zero": ZERO}),
    ("zero gradients decay", {"lr": 0.01, "decay": 0.1}, {"zero": ZERO}),
    ("lr edit", {"lr": 0.01}, {"edits": LR_EDIT}),
    ("decay and lr edits", {"lr": 0.01}, {"edits": {"5": {"decay": 0.2}, "20": {"lr": 0.002, "beta1": 0.6}}}),
    *climbing({"lr": 0.02, "beta1": 0.7, "beta2": 0.9, "eps": 0.001, "decay": 0.1, "amsgrad": True}),
    *grouped(
        {"lr": 0.02, "beta1": 0.7, "beta2": 0.95}, {"lr": 0.005, "decay": 0.1},
        {"lr": 0.05, "beta1": 0.8, "eps": 0.001, "amsgrad": True},
    ),
]

# As crates/optim/src/optimizers/presets.rs has them.
APEX = {"eps": 1e-6, "decay": 0.01, "trustclip": False, "max_grad_norm": 1, "use_nvlamb": False}
PAPER = {"eps": 1e-6, "decay": 0.01, "globalnorm": False, "trustclip": False}

VARIANTS = {
    "adagrad": [
        ("defaults", {}),
        ("lr", {"lr": 0.2}),
        ("lrdecay", {"lrdecay": 0.1}),
        ("decay", {"decay": 0.1}),
        ("init", {"init": 0.5}),
        ("eps", {"eps": 0.1}),
        ("lrdecay decay", {"lr": 0.1, "lrdecay": 0.05, "decay": 0.1}),
        ("init eps decay", {"lr": 0.1, "init": 0.1, "eps": 0.01, "decay": 0.2}),
        ("all", {"lr": 0.3, "lrdecay": 0.02, "decay": 0.05, "init": 0.2, "eps": 0.001}),
        ("missing gradients", {"lr": 0.1, "lrdecay": 0.1, "decay": 0.1}, {"missing": MISSING}),
        ("zero gradients", {"lr": 0.1}, {"zero": ZERO}),
        ("zero gradients decay", {"lr": 0.1, "lrdecay": 0.01, "decay": 0.1}, {"zero": ZERO}),
        ("lr edit", {"lr": 0.1}, {"edits": LR_EDIT}),
        ("lr and lrdecay edits", {"lr": 0.1}, {"edits": {"5": {"lrdecay": 0.2}, "20": {"lr": 0.4, "eps": 0.1}}}),
        ("lr zero", {"lr": 0, "decay": 0.1}),
        ("lrdecay missing gradients", {"lr": 0.1, "lrdecay": 0.5, "init": 0.1}, {"missing": MISSING}),
        *climbing({"lr": 0.1, "lrdecay": 0.02, "decay": 0.05, "init": 0.2, "eps": 0.001}),
        *grouped(
            {"lr": 0.1, "lrdecay": 0.02, "init": 0.2}, {"lr": 0.03, "decay": 0.1},
            {"lr": 0.3, "lrdecay": 0.05, "eps": 0.01},
        ),
    ],
    "adam": ADAM_VARIANTS,
    "adamw": [*ADAM_VARIANTS, ("decay zero", {"decay": 0})],
    "rmsprop": [
        ("defaults", {}),
        ("lr", {"lr": 0.001}),
        ("alpha", {"alpha": 0.7}),
        ("eps", {"eps": 0.1}),
        ("decay", {"decay": 0.1}),
        ("momentum", {"momentum": 0.5}),
        ("centered", {"centered": True}),
        ("momentum centered", {"lr": 0.001, "momentum": 0.9, "centered": True}),
        ("momentum decay", {"lr": 0.001, "momentum": 0.9, "decay": 0.1}),
        ("momentum centered decay", {"lr": 0.002, "alpha": 0.97, "momentum": 0.7, "centered": True, "decay": 0.02}),
        ("missing gradients", {"momentum": 0.5, "decay": 0.1}, {"missing": MISSING}),
        ("missing gradients centered", {"centered": True}, {"missing": MISSING}),
        ("zero gradients", {}, {"zero": ZERO}),
        ("zero gradients momentum", {"momentum": 0.5, "centered": True}, {"zero": ZERO}),
        ("lr edit", {"momentum": 0.5}, {"edits": LR_EDIT}),
        ("alpha and momentum edits", {"momentum": 0.5}, {"edits": {"5": {"alpha": 0.8}, "20": {"lr": 0.003, "momentum": 0.8}}}),
        *climbing({"lr": 0.003, "alpha": 0.95, "eps": 0.001, "momentum": 0.7, "centered": True, "decay": 0.1}),
        *grouped(
            {"lr": 0.002, "alpha": 0.95, "momentum": 0.5}, {"lr": 0.005, "decay": 0.1},
            {"lr": 0.001, "momentum": 0, "centered": True},
        ),
    ],
    "sgd": [
        ("defaults", {}),
        ("lr", {"lr": 0.1}),
        ("momentum", {"momentum": 0.9}),
        ("dampening without momentum", {"dampening": 0.5}),
        ("decay", {"decay": 0.1}),
        ("momentum dampening", {"momentum": 0.9, "dampening": 0.5}),
        ("nesterov", {"momentum": 0.9, "nesterov": True}),
        ("momentum decay", {"momentum": 0.8, "decay": 0.2}),
        ("momentum dampening decay", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "decay": 0.1}),
        ("nesterov decay", {"lr": 0.02, "momentum": 0.7, "decay": 0.1, "nesterov": True}),
        ("missing gradients", {"decay": 0.1}, {"missing": MISSING}),
        ("missing gradients momentum", {"momentum": 0.9, "dampening": 0.2, "decay": 0.1}, {"missing": MISSING}),
        ("zero gradients", {"decay": 0.1}, {"zero": ZERO}),
        ("zero gradients momentum", {"momentum": 0.9, "nesterov": True}, {"zero": ZERO}),
        ("lr edit", {"momentum": 0.9}, {"edits": LR_EDIT}),
        ("momentum and decay edits", {}, {"edits": {"5": {"momentum": 0.6}, "20": {"lr": 0.03, "decay": 0.1}}}),
        *climbing({"lr": 0.02, "momentum": 0.8, "decay": 0.1, "nesterov": True}),
        *grouped(
            {"lr": 0.02, "momentum": 0.8}, {"lr": 0.005, "decay": 0.1},
            {"lr": 0.05, "momentum": 0.6, "nesterov": True},
        ),
        ("maximize momentum dampening", {"momentum": 0.9, "dampening": 0.5, "maximize": True}, {"missing": MISSING}),
    ],
    "lamb": [
        ("defaults", {}),
        ("lr", {"lr": 0.05}),
        ("betas", {"beta1": 0.8, "beta2": 0.95}),
        ("eps", {"eps": 0.1}),
        ("decay", {"decay": 0.1}),
        ("unbiased", {"unbiased": False}),
        ("globalnorm", {"globalnorm": False}),
        ("trustclip", {"trustclip": False}),
        ("trustmin", {"trustmin": 0.8}),
        ("trustmax", {"trustmax": 0.4}),
        ("trustmin trustmax", {"trustmin": 0.5, "trustmax": 2}),
        ("decay without trustclip", {"lr": 0.01, "decay": 0.1, "trustclip": False}),
        ("unbiased globalnorm decay", {"lr": 0.01, "unbiased": False, "globalnorm": False, "decay": 0.1}),
        ("missing gradients", {"lr": 0.01, "decay": 0.1}, {"missing": MISSING}),
        ("zero gradients of a parameter", {"lr": 0.01}, {"zero": [[s, 1] for s in range(1, STEPS + 1)]}),
        ("zero gradients of a parameter decay", {"lr": 0.01, "decay": 0.1}, {"zero": [[s, 1] for s in range(1, STEPS + 1)]}),
        ("zero gradients in some steps", {"lr": 0.01, "trustclip": False}, {"zero": ZERO}),
        ("all gradients zero in the first step", {"lr": 0.01}, {"zero": [[1, 0], [1, 1], [1, 2]]}),
        ("all gradients zero in a later step", {"lr": 0.01}, {"zero": [[2, 0], [2, 1], [2, 2]]}),
        ("zero parameter", {"lr": 0.01}, {"zeroparameter": 1}),
        ("zero parameter trustclip", {"lr": 0.01, "trustclip": False}, {"zeroparameter": 1}),
        ("zero parameter trustmax", {"lr": 0.01, "trustmax": 0.5}, {"zeroparameter": 1}),
        ("lr edit", {"lr": 0.01}, {"edits": LR_EDIT}),
        ("max_grad_norm", {"lr": 0.01, "max_grad_norm": 1}),
        ("max_grad_norm never reached", {"lr": 0.01, "max_grad_norm": 1000}),
        ("max_grad_norm sometimes reached", {"lr": 0.01, "max_grad_norm": 4, "trustclip": False}),
        ("max_grad_norm without globalnorm", {"lr": 0.01, "max_grad_norm": 1, "globalnorm": False}),
        ("grad_averaging", {"lr": 0.01, "grad_averaging": False}),
        ("grad_averaging biased", {"lr": 0.01, "grad_averaging": False, "unbiased": False, "trustclip": False}),
        ("l2", {"lr": 0.01, "decay": 0.1, "l2": True}),
        ("l2 without decay", {"lr": 0.01, "l2": True}),
        ("l2 without trustclip", {"lr": 0.01, "decay": 0.1, "l2": True, "trustclip": False, "globalnorm": False}),
        ("use_nvlamb", {"lr": 0.01, "use_nvlamb": False}),
        ("use_nvlamb decay", {"lr": 0.01, "use_nvlamb": False, "decay": 0.1}),
        ("use_nvlamb trustmin", {"lr": 0.01, "use_nvlamb": False, "trustmin": 2, "trustmax": 3}),
        ("apex", APEX),
        ("apex decay zero", {**APEX, "decay": 0}),
        ("apex l2 grad_averaging", {**APEX, "l2": True, "grad_averaging": False}),
        ("apex missing gradients", {**APEX, "lr": 0.01}, {"missing": MISSING}),
        ("apex all gradients zero in a step", APEX, {"zero": [[3, 0], [3, 1], [3, 2]]}),
        ("apex edits", APEX, {"edits": {"20": {"max_grad_norm": 0.1, "decay": 0}, "60": {"use_nvlamb": True}}}),
        ("paper", PAPER),
        ("paper zero gradients", {**PAPER, "lr": 0.01}, {"zero": ZERO}),
        *climbing({"lr": 0.01, "decay": 0.1, "max_grad_norm": 2, "grad_averaging": False, "l2": True, "trustmax": 2}),
        *grouped(
            {"lr": 0.02, "beta1": 0.8}, {"lr": 0.005, "decay": 0.1},
            {"lr": 0.01, "globalnorm": False, "trustclip": False},
        ),
    ],
}


# ---------------------------------------------------------------- parameters and gradients


def shared_data(dtype):
    """Initial values and gradients, as lists of float64 values that `dtype` can hold."""
    number = DTYPES[dtype][0]
    random = np.random.RandomState(SEED)  # the legacy generator: its stream never changes
    parameters = [random.standard_normal(n) * 10.0 ** random.uniform(-1.5, 0.7, n) for n in SIZES]
    parameters[0][2] = 0.0
    parameters[1][0] = 0.0
    scales = [10.0 ** random.uniform(-2, 0.5, n) for n in SIZES]
    shifts = [random.standard_normal(n) * 0.5 for n in SIZES]
    gradients = []
    for _ in range(STEPS):
        wave = 10.0 ** random.uniform(-0.7, 0.3)
        gradients.append([(random.standard_normal(n) + h) * s * wave for n, s, h in zip(SIZES, scales, shifts)])
    exact = lambda values: [float(number(v)) for v in values]
    return {
        "parameters": [exact(p) for p in parameters],
        "gradients": [[exact(g) for g in row] for row in gradients],
    }


def step_gradients(data, recording, step):
    """The gradients of a step (from 1): a list per parameter, or None without a gradient."""
    row = list(recording.get("gradients", data["gradients"])[step - 1])
    for at, index in recording.get("zero", []):
        if at == step:
            row[index] = [0.0] * len(row[index])
    for at, index in recording.get("missing", []):
        if at == step:
            row[index] = None
    return row


# ---------------------------------------------------------------- torch


def torch_options(options):
    """Stepwell's option names and values as keyword arguments of torch.optim."""
    named = {TORCH_NAMES.get(k, k): v for k, v in options.items() if k not in ("beta1", "beta2")}
    if "beta1" in options:
        named["betas"] = (float(options["beta1"]), float(options["beta2"]))
    return named


def make_torch(optimizer, options, tensors):
    """The optimizer of torch; `tensors` may be its parameter groups."""
    kind, fixed = TORCH_CLASSES[optimizer]
    if optimizer == "lbfgs":
        # PyTorch's L-BFGS cannot climb: it descends the objective of which Stepwell climbs the negative.
        options = {k: v for k, v in options.items() if k != "maximize"}
    return kind(tensors, **torch_options(options), **fixed)


def values(tensors):
    return [t.detach().tolist() for t in tensors]


def record_torch(optimizer, recording, data):
    dtype = DTYPES[recording["dtype"]][1]
    tensors = [torch.tensor(p, dtype=dtype, requires_grad=True) for p in data["parameters"]]
    options = {**DEFAULTS[optimizer], **recording["options"]}
    groups = groups_of(recording, len(tensors))
    rows = [{**options, **group["options"]} for group in groups]
    stepper = make_torch(optimizer, options, [
        {"params": [tensors[i] for i in group["parameters"]], **torch_options(row)} for group, row in zip(groups, rows)
    ])
    expected = {}
    for step in range(1, STEPS + 1):
        for index, row in enumerate(rows):
            edit = edits_of(recording, index, step)
            if edit:
                row.update(edit)
                stepper.param_groups[index].update(torch_options(row))
        for tensor, gradient in zip(tensors, step_gradients(data, recording, step)):
            tensor.grad = None if gradient is None else torch.tensor(gradient, dtype=dtype)
        stepper.step()
        if step in KEPT:
            expected[str(step)] = values(tensors)
    return expected


# ---------------------------------------------------------------- LAMB


def lamb_step(parameters, gradients, states, rows):
    """One step of LAMB in float64; `parameters` and `states` are changed in place. `rows`: options of each parameter.

    The norm of `globalnorm` is that of the gradients of all groups.

    With `max_grad_norm`, `grad_averaging`, `l2` (adam_w_mode=0) and `use_nvlamb` by the rules of apex's FusedLAMB.
    """
    present = [g for g in gradients if g is not None]
    total = math.sqrt(sum(float(np.sum(g * g)) for g in present))
    for index, g in enumerate(gradients):
        if g is None:
            continue
        p, o = parameters[index], rows[index]
        state = states.setdefault(index, {"t": 0, "m": np.zeros_like(p), "v": np.zeros_like(p)})
        if o["maximize"]:
            g = -g
        if o["globalnorm"] and o["max_grad_norm"] is not None:
            g = g / (total / o["max_grad_norm"] if total > o["max_grad_norm"] else 1.0)
        elif o["globalnorm"] and total > 0:
            g = g / total
        if o["l2"]:
            g = g + o["decay"] * p
        state["t"] += 1
        state["m"] = o["beta1"] * state["m"] + (1 - o["beta1"] if o["grad_averaging"] else 1.0) * g
        state["v"] = o["beta2"] * state["v"] + (1 - o["beta2"]) * g * g
        if o["unbiased"]:
            m = state["m"] / (1 - o["beta1"] ** state["t"])
            u = m / (np.sqrt(state["v"]) / math.sqrt(1 - o["beta2"] ** state["t"]) + o["eps"])
        else:
            u = state["m"] / (np.sqrt(state["v"]) + o["eps"])
        if o["decay"] != 0 and not o["l2"]:
            u = u + o["decay"] * p
        width, length = math.sqrt(float(np.sum(p * p))), math.sqrt(float(np.sum(u * u)))
        ratio = width / length if width > 0 and length > 0 else 1.0
        if o["decay"] == 0 and not o["use_nvlamb"]:
            ratio = 1.0
        elif o["trustclip"]:
            ratio = min(max(ratio, o["trustmin"]), o["trustmax"])
        parameters[index] = p - o["lr"] * ratio * u


def record_lamb(recording, data):
    number = DTYPES[recording["dtype"]][0]
    parameters = [np.array(p) for p in recording.get("parameters", data["parameters"])]
    rows, states, expected = {}, {}, {}
    groups = groups_of(recording, len(parameters))
    for group in groups:
        options = {**DEFAULTS["lamb"], **recording["options"], **group["options"]}
        rows.update((i, options) for i in group["parameters"])  # one row, which all of the group share
    for step in range(1, STEPS + 1):
        for index, group in enumerate(groups):
            rows[group["parameters"][0]].update(edits_of(recording, index, step))
        row = step_gradients(data, recording, step)
        lamb_step(parameters, [None if g is None else np.array(g) for g in row], states, rows)
        if step in KEPT:
            expected[str(step)] = [[float(number(v)) for v in p] for p in parameters]
    return expected


# Printed with 10 digits by ktorch's lamb.cpp (float64, lr 0.01, 3 steps from W = [.5, -1, 2, .25], b = [.1, -.2], z = [0, 0]).
# In step i the gradients are .3 W + .1 i with the current W, [.02 i, -.05] and [.5, -.25 i].
GOLDEN_START = [[0.5, -1.0, 2.0, 0.25], [0.1, -0.2], [0.0, 0.0]]
GOLDEN = [
    ("defaults", {}, [
        [0.4699549229, -0.9741501512, 1.970070172, 0.2200050037],
        [0.09530161006, -0.1953012997],
        [-0.01020099904, 0.01020099635]]),
    ("unbiased", {"unbiased": False}, [
        [0.4645165808, -0.9696192688, 1.96465602, 0.2145753789],
        [0.09530178557, -0.1953011244],
        [-0.03225840584, 0.03225831105]]),
    ("globalnorm", {"globalnorm": False}, [
        [0.4701072452, -0.9737206596, 1.969952126, 0.2202777693],
        [0.0953631009, -0.195241081],
        [-0.01020489812, 0.01019702312]]),
    ("trustclip", {"trustclip": False}, [
        [0.4645165823, -0.9696192542, 1.96465604, 0.2145753696],
        [0.09530177522, -0.1953011347],
        [-0.01020100972, 0.01020098569]]),
    ("trustmin trustmax", {"trustmin": 0.5, "trustmax": 2}, [
        [0.4645165823, -0.9696192542, 1.96465604, 0.2145753696],
        [0.0851609507, -0.185159083],
        [-0.01984091973, 0.01983905426]]),
    ("decay without trustclip", {"decay": 0.1, "trustclip": False}, [
        [0.4660939757, -0.9691244163, 1.961384598, 0.2169542703],
        [0.09532532329, -0.1952778517],
        [-0.01020101176, 0.01020098364]]),
    ("eps without trustclip", {"eps": 0.1, "trustclip": False}, [
        [0.4648361393, -0.9744349641, 1.958240205, 0.2178469962],
        [0.09634233509, -0.194492192],
        [-0.008536439035, 0.007361679189]]),
]
# Half a unit of the last of 10 digits, relative to the smallest 10-digit number.
GOLDEN_TOLERANCE = {"rtol": 5e-10, "atol": 0}


def golden_lamb():
    """The printed values with explicit gradients; stops if the reference above does not reproduce them."""
    recordings = []
    for name, changed, expected in GOLDEN:
        options = {"lr": 0.01, **changed}
        parameters, states, gradients = [np.array(p) for p in GOLDEN_START], {}, []
        for i in (1, 2, 3):
            row = [0.3 * parameters[0] + 0.1 * i, np.array([0.02 * i, -0.05]), np.array([0.5, -0.25 * i])]
            gradients.append([g.tolist() for g in row])
            lamb_step(parameters, row, states, [{**DEFAULTS["lamb"], **options}] * len(row))
        for got, want in zip(np.concatenate(parameters), sum(expected, [])):
            if abs(got - want) > GOLDEN_TOLERANCE["rtol"] * abs(want):
                raise SystemExit(f"lamb {name}: the reference gives {got!r}, printed was {want!r}")
        recordings.append({
            "name": f"printed: {name}",
            "source": "ktorch lamb.cpp golden values",
            "options": options,
            "dtype": "double",
            "tolerance": GOLDEN_TOLERANCE,
            "parameters": GOLDEN_START,
            "gradients": gradients,
            "expected": {"3": expected},
        })
    return recordings


# ---------------------------------------------------------------- L-BFGS

OBJECTIVES = {
    "rosenbrock": (
        "n = 4; start with loss = 0 and g = 0; for i = 0 .. n-2: a = x[i+1] - x[i]*x[i]; b = 1 - x[i]; "
        "loss = loss + ((100*a)*a + b*b); g[i] = g[i] + ((-400*a)*x[i] - 2*b); g[i+1] = g[i+1] + 200*a"
    ),
    "quadratic": (
        "n = 6, x joined over the parameters; start with loss = 0; for i = 0 .. n-1: c = i + 1; d = x[i] - 1; "
        "loss = loss + (0.5*c)*(d*d); g[i] = c*d"
    ),
}

STARTS = {
    "rosenbrock": [[-1.2, 1.0, -0.5, 0.8]],
    "quadratic": [[5.0, -3.0, 2.5, 0.0, -4.0, 0.75]],
    "quadratic split": [[5.0, -3.0, 2.5, 0.0], [-4.0, 0.75]],
}


def evaluate(objective, x, number):
    """Loss and gradient, every operation rounded to `number`."""
    one, n = number(1), len(x)
    loss, g = number(0), [number(0)] * n
    if objective == "rosenbrock":
        for i in range(n - 1):
            a = x[i + 1] - x[i] * x[i]
            b = one - x[i]
            loss = loss + ((number(100) * a) * a + b * b)
            g[i] = g[i] + ((number(-400) * a) * x[i] - number(2) * b)
            g[i + 1] = g[i + 1] + number(200) * a
    else:
        for i in range(n):
            c = number(i + 1)
            d = x[i] - one
            loss = loss + (number(0.5) * c) * (d * d)
            g[i] = c * d
    return loss, g


LBFGS_KEPT = (1, 2, 5, 10)


def lbfgs_variants():
    both = ("double", "float")
    wolfe = {"search": "strong_wolfe"}
    for start in ("quadratic", "quadratic split"):
        yield f"{start}: defaults", start, {}, 10, both, {}
        yield f"{start}: strong_wolfe", start, wolfe, 10, both, {}
        yield f"{start}: history", start, {"history": 2, "iter": 4}, 10, both, {}
        yield f"{start}: history strong_wolfe", start, {"history": 2, "iter": 4, **wolfe}, 10, both, {}
        yield f"{start}: lr", start, {"lr": 0.1}, 10, both, {}
        yield f"{start}: iter", start, {"iter": 4}, 10, both, {}
        yield f"{start}: iter strong_wolfe", start, {"iter": 2, **wolfe}, 10, both, {}
        yield f"{start}: eval", start, {"eval": 3}, 10, both, {}
        yield f"{start}: eval strong_wolfe", start, {"eval": 4, **wolfe}, 10, both, {}
        yield f"{start}: gradtol", start, {"gradtol": 0.1}, 10, both, {}
        yield f"{start}: changetol", start, {"changetol": 0.03}, 10, both, {}
        yield f"{start}: lr edit", start, {"lr": 0.1}, 10, both, {"edits": {"3": {"lr": 0.3}}}
    start = "rosenbrock"
    double = ("double",)
    yield "rosenbrock: lr", start, {"lr": 0.1}, 10, double, {}
    # Without a line search the later steps magnify the last bit of the first ones.
    yield "rosenbrock: defaults", start, {}, 2, double, {}
    yield "rosenbrock: strong_wolfe", start, wolfe, 10, double, {}
    yield "rosenbrock: history strong_wolfe", start, {"history": 2, **wolfe}, 10, double, {}
    yield "rosenbrock: iter strong_wolfe", start, {"iter": 4, **wolfe}, 5, double, {}
    yield "rosenbrock: lr iter strong_wolfe", start, {"lr": 0.1, "iter": 4, **wolfe}, 10, double, {}
    yield "rosenbrock: eval strong_wolfe", start, {"eval": 6, **wolfe}, 10, double, {}
    yield "rosenbrock: gradtol strong_wolfe", start, {"gradtol": 0.5, **wolfe}, 10, double, {}
    yield "rosenbrock: changetol strong_wolfe", start, {"changetol": 0.01, **wolfe}, 10, double, {}
    up = {"maximize": True}
    yield "negated quadratic: maximize", "quadratic split", up, 10, both, {}
    yield "negated quadratic: maximize strong_wolfe", "quadratic split", {**up, **wolfe}, 10, both, {}
    yield "negated quadratic: maximize lr edit", "quadratic", {"lr": 0.1, **up}, 10, both, {"edits": {"3": {"lr": 0.3}}}
    yield "negated rosenbrock: maximize strong_wolfe", start, {**up, **wolfe}, 10, double, {}
    yield "negated rosenbrock: maximize iter", start, {"iter": 4, "history": 3, **up, **wolfe}, 5, double, {}


def record_lbfgs(recording, steps, noise=None):
    """Steps torch's LBFGS; `noise` changes gradients, to try how steady a recording is."""
    number, dtype = DTYPES[recording["dtype"]]
    tensors = [torch.tensor(p, dtype=dtype, requires_grad=True) for p in recording["parameters"]]
    options = {**DEFAULTS["lbfgs"], **recording["options"]}
    stepper = make_torch("lbfgs", options, tensors)
    evaluations = 0

    def closure():
        nonlocal evaluations
        evaluations += 1
        loss, g = evaluate(recording["objective"].split()[-1], [number(v) for p in values(tensors) for v in p], number)
        if noise:
            loss, g = noise(loss, g)
        at = 0
        for tensor in tensors:
            tensor.grad = torch.tensor([float(v) for v in g[at:at + len(tensor)]], dtype=dtype)
            at += len(tensor)
        return float(loss)

    losses, counts, expected = [], [], {}
    for step in range(1, steps + 1):
        edit = recording.get("edits", {}).get(str(step))
        if edit:
            stepper.param_groups[0].update(torch_options(edit))
        loss = stepper.step(closure)
        losses.append(-loss if recording["options"].get("maximize") else loss)
        counts.append(evaluations)
        if step in LBFGS_KEPT:
            expected[str(step)] = values(tensors)
    state = stepper.state[tensors[0]]
    assert state["func_evals"] == evaluations
    return {
        "expected": expected,
        "losses": losses,
        "evaluations": counts,
        "func_evals": state["func_evals"],
        "n_iter": state["n_iter"],
    }


# ---------------------------------------------------------------- files


def source_of(optimizer):
    kind, fixed = TORCH_CLASSES[optimizer]
    return ", ".join([f"torch {TORCH_VERSION} torch.optim.{kind.__name__}", *(f"{k}={v}" for k, v in fixed.items())])


def first_order_file(optimizer):
    data = {dtype: shared_data(dtype) for dtype in DTYPES}
    recordings = []
    for dtype in DTYPES:
        for name, options, *more in VARIANTS[optimizer]:
            recording = {"name": name, "options": options, "dtype": dtype, **(more[0] if more else {})}
            if "zeroparameter" in recording:
                index = recording.pop("zeroparameter")
                start = list(data[dtype]["parameters"])
                start[index] = [0.0] * len(start[index])
                recording["parameters"] = start
            if optimizer == "lamb":
                recording["expected"] = record_lamb(recording, data[dtype])
            else:
                recording["expected"] = record_torch(optimizer, recording, data[dtype])
            recordings.append(recording)
    if optimizer == "lamb":
        source = "float64 reference implementation in record.py; float recordings start from float32 values"
        recordings = golden_lamb() + recordings
    else:
        source = source_of(optimizer)
    return {"optimizer": optimizer, "source": source, "tolerance": TOLERANCE, "data": data, "recordings": recordings}


def lbfgs_file():
    recordings = []
    for name, start, options, steps, dtypes, more in lbfgs_variants():
        for dtype in dtypes:
            recording = {
                "name": name, "options": options, "dtype": dtype, **more,
                "objective": name.split(":")[0].removesuffix(" split"), "steps": steps,
                "parameters": [[float(DTYPES[dtype][0](v)) for v in p] for p in STARTS[start]],
            }
            recordings.append({**recording, **record_lbfgs(recording, steps)})
    return {
        "optimizer": "lbfgs", "source": source_of("lbfgs"), "tolerance": LBFGS_TOLERANCE,
        "objectives": OBJECTIVES, "recordings": recordings,
    }


def encode(value, depth=0):
    """JSON with one line per row of numbers; floats as Python's repr, which parses back exactly."""
    flat = json.dumps(value, allow_nan=False)
    if depth >= 4 or not isinstance(value, (dict, list)) or len(flat) <= 100:
        return flat
    pad = " " * (depth + 1)
    if isinstance(value, dict):
        parts = [f"{json.dumps(k)}: {encode(v, depth + 1)}" for k, v in value.items()]
        marks = "{}"
    else:
        parts = [encode(v, depth + 1) for v in value]
        marks = "[]"
    return f"{marks[0]}\n{pad}" + f",\n{pad}".join(parts) + f"\n{' ' * depth}{marks[1]}"


def main():
    if torch.__version__.split("+")[0] != TORCH_VERSION:
        raise SystemExit(f"needs torch {TORCH_VERSION}, found {torch.__version__}")
    torch.set_num_threads(1)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent / "recordings"
    folder.mkdir(parents=True, exist_ok=True)
    for optimizer in DEFAULTS:
        content = lbfgs_file() if optimizer == "lbfgs" else first_order_file(optimizer)
        text = encode(content) + "\n"
        assert json.loads(text) == content
        path = folder / f"{optimizer}.json"
        path.write_bytes(text.encode())
        print(f"{path.name}: {len(content['recordings'])} recordings, {len(text)} bytes")


if __name__ == "__main__":
    main()
