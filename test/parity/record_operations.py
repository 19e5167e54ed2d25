"""Records operations on tensors of PyTorch 2.11: inputs, results and gradients, in double and in float.

    python test/parity/record_operations.py > test/parity/operations.json

A case is a name of the table, arguments, and the call of torch. A tensor is a name of INPUTS; `!x` has no gradient.
"""

import json
import math

import torch
import torch.nn.functional as F

import record_windows

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
    "hole": torch.tensor([nan, 1.0, inf], dtype=torch.float64), "holes": torch.tensor([[nan, 2.0, 1.0], [3.0, nan, nan], [5.0, 4.0, 6.0], [nan, nan, nan]], dtype=torch.float64),
    "square2": normal(3, 2), "fours": normal(4), "tall3": normal(3, 1), "repeated": torch.tensor([[3, 1, 2, 1], [2, 2, 1, 1], [0, 5, 4, 4]]), "counts": torch.tensor([1, 4, 1, 0, 1]),
    "repeats": torch.tensor([[2.0, 2.0, -1.0, 2.0], [0.5, -1.0, -1.0, 3.0]], dtype=torch.float64), "five": normal(5), "eights": normal(8), "regular": normal(3, 3) + 3 * torch.eye(3, dtype=torch.float64),
    "symmetric": torch.tensor([[4.0, 1.0, 0.5], [1.0, 3.0, -0.5], [0.5, -0.5, 2.0]], dtype=torch.float64), "factor": torch.tensor([[2.0, 0.0, 0.0], [0.5, 1.5, 0.0], [0.25, -0.5, 1.25]], dtype=torch.float64),
    "a2": normal(2, 2, 1), "regulars": normal(2, 2, 2) + 3 * torch.eye(2, dtype=torch.float64), "pivots": torch.tensor([2, 3, 3]), "taus": torch.tensor([0.5, 1.25, 0.75], dtype=torch.float64),
    "above": torch.tensor([1.75, 2.5, 6.0], dtype=torch.float64), "below": torch.tensor([-1.0, 0.0, 2.0], dtype=torch.float64), "same": torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64), "same2": torch.tensor([0.0, 1.0, 0.5], dtype=torch.float64),
    "low": torch.tensor([nan, -inf, 0.0, -0.0, 1.0], dtype=torch.float64),
    "kernel": normal(3, 3, 3),
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
case("clamp", torch.clamp, "below", "same", "same2")
case("fpow", torch.float_power, "positive", "b")
case("fpow", torch.float_power, "whole2", -1)
for p in [1, 2, 4]:
    case("mvlgamma", torch.mvlgamma, "above", p)
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

DIMS = [{}, {"dim": 0}, {"dim": -1, "keepdim": True}, {"dim": [0, 1]}, {"dim": []}]
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
    case(name, lambda x, dim, f=getattr(torch, name): f(x, dim=dim), "mask", dim=[])
for x, options in [("a", {"dim": 0}), ("cube", {"dim": [0, 2], "keepdim": True}), ("empty", {"dim": 0})]:
    case("logsumexp", torch.logsumexp, x, **options)
for name in "cumsum cumprod".split():
    for x, dim in [("a", 0), ("cube", -1), ("zeros", 1), ("scalar", 0), ("whole", 1), ("mask", 0), ("empty", 0)]:
        case(name, getattr(torch, name), x, dim)
for name, call in [("variance", torch.var), ("std", torch.std), ("meanstd", lambda x, **o: torch.std_mean(x, **o)[::-1]), ("meanvar", lambda x, **o: torch.var_mean(x, **o)[::-1])]:
    for options in [{}, {"dim": []}, {"dim": 0}, {"dim": [0, 2], "keepdim": True}, {"dim": 1, "correction": 0}]:
        case(name, lambda x, f=call, **o: f(x, **{"dim": None, **o}), "cube", **options)
for p in [0, 1, 2, 3, inf, -inf]:
    # torch's norm of order 0 has a gradient of 0, and ours none.
    case("vnorm", torch.linalg.vector_norm, "a" if p != 0 else "!a", p)
    if p != 0:
        case("dist", torch.dist, "a", "b", p)
