"""Records operations on tensors of PyTorch 2.11: inputs, results and gradients, in double and in float.

    python test/parity/record_operations.py > test/parity/operations.json

A case is a name of the table, arguments, and the call of torch. A tensor is a name of INPUTS; `!x` has no gradient.
"""

import json
import math

import torch
import torch.nn.functional as F

generator = torch.Generator().manual_seed(1)
nan, inf = math.nan, math.inf


def normal(*shape):
    return torch.randn(shape, generator=generator, dtype=torch.float64).mul(16).round().div(16)


A = normal(2, 3)
INPUTS = {
    "a": A, "b": normal(2, 3), "row": normal(3), "column": normal(2, 1), "tall": normal(3, 1), "cube": normal(2, 3, 4), "scalar": torch.tensor(1.25, dtype=torch.float64),
    "unit": torch.rand((2, 3), generator=generator, dtype=torch.float64).mul(14).round().add(1).div(16),
    "positive": normal(2, 3).abs().add(0.25), "square": normal(3, 3), "wide": normal(3, 4), "batch": normal(2, 4, 2),
    "special": torch.tensor([nan, inf, -inf, 0.0, -0.0, 1.0], dtype=torch.float64), "empty": torch.zeros((0, 3), dtype=torch.float64),
    "distinct": torch.tensor([[3.0, -1.5, 0.5], [2.0, 7.0, -4.0]], dtype=torch.float64), "zeros": torch.tensor([[0.0, 2.0, 3.0], [4.0, 0.0, 0.0]], dtype=torch.float64),
    "ties": torch.tensor([[1.0, 2.0, 2.0], [3.0, 3.0, 3.0]], dtype=torch.float64),
    "whole": torch.tensor([[5, -3, 2], [0, 7, -8]]), "whole2": torch.tensor([2, 3, -4]), "mask": torch.tensor([[True, False, True], [False, False, True]]),
    "index": torch.tensor([2, 0, 2]), "index2": torch.tensor([[0, 1, 1], [1, 0, 0]]),
    "low": torch.tensor([nan, -inf, 0.0, -0.0, 1.0], dtype=torch.float64),
}

CASES = []


def case(name, call, *arguments, **options):
    CASES.append((name, call, arguments, options))


for name in "abs neg sign ceil floor round trunc frac square exp expm1 sin cos tan atan sinh cosh erf erfc tanh sigmoid".split():
    call = getattr(torch, name, None)
    for x in ["a", "scalar", "empty", "special"]:
        case(name, call, x)
for name in "sqrt rsqrt log log1p log2 log10 lgamma digamma reciprocal".split():
    for x in ["positive", "special"]:
        case(name, getattr(torch, name), x)
for name in "asin acos erfinv".split():
    for x in ["unit", "special"]:
        case(name, getattr(torch, name), x)
for name in "abs neg sign ceil square exp".split():
    case(name, getattr(torch, name), "whole")
case("not", torch.logical_not, "whole")
case("not", torch.logical_not, "a")
case("bitwisenot", torch.bitwise_not, "whole")
case("bitwisenot", torch.bitwise_not, "mask")

PAIRS = [("a", "b"), ("a", "row"), ("column", "row"), ("a", "scalar"), ("cube", "tall"), ("empty", "row"), ("special", "special"), ("a", 2), ("a", 0.5), (2, "a")]
for name in "add sub mul div atan2 maximum minimum fmax fmin remainder fmod".split():
    for x, y in PAIRS:
        if name in ("atan2", "maximum", "minimum", "fmax", "fmin") and not (isinstance(x, str) and isinstance(y, str)):
            continue
        if (name, x) in (("fmod", 2), ("remainder", 2)):
            continue
        # libtorch has the gradient of NaN for the remainder of infinities.
        if name in ("remainder", "fmod") and x == "special":
            x, y = "!special", "!special"
        case(name, getattr(torch, name), x, y)
for name in "add sub mul div maximum".split():
    case(name, getattr(torch, name), "whole", "whole2")
for name in "remainder fmod".split():
    case(name, getattr(torch, name), "whole", "whole2")
case("add", torch.add, "mask", "mask")
case("mul", torch.mul, "mask", "mask")
case("add", torch.add, "mask", "whole")
case("add", torch.add, "whole", 0.5)
case("mul", torch.mul, "whole", "a")
case("add", lambda x, y, alpha: torch.add(x, y, alpha=alpha), "a", "row", alpha=2)
case("sub", lambda x, y, alpha: torch.sub(x, y, alpha=alpha), "a", "row", alpha=0.5)
for y in [2, 3, 0.5, 0, -1]:
    case("pow", torch.pow, "positive", y)
