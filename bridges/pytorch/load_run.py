"""Sets a PyTorch model and its optimizer from a run of Stepwell. Needs torch and safetensors alone: copy this file."""

import json

import torch
from safetensors import safe_open

NAMES = {"decay": "weight_decay", "lrdecay": "lr_decay", "init": "initial_accumulator_value"}


def load_run(path, model, optimizer, net="net", name="optimizer"):
    """`net` and `name` are the names of the objects in the run. The optimizer is of the same kind, with as many groups."""
    with safe_open(path, "pt") as file:
        state = json.loads(file.metadata()["stepwell"])["content"]["objects"][name]["state"]
        model.load_state_dict({key: file.get_tensor(f"{net}.{key}") for key in model.state_dict()})

        def read(value):
            return file.get_tensor(value["$tensor"]) if isinstance(value, dict) else torch.tensor(float(value))

        for row in state["parms"]:
            buffers = {key: read(value) for key, value in row["buffers"].items() if value is not None}
            optimizer.state[model.get_parameter(row["name"])] = buffers
    for group, row in zip(optimizer.param_groups, state["options"], strict=True):
        options = {NAMES.get(key, key): value for key, value in row.items()}
        if "beta1" in row:
            options["betas"] = (row["beta1"], row["beta2"])
        group.update({key: value for key, value in options.items() if key in group})
