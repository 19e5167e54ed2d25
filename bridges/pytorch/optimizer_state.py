"""The state of an optimizer for `stepwell convert --optimizer`. Needs torch and safetensors alone: copy this file."""

import json

import torch
from safetensors import safe_open
from safetensors.torch import save_file


def save_state(path, optimizer, model=None):
    """Writes `optimizer.state_dict()`. With `model` the parameters are matched by name, otherwise in their order."""
    saved = optimizer.state_dict()
    values = {f"state.{i}.{key}": value for i, row in saved["state"].items() for key, value in row.items()}
    tensors = {key: torch.as_tensor(value).contiguous() for key, value in values.items() if value is not None}
    groups = json.dumps(saved["param_groups"], default=float)
    text = {"format": "pt", "optimizer": type(optimizer).__name__, "param_groups": groups}
    if model is not None:
        names = {parameter: name for name, parameter in model.named_parameters()}
        text["parameters"] = json.dumps([names[p] for group in optimizer.param_groups for p in group["params"]])
    save_file(tensors, path, text)


def load_state(path, optimizer):
    """Sets an optimizer of the same class, whose parameters are in the same order."""
    state, kind = {}, type(optimizer).__name__
    with safe_open(path, "pt") as file:
        if file.metadata()["optimizer"] != kind:
            raise ValueError(f"{path}: expected the state of {kind}, given one of {file.metadata()['optimizer']}")
        for key in file.keys():
            _, index, name = key.split(".")
            state.setdefault(int(index), {})[name] = file.get_tensor(key)
        optimizer.load_state_dict({"state": state, "param_groups": json.loads(file.metadata()["param_groups"])})
