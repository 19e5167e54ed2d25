"""Records operations of PyTorch 2.11 on tensors of other forms: 16 bits, whole numbers, bool, NaN and infinity, empty, 0-dim.

    python test/parity/record_operation_forms.py > test/parity/operation_forms.json

Each row is the first case of an operation in record_operations.py, with its tensors changed: a name, a form, the results, and the
gradients. Where torch raises an error, the results are its first words.
"""

import json
import math
import os
import warnings

import torch
import record_operations as operations

warnings.simplefilter("ignore")


def special(x):
    """NaN, infinity and minus infinity in front."""
    x = x.clone()
    flat = x.view(-1)
    for i, value in enumerate([math.nan, math.inf, -math.inf][: flat.numel()]):
        flat[i] = value
    return x


def first_row(x):
    return x[:0] if x.dim() > 0 else x


def of_floats(change):
    return lambda x, n: change(x) if x.is_floating_point() else x


# Functions of a tensor and its number among the tensors of the call.
FORMS = {
    "half": of_floats(lambda x: x.half()),
    "bfloat16": of_floats(lambda x: x.bfloat16()),
    "long": of_floats(lambda x: x.floor().long()),
    "bool": of_floats(lambda x: x > 0),
    "special": of_floats(special),
    "empty": lambda x, n: first_row(x),
    "empty first": lambda x, n: first_row(x) if n == 0 else x,
    "0-dim": lambda x, n: x.reshape(-1)[0] if x.numel() > 0 else x,
}
# torch 2.11 divides by 0 there, which ends the process.
CRASHES = {("pdist", "empty"): ["crash", None]}
# Their elements are finite before, so that floor and the comparison are defined.
WHOLE = {"long", "bool"}
NAMES = operations.NAMES | {torch.float16: "half", torch.bfloat16: "bfloat16"}


def given(arguments, form):
    leaves, count = [], 0

    def tensor(name):
        nonlocal count
        x = FORMS[form](operations.INPUTS[name.lstrip("!")], count)
        count += 1
        if x.dtype == torch.float64 and not name.startswith("!"):
            x = x.clone().requires_grad_()
            leaves.append(x)
        return x

    made = []
    for argument in arguments:
        if isinstance(argument, list) and argument and isinstance(argument[0], str):
            made += [tensor(name) for name in argument]
        elif isinstance(argument, str) and argument.lstrip("!") in operations.INPUTS:
            made.append(tensor(argument))
        else:
            made.append(argument)
    return made, leaves


def flat(x):
    # Six digits hold an element of 16 bits, and seventeen a double.
    numbers = operations.flat(x)
    if x.dtype in (torch.float16, torch.bfloat16):
        numbers = [float(f"{n:.6g}") if isinstance(n, float) else n for n in numbers]
    return numbers


def record(call, arguments, options, form):
    made, leaves = given(arguments, form)
    try:
        result = call(*made, **options)
    except (RuntimeError, IndexError, ValueError, TypeError) as error:
        return [str(error).split("\n")[0][:40], None]
    if isinstance(result, bool):
        return [result, None]
    outputs = list(result) if isinstance(result, (tuple, list)) else [result]
    roots = [y for y in outputs if y.requires_grad]
    gradients = None
    if roots and form != "special":
        loss = sum((y * torch.arange(1, y.numel() + 1, dtype=y.dtype).reshape(y.shape)).sum() for y in roots)
        gradients = torch.autograd.grad(loss, leaves, allow_unused=True)
        gradients = [None if g is None else flat(g) for g in gradients]
    return [[[NAMES[y.dtype], list(y.shape), flat(y)] for y in outputs], gradients]


def main():
    # LAPACK writes its complaints to the standard output.
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    rows, seen = [], set()
    for name, call, arguments, options in operations.CASES:
        names = [x for a in arguments for x in (a if isinstance(a, list) else [a]) if isinstance(x, str)]
        tensors = [operations.INPUTS[x.lstrip("!")] for x in names if x.lstrip("!") in operations.INPUTS]
        if name in seen or not tensors:
            continue
        seen.add(name)
        floats = [x for x in tensors if x.is_floating_point()]
        for form in FORMS:
            if not floats and not form.startswith(("empty", "0-dim")):
                continue
            if form in WHOLE and not all(x.isfinite().all() for x in floats):
                continue
            if form == "empty first" and len(tensors) == 1:
                continue
            rows.append([name, form, *(CRASHES.get((name, form)) or record(call, list(arguments), options, form))])
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    output.write(f'{{"torch":"{torch.__version__}","rows":[\n{lines}\n]}}\n')


main()
