"""Rows of record_modules.py: convolution, pooling, padding and interpolation."""

from torch import nn
from torch.nn import functional

IMAGE = (1, 3, 4, 5)
SEQUENCE = (1, 4, 6)
VOLUME = (1, 2, 3, 3, 4)



class Interpolate(nn.Module):
    """PyTorch has the function alone."""

    def forward(self, x):
        return functional.interpolate(x, scale_factor=1.5, mode="linear", recompute_scale_factor=True)


MODULES = [
    ("conv1d", ["conv1d", 4, 2, 3, 2, 1], lambda: nn.Conv1d(4, 2, 3, 2, 1), SEQUENCE),
    ("conv2d reflect", ["conv2d", 3, 2, 3, {"pad": [1, 2], "padmode": "reflect"}], lambda: nn.Conv2d(3, 2, 3, padding=(1, 2), padding_mode="reflect"), IMAGE),
    ("conv2d circular", ["conv2d", 3, 2, 2, 1, 1, 1, 1, False, "circular"], lambda: nn.Conv2d(3, 2, 2, 1, 1, bias=False, padding_mode="circular"), IMAGE),
    ("conv2d of one image", ["conv2d", 3, 2, 2], lambda: nn.Conv2d(3, 2, 2), (3, 4, 5)),
    ("conv3d", ["conv3d", 2, 3, [2, 3, 2]], lambda: nn.Conv3d(2, 3, (2, 3, 2)), VOLUME),
    ("convtranspose1d", ["convtranspose1d", 4, 6, 3, 2, 1, 1, 2], lambda: nn.ConvTranspose1d(4, 6, 3, 2, 1, 1, 2), SEQUENCE),
    ("convtranspose2d", ["convtranspose2d", 3, 2, [2, 3], {"stride": 2, "dilate": [1, 2]}], lambda: nn.ConvTranspose2d(3, 2, (2, 3), 2, dilation=(1, 2)), IMAGE),
    ("convtranspose3d", ["convtranspose3d", 2, 1, 2, 2, {"bias": False}], lambda: nn.ConvTranspose3d(2, 1, 2, 2, bias=False), (1, 2, 2, 2, 3)),
    ("unfold", ["unfold", [2, 3], 1, 1, 2], lambda: nn.Unfold((2, 3), 1, 1, 2), IMAGE),
    ("fold", ["fold", [3, 4], 2], lambda: nn.Fold((3, 4), 2), (1, 8, 6)),
    ("maxpool1d", ["maxpool1d", 3, 2, 1], lambda: nn.MaxPool1d(3, 2, 1), SEQUENCE),
    ("maxpool2d ceiling", ["maxpool2d", 2, None, 0, 1, True], lambda: nn.MaxPool2d(2, None, 0, 1, False, True), IMAGE),
    ("maxpool3d", ["maxpool3d", 2, 1], lambda: nn.MaxPool3d(2, 1), VOLUME),
    ("avgpool1d", ["avgpool1d", 3, 2, 1], lambda: nn.AvgPool1d(3, 2, 1), SEQUENCE),
    ("avgpool2d", ["avgpool2d", 2, {"count_include_pad": False, "ceil_mode": True, "padding": 1}], lambda: nn.AvgPool2d(2, padding=1, ceil_mode=True, count_include_pad=False), IMAGE),
    ("avgpool3d", ["avgpool3d", 2, 1, {"divisor": 3}], lambda: nn.AvgPool3d(2, 1, divisor_override=3), VOLUME, {"wide": True}),
    ("adaptmax1d", ["adaptmax1d", 3], lambda: nn.AdaptiveMaxPool1d(3), SEQUENCE),
    ("adaptmax2d", ["adaptmax2d", [2, 4]], lambda: nn.AdaptiveMaxPool2d((2, 4)), IMAGE),
    ("adaptmax3d", ["adaptmax3d", [3, 1, 2]], lambda: nn.AdaptiveMaxPool3d((3, 1, 2)), VOLUME),
    ("adaptavg1d", ["adaptavg1d", 3], lambda: nn.AdaptiveAvgPool1d(3), SEQUENCE),
    ("adaptavg2d", ["adaptavg2d", [2, 4]], lambda: nn.AdaptiveAvgPool2d((2, 4)), IMAGE),
    ("adaptavg3d", ["adaptavg3d", [3, 1, 2]], lambda: nn.AdaptiveAvgPool3d((3, 1, 2)), VOLUME),
    ("lppool1d", ["lppool1d", 2, 3, 1], lambda: nn.LPPool1d(2, 3, 1), SEQUENCE),
    ("lppool2d", ["lppool2d", 2, [2, 3]], lambda: nn.LPPool2d(2, (2, 3)), IMAGE),
    # One window, whose place is not random.
    ("fmaxpool2d", ["fmaxpool2d", [4, 5], 1], lambda: nn.FractionalMaxPool2d((4, 5), 1), IMAGE),
    ("fmaxpool3d", ["fmaxpool3d", [2, 2, 3], 1], lambda: nn.FractionalMaxPool3d((2, 2, 3), 1), VOLUME),
    ("pad", ["pad", [1, -1, 2, 0], "constant", 0.5], lambda: nn.ConstantPad2d((1, -1, 2, 0), 0.5), IMAGE),
    ("pad circular", ["pad", [1, 2], "circular"], lambda: nn.CircularPad1d((1, 2)), SEQUENCE),
    ("pad1d", ["pad1d", 2, -1], lambda: nn.ConstantPad1d(2, -1), SEQUENCE),
    ("pad2d", ["pad2d", [1, 0, 2, 1], 0.5], lambda: nn.ConstantPad2d((1, 0, 2, 1), 0.5), IMAGE),
    ("pad3d", ["pad3d", 1], lambda: nn.ConstantPad3d(1, 0), (1, 1, 1, 2, 2)),
    ("reflect1d", ["reflect1d", [2, 3]], lambda: nn.ReflectionPad1d((2, 3)), SEQUENCE),
    ("reflect2d", ["reflect2d", 1], lambda: nn.ReflectionPad2d(1), IMAGE),
    ("replicate1d", ["replicate1d", [2, 3]], lambda: nn.ReplicationPad1d((2, 3)), SEQUENCE),
    ("replicate2d", ["replicate2d", [1, 2, 0, 1]], lambda: nn.ReplicationPad2d((1, 2, 0, 1)), (1, 2, 2, 3)),
    ("replicate3d", ["replicate3d", 1], lambda: nn.ReplicationPad3d(1), (1, 1, 2, 1, 2)),
    ("zeropad2d", ["zeropad2d", [1, -1, 0, 2]], lambda: nn.ZeroPad2d((1, -1, 0, 2)), IMAGE),
    ("upsample", ["upsample", None, 2], lambda: nn.Upsample(scale_factor=2), (1, 2, 2, 3)),
    ("upsample linear", ["upsample", {"size": [7, 4], "mode": "bilinear", "align_corners": True}], lambda: nn.Upsample((7, 4), mode="bilinear", align_corners=True), (1, 2, 3, 2)),
    ("interpolate", ["interpolate", None, 1.5, "linear", None, True], Interpolate, SEQUENCE),
]