case("pow", torch.pow, "positive", "b")
case("pow", torch.pow, "zeros", 2)
case("pow", torch.pow, 2, "a")
case("pow", torch.pow, "!special", 2)
for name, call in [("and", torch.logical_and), ("or", torch.logical_or), ("xor", torch.logical_xor)]:
    case(name, call, "mask", "whole")
    case(name, call, "zeros", "row")
case("lerp", torch.lerp, "a", "b", "unit")
case("addcmul", lambda x, y, z, value=1: torch.addcmul(x, y, z, value=value), "a", "b", "row", value=0.5)
case("addcdiv", lambda x, y, z, value=1: torch.addcdiv(x, y, z, value=value), "a", "b", "positive", value=2)
case("addcmul", torch.addcmul, "a", "column", "row")
case("clamp", torch.clamp, "a", -0.5, 0.5)
case("clamp", lambda x, _, y: torch.clamp(x, max=y), "a", None, 0)
case("clamp", torch.clamp, "special", -1, 1)
case("clamp", torch.clamp, "scalar", "special")
case("clamp", torch.clamp, "a", "b", "row")
case("where", torch.where, "mask", "a", "row")
case("where", torch.where, "mask", "whole", 1)
case("where", torch.where, "mask", "a", 0)

for x in ["a", "zeros", "scalar", "!special"]:
    case("relu", F.relu, x)
    case("relu6", F.relu6, x)
    case("leakyrelu", F.leaky_relu, x, 0.2)
    case("elu", F.elu, x, 1.5)
    case("celu", F.celu, x, 1.5)
    case("selu", F.selu, x)
    case("silu", F.silu, x)
    case("mish", F.mish, x)
    case("softplus", F.softplus, x)
    case("softsign", F.softsign, x)
    case("hardtanh", F.hardtanh, x, -0.5, 1)
    case("hardshrink", F.hardshrink, x, 0.5)
    case("softshrink", F.softshrink, x, 0.5)
    case("tanhshrink", F.tanhshrink, x)
    case("logsigmoid", F.logsigmoid, x)
    case("threshold", F.threshold, x, 0.1, -2)
    # At infinity libtorch's `float` is NaN or infinity, by the place of the element among others.
    case("gelu", F.gelu, "!low" if x == "!special" else x)
    case("gelu", lambda x, tanh: F.gelu(x, approximate="tanh"), x, tanh=True)
for name, call in [("softmax", torch.softmax), ("logsoftmax", torch.log_softmax), ("softmin", F.softmin)]:
    for x, dim in [("a", 1), ("a", -2), ("cube", 1), ("scalar", 0), ("empty", 0)]:
        case(name, call, x, dim)

for name in "eq ne lt le gt ge".split():
    for x, y in [("a", "b"), ("ties", "row"), ("special", "special"), ("whole", "whole2"), ("mask", "mask"), ("a", 0.5), ("empty", "row")]:
        case(name, getattr(torch, name), x, y)
case("equal", torch.equal, "a", "a")
case("equal", torch.equal, "a", "b")
case("equal", torch.equal, "special", "special")
case("close", torch.isclose, "special", "special")
case("close", lambda x, y, rtol, atol: torch.isclose(x, y, rtol=rtol, atol=atol), "a", "b", rtol=0.1, atol=0.5)
case("close", lambda x, y, nan: torch.isclose(x, y, equal_nan=True), "special", "special", nan=True)
case("allclose", torch.allclose, "a", "a")
case("allclose", torch.allclose, "a", "b")
for name in "nan inf finite posinf neginf".split():
    case(name, getattr(torch, "is" + name), "special")
    case(name, getattr(torch, "is" + name), "a")
case("isin", torch.isin, "whole", "whole2")
case("isin", torch.isin, "ties", "ties")

DIMS = [{}, {"dim": 0}, {"dim": -1, "keepdim": True}, {"dim": [0, 1]}]
for name in "sum mean amax amin".split():
    for options in DIMS:
        for x in ["a", "cube", "ties"]:
            case(name, getattr(torch, name), x, **options)
for name in "nansum nanmean".split():
    for options in DIMS:
        case(name, getattr(torch, name), "a", **options)
    case(name, getattr(torch, name), "special")
case("sum", torch.sum, "empty")
case("mean", torch.mean, "empty")
case("sum", torch.sum, "whole")
case("sum", torch.sum, "mask", dim=0)
case("sum", torch.sum, "scalar")
case("mean", torch.mean, "scalar")
case("amax", torch.amax, "!special")
case("aminmax", lambda x, dim: (torch.amin(x, dim), torch.amax(x, dim)), "a", dim=1)
for x in ["a", "zeros", "scalar", "whole", "mask"]:
    case("prod", torch.prod, x)
