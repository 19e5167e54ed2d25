"""PyTorch in Python: the other side of child.ts. The argument is loop, foreach or fused; gpu.py uses this file, too."""

import json
import math
import os
import sys
import time
from pathlib import Path

import torch

PERIOD = 1000
LOOKED_AT = 100_000
CLASSES = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
}
IMPLEMENTATIONS = {"eager": {}, "loop": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}


def filled(shape, factor):
    """As numbers.ts makes them."""
    elements = torch.Size(shape).numel()
    period = ((torch.arange(PERIOD) * factor) % PERIOD).double() / PERIOD - 0.5
    return period.float().repeat(-(-elements // PERIOD))[:elements].clone().reshape(shape)


class Lamb:
    """NVIDIA's LAMB, operation by operation: what somebody writes who has no kernel."""

    def __init__(self, parameters, lr, eps, weight_decay, max_grad_norm, trustclip):
        assert not trustclip
        self.parameters, self.lr, self.eps, self.decay, self.largest = parameters, lr, eps, weight_decay, max_grad_norm
        self.m = [torch.zeros_like(p) for p in parameters]
        self.v = [torch.zeros_like(p) for p in parameters]
        self.count = 0

    @torch.no_grad()
    def step(self):
        self.count += 1
        norm = torch.stack([p.grad.norm() for p in self.parameters]).norm()
        clip = torch.clamp(norm / self.largest, min=1.0)
        correction1, correction2 = 1 - 0.9**self.count, 1 - 0.999**self.count
        for p, m, v in zip(self.parameters, self.m, self.v):
            g = p.grad / clip
            m.mul_(0.9).add_(g, alpha=0.1)
            v.mul_(0.999).addcmul_(g, g, value=0.001)
            update = (m / correction1).div_((v / correction2).sqrt_().add_(self.eps)).add_(p, alpha=self.decay)
            length, update_length = p.norm(), update.norm()
            ratio = torch.where((length > 0) & (update_length > 0), length / update_length, torch.ones_like(length))
            p.sub_(update.mul_(ratio * self.lr))


class Stepping:
    def __init__(self, request, implementation):
        self.parameters = []
        for shape in request["shapes"]:
            parameter = filled(shape, 7919).requires_grad_()
            parameter.grad = filled(shape, 104_729)
            self.parameters.append(parameter)
        name, options = request["optimizer"], request["options"]
        if name == "lamb":
            self.optimizer = Lamb(self.parameters, **options)
        else:
            self.optimizer = CLASSES[name](self.parameters, **options, **IMPLEMENTATIONS[implementation])

    def step(self, steps):
        for _ in range(steps):
            self.optimizer.step()

    @torch.no_grad()
    def moved(self):
        total = 0.0
        for parameter in self.parameters:
            now = parameter.reshape(-1)[:LOOKED_AT]
            start, gradient = filled([now.numel()], 7919), filled([now.numel()], 104_729)
            total += ((now.double() - start.double()) * gradient.double()).sum().item()
        return total


class Training:
    def __init__(self, request, implementation):
        size = request["batch"]
        self.images = filled([size, 784], 7919)
        self.labels = torch.arange(size) % 10
        self.model = torch.nn.Sequential(torch.nn.Linear(784, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10))
        with torch.no_grad():
            for layer in (self.model[0], self.model[2]):
                layer.weight.copy_(filled(layer.weight.shape, 7919) / layer.in_features**0.5)
                layer.bias.zero_()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3, **IMPLEMENTATIONS[implementation])
        self.last = float("nan")

    def step(self, steps):
        for _ in range(steps):
            self.optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(self.model(self.images), self.labels)
            loss.backward()
            self.optimizer.step()
            self.last = loss.item()

    def moved(self):
        return self.last


class CharacterModel:
    """The model of examples/gpt."""

    def __init__(self, request, implementation):
        sys.path.insert(0, str(Path(__file__).parent / "../../examples/gpt"))
        from gpt import Gpt, generator

        text = (Path(__file__).parent / "../../examples/gpt/coriolanus.txt").read_text(encoding="utf8")
        alphabet = sorted(set(text))
        numbers = torch.tensor([alphabet.index(character) for character in text])
        self.model = Gpt(len(alphabet), 128, 4, 4, 64)
        self.model.start()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-3, weight_decay=0.01, **IMPLEMENTATIONS[implementation])
        draws = generator(2)
        starts = [math.floor(next(draws) * (math.floor(len(text) * 0.9) - 65)) for _ in range(request["batch"])]
        self.tokens, targets = (torch.stack([numbers[at + by : at + by + 64] for at in starts]) for by in (0, 1))
        self.targets = targets.flatten()
        self.last = float("nan")

    def step(self, steps):
        for _ in range(steps):
            self.optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(self.model(self.tokens), self.targets)
            loss.backward()
            self.optimizer.step()
            self.last = loss.item()

    def moved(self):
        return self.last


class Operations:
    """A chain of operations on 16 elements."""

    CHAINED = 200

    def __init__(self, request, implementation):
        self.a, self.b = filled([16], 7919), filled([16], 7919) + 1
        self.a.requires_grad_(request["gradient"])
        self.last = float("nan")

    def step(self, steps):
        add, mul, tanh, sub, b = torch.add, torch.mul, torch.tanh, torch.sub, self.b
        for _ in range(steps):
            z = self.a
            for _ in range(0, self.CHAINED, 4):
                z = sub(tanh(mul(add(z, b), b)), b)
            self.last = z[7].item()

    def moved(self):
        return self.last


def timed(candidate, steps):
    # As in serve.ts.
    in_processor_time = isinstance(candidate, (CharacterModel, Operations)) and torch.get_num_threads() == 1
    clock = time.process_time_ns if in_processor_time else time.perf_counter_ns
    start = clock()
    candidate.step(steps)
    return clock() - start


def serve(kinds, timed, release=lambda: None):
    """Answers the requests of child.ts until they end. The answer to one that fails is the reason.

    `kinds` has the class of a candidate for each request that makes one, `timed` makes steps and answers with their times, and
    `release` frees memory that a dropped candidate leaves.
    """
    implementation = sys.argv[1]
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    print(torch.get_num_threads(), flush=True)
    candidate = None
    for line in sys.stdin:
        request = json.loads(line)
        answer = 0
        try:
            if request["do"] == "step":
                answer = timed(candidate, request["steps"])
            elif request["do"] == "moved":
                answer = candidate.moved()
            else:
                candidate = None
                release()
                if request["do"] in kinds:
                    candidate = kinds[request["do"]](request, implementation)
        except Exception as error:
            answer = (str(error).strip() or type(error).__name__).splitlines()[0]
        print(answer, flush=True)


if __name__ == "__main__":
    serve({"make": Stepping, "train": Training, "gpt": CharacterModel, "operations": Operations}, timed)
