"""Writes a PyTorch model and its optimizer for `load(path, { net, optimizer }, { verify: false })`. Copy this file."""
import json

from safetensors.torch import save_file

KEYS = "lr betas eps weight_decay amsgrad momentum dampening nesterov alpha centered lr_decay initial_accumulator_value"
ADAM = ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"]
BUFFERS = {"adam": ADAM, "adamw": ADAM, "sgd": ["momentum_buffer"], "adagrad": ["sum"]}
BUFFERS["rmsprop"] = ["square_avg", "momentum_buffer", "grad_avg"]


def save_run(path, model, optimizer, net="net", name="optimizer"):
    tensors = {f"{net}.{key}": value.contiguous() for key, value in model.state_dict().items()}
    values = {key: {"$tensor": f"{net}.{key}"} for key in model.state_dict()}
    row = {"depth": 0, "module": "parmdict", "name": "", "options": {}, "buffers": {}, "parms": values}
    frozen = [key for key, value in model.named_parameters() if not value.requires_grad]
    names, parms, kind = {value: key for key, value in model.named_parameters()}, [], type(optimizer).__name__.lower()
    flags = {kind == "adam" and group.get("decoupled_weight_decay", False) for group in optimizer.param_groups}
    if kind not in BUFFERS or len(flags) > 1:
        raise ValueError(f"expected {', '.join(BUFFERS)} in all groups, given {kind}, decoupled_weight_decay {flags}")
    kind = "adamw" if flags == {True} else kind
    for number, group in enumerate(optimizer.param_groups):
        for value in group["params"]:
            saved, place = optimizer.state.get(value, {}), f"{name}.{names[value]}"
            arrays = {key: saved[key] for key in BUFFERS[kind] if saved.get(key) is not None}
            tensors |= {f"{place}.{key}": array.contiguous() for key, array in arrays.items()}
            buffers = {key: {"$tensor": f"{place}.{key}"} if key in arrays else None for key in BUFFERS[kind]}
            buffers |= {"step": int(saved["step"])} if "step" in saved else {}
            own = {"parmgroup": number, "object": net, "module": "", "name": names[value], "size": list(value.shape)}
            parms.append(own | {"buffers": buffers if saved else {}})
    keys = ["maximize", *KEYS.split()]
    options = [{key: group[key] for key in keys if key in group} for group in optimizer.param_groups]
    state = {"optimizer": kind, "options": options, "parms": parms}
    objects = {net: {"kind": "module", "state": [row], "frozen": frozen}, name: {"kind": "optimizer", "state": state}}
    text = {"format": "stepwell", "version": 1, "sha256": "", "content": {"objects": objects}}
    save_file(tensors, path, {"stepwell": json.dumps(text, separators=(",", ":"), default=float)})