case("prod", torch.prod, "zeros", 1)
case("prod", torch.prod, "empty", 0)
for name in "max min".split():
    for options in [{"dim": 0}, {"dim": 1, "keepdim": True}]:
        for x in ["a", "ties", "whole"]:
            case(name, lambda x, f=getattr(torch, name), **o: tuple(f(x, **o)), x, **options)
for name in "argmax argmin".split():
    for options in [{}, {"dim": 0}, {"dim": 1, "keepdim": True}]:
        case(name, getattr(torch, name), "a", **options)
        case(name, getattr(torch, name), "ties", **options)
    case(name, getattr(torch, name), "special")
for name in "all any".split():
    for x in ["mask", "whole", "a", "empty"]:
        case(name, getattr(torch, name), x)
        case(name, getattr(torch, name), x, 1)
for x, options in [("a", {"dim": 0}), ("cube", {"dim": [0, 2], "keepdim": True}), ("empty", {"dim": 0})]:
    case("logsumexp", torch.logsumexp, x, **options)
for name in "cumsum cumprod".split():
    for x, dim in [("a", 0), ("cube", -1), ("zeros", 1), ("scalar", 0), ("whole", 1), ("mask", 0), ("empty", 0)]:
        case(name, getattr(torch, name), x, dim)
for name, call in [("variance", torch.var), ("std", torch.std), ("meanstd", torch.std_mean), ("meanvar", torch.var_mean)]:
    for options in [{}, {"dim": 0}, {"dim": [0, 2], "keepdim": True}, {"dim": 1, "correction": 0}]:
        case(name, lambda x, f=call, **o: f(x, **{"dim": None, **o}), "cube", **options)
for p in [0, 1, 2, 3, inf, -inf]:
    # torch's norm of order 0 has a gradient of 0, and ours none.
    case("vnorm", torch.linalg.vector_norm, "a" if p != 0 else "!a", p)
    if p != 0:
        case("dist", torch.dist, "a", "b", p)
case("vnorm", lambda x, p, dim, keepdim: torch.linalg.vector_norm(x, p, dim, keepdim), "a", 2, 0, True)

for options in [{"dim": 0}, {"dim": 1, "descending": True}]:
    for x in ["distinct", "ties", "whole"]:
        case("sort", lambda x, **o: tuple(torch.sort(x, stable=True, **o)), x, **options)
        case("argsort", lambda x, **o: torch.argsort(x, stable=True, **o), x, **options)
case("sort", lambda x: tuple(torch.sort(x, stable=True)), "special")
case("sort", lambda x: tuple(torch.sort(x, stable=True)), "scalar")
case("msort", torch.msort, "distinct")
case("topk", lambda x, k: tuple(torch.topk(x, k)), "distinct", 2)
case("topk", lambda x, k, dim, largest: tuple(torch.topk(x, k, dim, largest)), "distinct", 1, 0, False)
case("kthvalue", lambda x, k: tuple(torch.kthvalue(x, k)), "distinct", 2)
case("median", lambda x, dim: tuple(torch.median(x, dim)), "distinct", 1)
case("median", lambda x, dim: tuple(torch.median(x, dim)), "distinct", 0)

for x, y in [("a", "square"), ("row", "square"), ("a", "row"), ("row", "row"), ("cube", "batch"), ("square", "wide"), ("batch", "a"), ("empty", "square"), ("whole", "whole2")]:
    case("matmul", torch.matmul, x, y)
case("mm", torch.mm, "a", "square")
case("mv", torch.mv, "a", "row")
case("bmm", torch.bmm, "cube", "batch")
case("dot", torch.dot, "row", "row")
case("outer", torch.outer, "row", "row")
case("mmt", lambda x, y: x @ y.T, "a", "b")
case("mtm", lambda x, y: x.T @ y, "a", "b")
case("addmm", torch.addmm, "row", "a", "square")
case("addmm", lambda z, x, y, beta, alpha: torch.addmm(z, x, y, beta=beta, alpha=alpha), "row", "a", "square", beta=0.5, alpha=2)
case("addmv", torch.addmv, "scalar", "a", "row")
case("baddbmm", torch.baddbmm, "scalar", "cube", "batch")
case("trace", torch.trace, "square")
case("trace", torch.trace, "wide")

