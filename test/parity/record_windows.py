"""Cases of convolutions, pooling, padding and interpolation for record_operations.py."""

import torch
import torch.nn.functional as F

generator = torch.Generator().manual_seed(2)


def normal(*shape):
    return torch.randn(shape, generator=generator, dtype=torch.float64).mul(16).round().div(16)


# Sizes of kernels are odd and even, and differ from one dimension to the next.
INPUTS = {
    "line": normal(2, 4, 7), "image": normal(1, 4, 6, 5), "volume": normal(1, 2, 5, 4, 6), "no images": torch.zeros((0, 4, 6, 5), dtype=torch.float64),
    "one image of all": normal(1, 1, 3, 2), "images": normal(2, 4, 4, 3), "one line": normal(4, 7), "one image": normal(4, 6, 5), "one volume": normal(2, 5, 4, 6),
    "kernel1": normal(6, 4, 3), "kernel1 of 2": normal(6, 2, 2), "kernel2": normal(3, 4, 3, 2), "kernel2 of 2": normal(6, 2, 2, 3), "kernel2 of 4": normal(4, 1, 3, 3),
    "kernel2 of 1": normal(3, 4, 1, 1), "kernel3": normal(3, 2, 3, 2, 2), "kernel3 of 2": normal(4, 1, 2, 2, 3),
    "back1": normal(4, 3, 3), "back1 of 2": normal(4, 2, 2), "back2": normal(4, 3, 3, 2), "back2 of 2": normal(4, 3, 2, 3), "back2 of 1": normal(4, 3, 1, 1),
    "back3": normal(2, 3, 3, 2, 2), "back3 of 2": normal(2, 2, 2, 3, 2), "three": normal(3), "six": normal(6), "four": normal(4),
    "columns": normal(2, 8, 6), "few columns": normal(12, 20), "nan image": torch.tensor([[[[1.0, float("nan"), 2.0, float("inf")], [3.0, 4.0, -float("inf"), 0.5]]]], dtype=torch.float64),
    "samples2": torch.rand((1, 4, 2), generator=generator, dtype=torch.float64).mul(16).floor().div(16),
    "samples3": torch.rand((1, 2, 3), generator=generator, dtype=torch.float64).mul(16).floor().div(16),
    "ties image": torch.tensor([[[[1.0, 1.0, 0.0], [1.0, 1.0, 2.0], [2.0, 0.0, 2.0]]]], dtype=torch.float64),
}

# The k-api's words, and PyTorch's.
WORDS = {"pad": "padding", "dilate": "dilation", "size": "kernel_size", "ceiling": "ceil_mode", "countpad": "count_include_pad", "divisor": "divisor_override", "outpad": "output_padding",
         "align": "align_corners", "rescale": "recompute_scale_factor", "scale": "scale_factor", "out": "output_size"}


def renamed(call, **words):
    words = {**WORDS, **words}
    return lambda *arguments, **options: call(*arguments, **{words.get(key, key): value for key, value in options.items()})