case("vnorm", lambda x, p, dim: torch.linalg.vector_norm(x, p, dim), "a", 2, [])
for p, dim, maxnorm in [(2, 0, 0.5), (1, -1, 0.25), (3, 1, 1)]:
    case("renorm", torch.renorm, "cube", p, dim, maxnorm)
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

for name in "median nanmedian".split():
    for x, dim in [("holes", 0), ("holes", 1), ("repeats", 1), ("whole", 1), ("scalar", 0)]:
        case(name, lambda x, dim, f=getattr(torch, name): tuple(f(x, dim)), x, dim)
    case(name, lambda x, dim, keepdim, f=getattr(torch, name): tuple(f(x, dim, keepdim)), "holes", 1, True)
for x, dim in [("repeated", 1), ("repeated", 0), ("repeats", 1), ("scalar", 0), ("distinct", 0)]:
    case("mode", lambda x, dim: tuple(torch.mode(x, dim)), x, dim)
case("mode", lambda x, keepdim: tuple(torch.mode(x, keepdim=keepdim)), "repeats", keepdim=True)
for x in ["repeated", "!repeats", "mask", "!empty", "!scalar", "counts"]:
    case("unique", lambda x: torch.unique(x, return_inverse=True, return_counts=True), x)
    case("uniquec", lambda x: torch.unique_consecutive(x, return_inverse=True, return_counts=True), x)
case("bincount", torch.bincount, "counts")
case("bincount", lambda x, w: torch.bincount(x, w), "counts", "!five")
case("bincount", lambda x, _, bins: torch.bincount(x, minlength=bins), "counts", None, bins=8)
for options in [{}, {"bins": 4}, {"bins": 5, "low": -1, "high": 1}]:
    case("histc", lambda x, bins=100, low=0, high=0: torch.histc(x, bins, low, high), "!cube", **options)
case("histc", lambda x, bins, low, high: torch.histc(x, bins, low, high), "!special", 3, -1, 2)

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
case("addmm", lambda z, x, y, beta: torch.addmm(z, x, y, beta=beta), "hole", "a", "square", beta=0)
case("addmv", torch.addmv, "scalar", "a", "row")
case("addr", torch.addr, "square", "row", "row")
case("addr", lambda z, x, y, beta, alpha: torch.addr(z, x, y, beta=beta, alpha=alpha), "square", "row", "row", beta=0.5, alpha=2)
case("addbmm", torch.addbmm, "square2", "cube", "batch")
case("addbmm", lambda z, x, y, beta, alpha: torch.addbmm(z, x, y, beta=beta, alpha=alpha), "square2", "cube", "batch", beta=0, alpha=2)
case("multidot", lambda *xs: torch.linalg.multi_dot(xs), ["a", "square", "wide"])
case("multidot", lambda *xs: torch.linalg.multi_dot(xs), ["row", "square", "wide", "fours"])
case("tensordot", torch.tensordot, "a", "square", 1)
case("tensordot", lambda x, y: torch.tensordot(x, y), "a", "cube")
case("tensordot", lambda x, y, dim1, dim2: torch.tensordot(x, y, (dim1, dim2)), "cube", "a", [1, 0], [1, 0])
case("tensordot", torch.tensordot, "row", "tall", 0)
case("cross", torch.linalg.cross, "a", "b")
case("cross", lambda x, y, dim: torch.linalg.cross(x, y, dim=dim), "square", "tall3", 0)
case("baddbmm", torch.baddbmm, "scalar", "cube", "batch")
case("bilinear", F.bilinear, "a", "b", "kernel")
case("bilinear", F.bilinear, "a", "b", "kernel", "row")
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
for x, options in [("square", {}), ("wide", {"offset": 1}), ("wide", {"offset": -2}), ("wide", {"offset": 9}), ("cube", {"offset": 1, "dim1": 2, "dim2": -2})]:
    case("diagonal", torch.diagonal, x, **options) if not options.get("dim1") else case("diagonal", lambda x, offset, dim1, dim2: torch.diagonal(x, offset, dim1, dim2), x, **options)
for x, offset in [("wide", 0), ("wide", -1), ("row", 0), ("row", 2), ("row", -1), ("mask", 1)]:
    case("diag", torch.diag, x, offset)