case("reshape", torch.reshape, "cube", [4, -1])
case("reshape", torch.reshape, "empty", [3, 0])
case("squeeze", torch.squeeze, "column")
case("squeeze", torch.squeeze, "column", 0)
case("unsqueeze", torch.unsqueeze, "a", -1)
case("transpose", torch.transpose, "cube", 0, 2)
case("permute", torch.permute, "cube", [2, 0, 1])
case("expand", lambda x, s: x.expand(s), "column", [4, 2, 3])
case("expand", lambda x, s: x.expand(s), "row", [2, -1])
case("narrow", torch.narrow, "cube", 2, 1, 2)
case("narrow", torch.narrow, "a", 1, -2, 1)
case("cat", lambda x, y: torch.cat((x, y)), ["a", "b"])
case("cat", lambda x, y, dim: torch.cat((x, y), dim), ["a", "column"], 1)
case("cat", lambda x, y: torch.cat((x, y)), ["a", "whole"])
case("stack", lambda x, y, dim: torch.stack((x, y), dim), ["a", "b"], -1)
case("flip", lambda x, dims: torch.flip(x, dims), "cube", [0, 2])
case("roll", torch.roll, "a", 1, 1)
case("roll", torch.roll, "a", -4, 0)
case("flatten", torch.flatten, "cube")
case("flatten", torch.flatten, "cube", 1)
for name in "tril triu".split():
    for diagonal in [0, 1, -1]:
        case(name, getattr(torch, name), "cube", diagonal)
case("detach", lambda x: x.detach(), "a")
case("indexselect", torch.index_select, "cube", 1, "index")
case("select", torch.select, "cube", 1, -1)
case("gather", torch.gather, "a", 0, "index2")
case("scatteradd", torch.scatter_add, "a", 0, "index2", "b")
case("maskedfill", torch.masked_fill, "a", "mask", -1)
case("onehot", F.one_hot, "index", 4)
for dtype in ["long", "bool", "float", "double"]:
    case("cast", lambda x, dtype: x.to(getattr(torch, {"long": "int64", "bool": "bool", "float": "float32", "double": "float64"}[dtype])), "a", dtype)
case("zeros", lambda s: torch.zeros(s), [2, 3])
case("ones", lambda s, dtype: torch.ones(s, dtype=torch.int64), [2], "long")
case("eye", torch.eye, 3)
case("eye", torch.eye, 2, 3)
case("arange", torch.arange, 1, 8, 3)
case("arange", torch.arange, 0, 1, 0.25)
case("linspace", torch.linspace, -1, 2, 7)
case("logspace", torch.logspace, 0, 2, 5)

NAMES = {torch.float32: "float", torch.float64: "double", torch.int64: "long", torch.bool: "bool"}


def number(x):
    if isinstance(x, bool) or isinstance(x, int):
        return int(x)
    return x if math.isfinite(x) else str(x)


def flat(x):
    return [number(value) for value in x.detach().reshape(-1).tolist()]


def record(call, arguments, options, dtype):
    leaves = []

    def tensor(given):
        if isinstance(given, list) and given and isinstance(given[0], str):
            return [tensor(item) for item in given]
        if not isinstance(given, str) or given.lstrip("!") not in INPUTS:
            return given
        x = INPUTS[given.lstrip("!")]
        x = x.to(dtype) if x.is_floating_point() else x.clone()
        if x.is_floating_point() and not given.startswith("!"):
            x = x.clone().requires_grad_()
            leaves.append(x)
        return x

    given = []
    for argument in arguments:
        value = tensor(argument)
        given += value if isinstance(argument, list) and argument and isinstance(argument[0], str) else [value]
    result = call(*given, **options)
    if isinstance(result, bool):
        return result
    outputs = list(result) if isinstance(result, (tuple, list)) else [result]
    roots = [y for y in outputs if y.requires_grad]
    gradients = None
    if roots:
        # Weights that differ from element to element: 1, 2, 3, ...
        loss = sum((y * torch.arange(1, y.numel() + 1, dtype=y.dtype).reshape(y.shape)).sum() for y in roots)
        gradients = torch.autograd.grad(loss, leaves, allow_unused=True)
        gradients = [None if g is None else flat(g) for g in gradients]
    return [[[NAMES[y.dtype], list(y.shape), flat(y)] for y in outputs], gradients]


def main():
    rows = []
    for name, call, arguments, options in CASES:
        arguments = list(arguments)
        try:
            results = {NAMES[dtype]: record(call, arguments, options, dtype) for dtype in (torch.float64, torch.float32)}
        except Exception as error:
            raise ValueError(f"{name} {arguments} {options}") from error
        written = [number(a) if isinstance(a, float) else a for a in arguments]
        options = {key: number(value) if isinstance(value, float) else value for key, value in options.items()}
        rows.append([name, written, options, results["double"], results["float"]])
    inputs = {name: [NAMES[x.dtype], list(x.shape), flat(x)] for name, x in INPUTS.items()}
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    print(f'{{"torch":"{torch.__version__}","inputs":{json.dumps(inputs, separators=(",", ":"))},"cases":[\n{lines}\n]}}')


main()