def add(case):
    def each(name, call, rows, **words):
        for *arguments, options in rows:
            case(name, renamed(call, **words), *arguments, **options)

    each("conv1d", F.conv1d, [
        ("line", "kernel1", "six", {}), ("one line", "kernel1", {}), ("line", "kernel1 of 2", "six", {"stride": 2, "pad": 1, "dilate": 3, "groups": 2}),
    ])
    each("conv2d", F.conv2d, [
        ("images", "kernel2", "three", {}), ("image", "kernel2", None, [2, 3], [1, 2], [2, 1], {}), ("one image", "kernel2", "three", {"pad": [0, 3]}),
        ("image", "kernel2 of 2", "six", {"groups": 2, "stride": [1, 2]}), ("image", "kernel2 of 4", {"groups": 4, "pad": 1}), ("image", "kernel2 of 1", "three", {}),
        ("no images", "kernel2", "three", {}), ("!image", "kernel2", "!three", {"stride": 3}),
    ])
    each("conv3d", F.conv3d, [
        ("volume", "kernel3", "three", {}), ("one volume", "kernel3", {"stride": [2, 1, 3], "pad": [1, 2, 0]}),
        ("volume", "kernel3 of 2", "four", {"groups": 2, "dilate": [3, 1, 2], "pad": 1}),
    ])
    each("convtranspose1d", F.conv_transpose1d, [
        ("line", "back1", "three", {}), ("one line", "back1", {"stride": 3, "pad": 2, "outpad": 2}), ("line", "back1 of 2", "four", {"stride": 2, "dilate": 3, "groups": 2, "outpad": 2}),
    ])
    each("convtranspose2d", F.conv_transpose2d, [
        ("images", "back2", "three", {}), ("image", "back2", None, [2, 3], [1, 0], [1, 2], {}), ("one image", "back2 of 2", "six", {"groups": 2, "dilate": [1, 2], "pad": [0, 2]}),
        ("image", "back2 of 1", "three", {}), ("image", "back2 of 1", {"stride": 2}), ("no images", "back2", "three", {"stride": 2}),
    ])
    each("convtranspose3d", F.conv_transpose3d, [
        ("volume", "back3", "three", {}), ("one volume", "back3", {"stride": [1, 1, 3], "pad": [2, 1, 3], "outpad": [0, 0, 2]}),
        ("volume", "back3 of 2", "four", {"groups": 2, "dilate": [3, 1, 2], "stride": [2, 1, 1], "pad": [4, 1, 3]}),
    ])
    each("linear", F.linear, [("image", "kernel of linear", "three", {}), ("four", "four by four", {}), ("a", "square", "row", {})])
    each("unfold", F.unfold, [("image", 2, {}), ("images", [3, 2], {"pad": [1, 2], "stride": [2, 1], "dilate": [1, 2]}), ("one image", [2, 3], {"stride": 2}), ("image", [6, 5], {})])
    each("fold", F.fold, [("columns", [3, 4], [2, 2], {}), ("few columns", [4, 4], [2, 3], {"pad": 1, "stride": [1, 1]}), ("columns", [5, 7], 2, {"dilate": 2, "stride": [2, 2]})])

    for rank, x, one in [(1, "line", "one line"), (2, "image", "one image"), (3, "volume", "one volume")]:
        odd = [3, 2, 4][:rank]
        each(f"maxpool{rank}d", getattr(F, f"max_pool{rank}d"), [
            (x, 2, {}), (one, odd, {"stride": 1}), (x, 3, 2, 1, {"ceiling": True}), (x, 2, {"dilate": 2, "stride": 1, "pad": 1}), (x, odd, {"ceiling": True}),
        ])
        rows = [(x, 2, {}), (one, odd, {"stride": 1}), (x, 3, 2, 1, {"ceiling": True}), (x, 3, 2, 1, {"ceiling": True, "countpad": False}), (x, odd, {"ceiling": True})]
        if rank > 1:
            rows += [(x, 3, {"pad": 1, "divisor": 5, "stride": 2}), (x, odd, {"divisor": 3, "ceiling": True})]
        each(f"avgpool{rank}d", getattr(F, f"avg_pool{rank}d"), rows)
        for name, torch_name in [("adaptmax", "adaptive_max_pool"), ("adaptavg", "adaptive_avg_pool")]:
            each(f"{name}{rank}d", getattr(F, f"{torch_name}{rank}d"), [(x, 3, {}), (one, odd, {}), (x, 1, {}), (one, 6, {})])
    each("maxpool2d", F.max_pool2d, [("!nan image", 2, {}), ("no images", 2, {}), ("ties image", 2, 1, {})])
    each("maxpool3d", F.max_pool3d, [("ties volume", 2, 1, {})])
    each("avgpool2d", F.avg_pool2d, [("!nan image", 2, {}), ("no images", 2, {})])
    each("adaptmax2d", F.adaptive_max_pool2d, [("!nan image", [1, 3], {}), ("no images", [2, 3], {}), ("image", [6, 5], {})])
    each("adaptavg2d", F.adaptive_avg_pool2d, [("!nan image", [1, 3], {}), ("no images", [2, 3], {})])
    for rank, x in [(1, "positive line"), (2, "positive image")]:
        each(f"lppool{rank}d", getattr(F, f"lp_pool{rank}d"), [(x, 2, 2, {}), (x, 3, 3, {"stride": 2, "ceiling": True}), (x, 1.5, 2, 1, {})])
    each("lppool2d", F.lp_pool2d, [("image", 2, [2, 3], {})])

    def fractional(call):
        return lambda x, size, outsize, ratio, samples: call(x, size, output_size=outsize, output_ratio=ratio, _random_samples=samples)

    case("fmaxpool2d", fractional(F.fractional_max_pool2d), "image", 2, [3, 2], None, "!samples2")
    case("fmaxpool2d", fractional(F.fractional_max_pool2d), "image", [3, 2], None, [0.5, 0.75], "!samples2")
    case("fmaxpool2d", fractional(F.fractional_max_pool2d), "image", 2, 1, None, "!samples2")
    case("fmaxpool3d", fractional(F.fractional_max_pool3d), "volume", 2, [3, 2, 4], None, "!samples3")
    case("fmaxpool3d", fractional(F.fractional_max_pool3d), "volume", [2, 1, 3], None, 0.6, "!samples3")

    each("pad", F.pad, [
        ("image", [1, 2], {}), ("image", [1, -2, -1, 3], "constant", 1.5, {}), ("a", [0, 0, 2, 0], {"value": -1}), ("empty", [1, 0, 2, 1], {}), ("whole", [1, 1], {"value": 7}), ("a", [-1, -2], {}),
        ("mask", [1, 0, 0, 1], {"value": 1}),
    ], pad="pad")
    for mode in ["reflect", "replicate", "circular"]:
        each("pad", F.pad, [
            ("one line", [3, 2], mode, {}), ("image", [2, 1, 3, 0], mode, {}), ("one volume", [1, 2, -1, 0, -2, 2], mode, {}), ("image", [-1, 2, 1, -3], mode, {}), ("no images", [1, 1, 0, 2], mode, {}),
        ], pad="pad")
    each("interpolate", F.interpolate, [
        ("line", 11, {}), ("image", [4, 9], {}), ("volume", [3, 5, 4], {}), ("one image of all", None, 2, {}), ("image", None, [0.7, 1.9], {}), ("image", None, [0.7, 1.9], {"rescale": True}),
        ("line", 11, {"mode": "linear"}), ("line", 11, {"mode": "linear", "align": True}), ("line", 3, {"mode": "linear", "align": False}), ("line", 1, {"mode": "linear", "align": True}),
        ("image", [3, 6], {"mode": "bilinear"}), ("image", None, [0.6, 1.3], {"mode": "bilinear"}), ("image", None, [0.6, 1.3], {"mode": "bilinear", "rescale": True}),
        ("image", [7, 2], {"mode": "bilinear", "align": True}), ("volume", [6, 2, 4], {"mode": "trilinear"}), ("volume", [6, 2, 4], {"mode": "trilinear", "align": True}),
        ("image", [2, 6], {"mode": "bicubic"}), ("one image of all", None, [1.7, 0.6], {"mode": "bicubic"}), ("image", [7, 2], {"mode": "bicubic", "align": True}), ("image", [1, 1], {"mode": "bicubic", "align": True}),
        ("image", [4, 9], {"mode": "area"}), ("line", 3, {"mode": "area"}), ("image", None, 0.5, {"mode": "area"}), ("no images", 3, {"mode": "bilinear"}),
    ])
    # PyTorch's word has a hyphen.
    for x, size in [("line", 11), ("image", [4, 9]), ("volume", 3)]:
        case("interpolate", lambda x, size, mode: F.interpolate(x, size, mode="nearest-exact"), x, size, mode="nearestexact")


INPUTS["kernel of linear"] = normal(3, 5)
INPUTS["four by four"] = normal(4, 4)
INPUTS["ties volume"] = torch.tensor([1.0, 1, 0, 2, 2, 1, 0, 2, 2, 2, 1, 2], dtype=torch.float64).reshape(1, 1, 2, 2, 3)
INPUTS["positive line"] = INPUTS["line"].abs() + 0.25
INPUTS["positive image"] = INPUTS["image"].abs() + 0.25
