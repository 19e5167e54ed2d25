"""PyTorch in Python on a device: the other side of `stepOnDevice` in child.ts. The argument is foreach, fused or copy."""

import sys
import time

import torch

from pytorch import CLASSES, IMPLEMENTATIONS, LOOKED_AT, filled, serve

DTYPES = {"float": torch.float32, "bfloat16": torch.bfloat16}
COPIED = 1 << 28
"""Elements of the copy; 1 GiB as float32, far more than any cache. On the CPU a 64th of it."""


def finish(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class Copying:
    def __init__(self, request, _):
        self.device = torch.device(request["device"])
        elements = COPIED if self.device.type == "cuda" else COPIED // 64
        self.source = torch.ones(elements, device=self.device)
        self.target = torch.empty_like(self.source)
        self.bytes = 2 * 4 * elements

    def once(self):
        self.target.copy_(self.source)

    def moved(self):
        """The bytes that a copy reads and writes."""
        return self.bytes


class Stepping:
    def __init__(self, request, implementation):
        self.device = torch.device(request["device"])
        to = {"device": self.device, "dtype": DTYPES[request["dtype"]]}
        self.parameters = []
        for shape in request["shapes"]:
            parameter = filled(shape, 7919).to(**to).requires_grad_()
            parameter.grad = filled(shape, 104_729).to(**to)
            self.parameters.append(parameter)
        name = request["optimizer"]
        if name not in CLASSES:
            raise ValueError(f"PyTorch has no {name}")
        self.once = CLASSES[name](self.parameters, **request["options"], **IMPLEMENTATIONS[implementation]).step

    @torch.no_grad()
    def moved(self):
        total = 0.0
        for parameter in self.parameters:
            now = parameter.reshape(-1)[:LOOKED_AT].cpu()
            start, gradient = filled([now.numel()], 7919), filled([now.numel()], 104_729)
            total += ((now.double() - start.double()) * gradient.double()).sum().item()
        return total


def step(candidate, steps):
    finish(candidate.device)
    start = time.perf_counter_ns()
    for _ in range(steps):
        candidate.once()
    called = time.perf_counter_ns()
    finish(candidate.device)
    return f"{called - start} {time.perf_counter_ns() - start}"


def release():
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


serve({"make": Copying if sys.argv[1] == "copy" else Stepping}, step, release)