for x, offset in [("a", 0), ("row", 1), ("row", -2), ("mask", 0), ("scalar", 1)]:
    case("diagflat", torch.diagflat, x, offset)
case("index", torch.select, "cube", 1, -1)
case("index", lambda x, dim, i: torch.index_select(x, dim, torch.tensor(i)), "cube", -1, [0, 3, 0])
case("index", torch.index_select, "cube", 1, "index")
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
for length in [0, 1, 5, 6]:
    for name in "bartlett blackman hann hamming kaiser".split():
        case(name, getattr(torch, name + "_window"), length)
        case(name, lambda n, periodic, f=getattr(torch, name + "_window"): f(n, periodic=periodic), length, False)
case("hamming", lambda n, periodic, alpha, beta: torch.hamming_window(n, periodic, alpha, beta), 6, True, 0.6, 0.3)
case("kaiser", lambda n, periodic, beta: torch.kaiser_window(n, periodic, beta), 6, True, 5)
for n in [1, 4, 5]:
    case("fftfreq", torch.fft.fftfreq, n)
    case("rfftfreq", torch.fft.rfftfreq, n)
case("fftfreq", torch.fft.fftfreq, 5, 0.25)
case("rfftfreq", torch.fft.rfftfreq, 5, 0.25)
for name in "fftshift ifftshift".split():
    for x in ["a", "five", "cube"]:
        case(name, getattr(torch.fft, name), x)
    case(name, lambda x, dim, f=getattr(torch.fft, name): f(x, dim=dim), "cube", -2)

linalg = torch.linalg
for name, call in [("det", linalg.det), ("inverse", linalg.inv), ("slogdet", lambda x: tuple(linalg.slogdet(x)))]:
    for x in ["regular", "regulars"]:
        case(name, call, x)
case("logdet", torch.logdet, "symmetric")
case("logdet", torch.logdet, "square")
case("mrank", linalg.matrix_rank, "wide")
case("mrank", lambda x, atol: linalg.matrix_rank(x, atol=atol), "symmetric", 3)
case("mrank", lambda x, rtol, hermitian: linalg.matrix_rank(x, rtol=rtol, hermitian=hermitian), "symmetric", rtol=0.7, hermitian=True)
case("pinverse", linalg.pinv, "wide")
case("pinverse", lambda x, atol, hermitian: linalg.pinv(x, atol=atol, hermitian=hermitian), "symmetric", atol=2, hermitian=True)
for x, y in [("regular", "square"), ("regular", "row"), ("regulars", "a2")]:
    case("solve", linalg.solve, x, y)
for options in [{}, {"left": False}, {"unitriangular": True}]:
    case("trisolve", lambda x, y, upper, **o: linalg.solve_triangular(x, y, upper=upper, **o), "factor", "square", False, **options)
case("trisolve", lambda x, y, upper: linalg.solve_triangular(x, y, upper=upper), "regular", "square", True)
case("lstsq", lambda x, y: tuple(linalg.lstsq(x, y)), "square2", "square")
case("lstsq", lambda x, y, rcond: tuple(linalg.lstsq(x, y, rcond=rcond)), "square2", "wide", 1e-3)
for options in [{}, {"upper": True}]:
    case("chol", linalg.cholesky, "symmetric", **options)
    case("cholx", lambda x, **o: tuple(linalg.cholesky_ex(x, **o)), "symmetric", **options)
    case("cholinverse", torch.cholesky_inverse, "factor", **options)
case("cholx", lambda x: tuple(linalg.cholesky_ex(x)), "!square")
case("cholsolve", torch.cholesky_solve, "square2", "factor")
for x in ["regular", "wide", "square2", "regulars"]:
    case("lu", lambda x: tuple(linalg.lu_factor(x)), x)
    case("lux", lambda x: tuple(linalg.lu_factor_ex(x)), x)
