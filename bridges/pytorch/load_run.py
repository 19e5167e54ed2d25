"""Sets a PyTorch model and its optimizer from a run of Stepwell. Needs torch and safetensors alone: copy this file."""
import json, warnings, torch

from safetensors import safe_open

NAMES = {"decay": "weight_decay", "lrdecay": "lr_decay", "init": "initial_accumulator_value"}
OTHERS = {"schedule", "lossscale", "average", "param_average", "moments", "master_param"}


def load_run(path, model, optimizer, net="net", name="optimizer"):
    """`net` and `name` are objects of the run. An optimizer of another kind, or with other groups, is a ValueError."""
    saved, kind = optimizer.state_dict(), type(optimizer).__name__.lower()
    kinds = {"adamw" if kind == "adam" and row.get("decoupled_weight_decay") else kind for row in saved["param_groups"]}
    names = {parameter: f"{net}.{key}" for key, parameter in model.named_parameters()}
    own = {(i, names.get(p)): p for i, group in enumerate(optimizer.param_groups) for p in group["params"]}
    with safe_open(path, "pt") as file:
        objects = json.loads(file.metadata()["stepwell"])["content"]["objects"]
        tensors = {key: file.get_tensor(key) for key in file.keys()}
    read = lambda value: tensors[value["$tensor"]] if isinstance(value, dict) else torch.tensor(float(value))
    state = objects[name]["state"]
    rows = {(row["parmgroup"], f"{row['object']}.{row['name']}"): row["buffers"] for row in state["parms"]}
    if (expected := (kinds, {*own}, None)) != (given := ({state["optimizer"]}, {*rows}, state.get("averaged"))):
        raise ValueError(f"{path}: expected kind, parameters by group, no swapped averages {expected}, given {given}")
    for group, row in zip(saved["param_groups"], state["options"], strict=True):
        options = {NAMES.get(k, k): v for k, v in row.items()} | {"betas": (row.get("beta1"), row.get("beta2"))}
        group |= {"maximize": False} | {key: options[key] for key in options.keys() & group.keys()}
    for i, (place, p) in enumerate(own.items()):
        init = state["options"][place[0]].get("init")
        begun = {} if init is None else {"step": read(0), "sum": torch.full_like(p, init)}
        saved["state"][i] = {k: read(v) for k, v in rows[place].items() if v is not None and k not in OTHERS} or begun
    model.load_state_dict({key: tensors[f"{net}.{key}"] for key in model.state_dict()})
    optimizer.load_state_dict(saved)
    for key, parameter in model.named_parameters():
        parameter.requires_grad_(key not in objects[net]["frozen"])
    if left := OTHERS & {key for row in [state, *state["options"], *rows.values()] for key in row}:
        warnings.warn(f"{path}: PyTorch's optimizer has no {', '.join(sorted(left))}: left out")