case("lun", lambda x, y: torch.lu_unpack(x, y.int()), "regular", "pivots")
case("lusolve", lambda b, x, y: linalg.lu_solve(x, y.int(), b), "square2", "regular", "pivots")
for x in ["regular", "square2", "wide"]:
    # torch has no gradient of a complete decomposition, nor of a wide one.
    case("qr", lambda x: tuple(linalg.qr(x)), x if x != "wide" else "!wide")
    case("qr", lambda x, complete: tuple(linalg.qr(x, mode="complete")), "!" + x, complete=True)
    # torch's signs of singular vectors depend on the library; see the test of linear algebra.
    case("svdvals", linalg.svdvals, x)
case("householder", linalg.householder_product, "regular", "taus")
case("eigvalsh", linalg.eigvalsh, "symmetric")
case("eigvalsh", lambda x, upper: linalg.eigvalsh(x, "U"), "symmetric", upper=True)
for n in [0, 1, 3, -2]:
    case("power", linalg.matrix_power, "regular" if n != 0 else "!regular", n)
case("power", linalg.matrix_power, "regulars", 5)
for options in [{}, {"dim": [0, 2]}, {"dim": [-1, 0], "keepdim": True}]:
    case("fnorm", lambda x, **o: linalg.matrix_norm(x, **{"dim": (-2, -1), **o}), "cube", **options)
    case("nnorm", lambda x, **o: linalg.matrix_norm(x, "nuc", **{"dim": (-2, -1), **o}), "cube", **options)
    for ord in [1, -1, 2, -2, inf, -inf]:
        case("mnorm", lambda x, ord, **o: linalg.matrix_norm(x, ord, **{"dim": (-2, -1), **o}), "cube", ord, **options)
case("linspace", torch.linspace, -1, 2, 7)
case("logspace", torch.logspace, 0, 2, 5)

case("prelu", torch.prelu, "a", "row")
case("prelu", torch.prelu, "cube", "scalar")
case("prelu", torch.prelu, "cube", "row")
for x in ["a", "zeros", "scalar", "!special"]:
    case("rrelu", lambda x, lower, upper: F.rrelu(x, lower, upper, False), x, 0.125, 0.5)
    case("softplus", F.softplus, x, 0.5, 1)
case("rrelu", F.rrelu, "a")
case("glu", F.glu, "cube")
case("glu", F.glu, "a", 0)
for p in [1, 2, 3, inf]:
    case("pairwise", F.pairwise_distance, "a", "b", p)
    case("normalize", F.normalize, "a", p)
    case("pdist", F.pdist, "wide", p)
case("pairwise", F.pairwise_distance, "cube", "tall")
case("pairwise", lambda x, y, p, eps, keepdim: F.pairwise_distance(x, y, p, eps, keepdim), "a", "row", 2, 0.5, True)
case("similar", F.cosine_similarity, "a", "b")
case("similar", F.cosine_similarity, "cube", "tall", -1)
case("similar", lambda x, y, dim, eps: F.cosine_similarity(x, y, dim=dim, eps=eps), "a", "row", dim=0, eps=1e-6)
case("pdist", F.pdist, "ties")
case("normalize", F.normalize, "empty", 2, 0)
case("normalize", lambda x, p, dim, eps: F.normalize(x, p, dim, eps), "zeros", 2, 0, 4.5)
case("zscore", lambda x, mean, std: (x - mean) / std, "a", 0.5, 2)
case("zscore", lambda x, mean, std: (x - torch.tensor(mean).view(-1, 1, 1)) / torch.tensor(std).view(-1, 1, 1), "cube", [0.5, 2], [1, 4])
case("zscore", lambda x, mean, std: (x - mean) / std, "a", "column", "scalar")
case("rmsnorm", F.rms_norm, "a", [3])
case("rmsnorm", F.rms_norm, "cube", [3, 4])
case("rmsnorm", lambda x, shape, weight, eps: F.rms_norm(x, shape, weight, eps), "cube", [4], None, 0.5)
case("rmsnorm", lambda x, shape, weight: F.rms_norm(x, shape, weight), "a", [3], "row")
case("localnorm", F.local_response_norm, "cube", 2)
case("localnorm", F.local_response_norm, "cube", 5, 0.5, 0.25, 2)
INPUTS |= record_windows.INPUTS
record_windows.add(case)

NAMES = {torch.int32: "long", torch.float32: "float", torch.float64: "double", torch.int64: "long", torch.bool: "bool"}


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


if __name__ == "__main__":
    main()
