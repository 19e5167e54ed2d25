"""Records the learning rates that Stepwell's schedules are compared with.

Writes one file per schedule to schedules/ beside this script, from torch.optim.lr_scheduler (PyTorch 2.11.0):
the rate of each parameter group, and momentum or beta1 where the schedule drives it, at binding and after
each of 60 schedule steps. README.md describes the format.

Recorded with Python 3.11 and torch 2.11.0. To run it again:
  pip install torch==2.11.0 numpy
  python test/parity/record_schedules.py [folder]
Nothing is random, so two runs give the same bytes.
"""

import json
import math
import sys
import warnings
from itertools import combinations
from pathlib import Path

import torch
from torch.optim import lr_scheduler as torch_schedules

TORCH_VERSION = "2.11.0"
STEPS = 60
RATES = [0.1, 0.003]

# Every option of every schedule: PyTorch's name and Stepwell's default. All of them are handed to torch
# explicitly, so that a default of torch never enters a recording.
THIRD = 1 / 3
SCHEDULES = {
    "step": ("StepLR", {"every": ("step_size", None), "gamma": ("gamma", 0.1)}),
    "multistep": ("MultiStepLR", {"milestones": ("milestones", None), "gamma": ("gamma", 0.1)}),
    "exponential": ("ExponentialLR", {"gamma": ("gamma", None)}),
    "linear": ("LinearLR", {
        "start": ("start_factor", THIRD), "end": ("end_factor", 1.0), "steps": ("total_iters", 5),
    }),
    "cosine": ("CosineAnnealingLR", {"steps": ("T_max", None), "min": ("eta_min", 0.0)}),
    "restarts": ("CosineAnnealingWarmRestarts", {
        "steps": ("T_0", None), "grow": ("T_mult", 1), "min": ("eta_min", 0.0),
    }),
    "onecycle": ("OneCycleLR", {
        "max": ("max_lr", None), "steps": ("total_steps", None), "warm": ("pct_start", 0.3),
        "anneal": ("anneal_strategy", "cos"), "momentum": ("cycle_momentum", True),
        "lowmomentum": ("base_momentum", 0.85), "highmomentum": ("max_momentum", 0.95),
        "div": ("div_factor", 25.0), "finaldiv": ("final_div_factor", 10000.0),
        "threephase": ("three_phase", False),
    }),
    "polynomial": ("PolynomialLR", {"steps": ("total_iters", 5), "power": ("power", 1.0)}),
    "plateau": ("ReduceLROnPlateau", {
        "mode": ("mode", "min"), "factor": ("factor", 0.1), "patience": ("patience", 10),
        "threshold": ("threshold", 1e-4), "thresholdmode": ("threshold_mode", "rel"),
        "cooldown": ("cooldown", 0), "min": ("min_lr", 0.0), "eps": ("eps", 1e-8),
    }),
}


def spec(schedule, **options):
    return {"schedule": schedule, **options}


def falling():
    """A metric that falls, stalls, falls a little and rises."""
    return [round(1 / (1 + 0.3 * min(i, 12)) - 0.0004 * (i % 7) + max(0, i - 40) * 0.01, 6) for i in range(STEPS)]


def cases():
    """For each schedule: name, specification, and what else a recording has."""
    yield "step", [
        ("defaults", spec("step", every=7), {}),
        ("gamma", spec("step", every=1, gamma=0.9), {}),
        ("later than the end", spec("step", every=100, gamma=0.5), {}),
    ]
    yield "multistep", [
        ("defaults", spec("multistep", milestones=[10, 25, 50]), {}),
        ("unordered and twice", spec("multistep", milestones=[30, 5, 30, 59], gamma=0.5), {}),
        ("the first and the last step", spec("multistep", milestones=[1, 60], gamma=2.0), {}),
    ]
    yield "exponential", [
        ("falls", spec("exponential", gamma=0.93), {}),
        ("rises", spec("exponential", gamma=1.05), {}),
        ("stays", spec("exponential", gamma=1.0), {}),
    ]
    yield "linear", [
        ("defaults", spec("linear"), {}),
        ("down", spec("linear", start=1.0, end=0.05, steps=40), {}),
        ("longer than the recording", spec("linear", start=0.01, steps=100), {}),
    ]
    yield "cosine", [
        ("whole", spec("cosine", steps=60), {}),
        ("min", spec("cosine", steps=60, min=0.0005), {}),
        ("past the end", spec("cosine", steps=25, min=0.0001), {}),
        ("one step", spec("cosine", steps=1), {}),
        ("longer than the recording", spec("cosine", steps=1000), {}),
    ]
    yield "restarts", [
        ("defaults", spec("restarts", steps=13), {}),
        ("grow", spec("restarts", steps=5, grow=2, min=0.0002), {}),
        ("grow faster", spec("restarts", steps=1, grow=3), {}),
    ]
    yield "onecycle", [
        ("defaults", spec("onecycle", max=0.5, steps=61), {}),
        ("one for each group", spec("onecycle", max=[0.5, 0.02], steps=61, anneal="linear"), {}),
        ("three phases", spec("onecycle", max=0.2, steps=61, threephase=True, warm=0.4), {}),
        ("three phases, linear", spec("onecycle", max=0.2, steps=80, threephase=True, anneal="linear"), {}),
        ("beta1", spec("onecycle", max=0.5, steps=90, div=10.0, finaldiv=100.0, lowmomentum=0.5, highmomentum=0.9),
         {"optimizer": "adamw"}),
        ("without momentum", spec("onecycle", max=0.5, steps=61, momentum=False), {"optimizer": "adagrad"}),
        ("no warm-up", spec("onecycle", max=0.5, steps=61, warm=0.0), {}),
        ("nothing but warm-up", spec("onecycle", max=0.5, steps=61, warm=1.0), {}),
    ]
    yield "polynomial", [
        ("defaults", spec("polynomial"), {}),
        ("square", spec("polynomial", steps=45, power=2.0), {}),
        ("root", spec("polynomial", steps=60, power=0.5), {}),
    ]
    metrics = falling()
    yield "plateau", [
        ("defaults", spec("plateau"), {"metrics": metrics}),
        ("impatient", spec("plateau", patience=1, factor=0.5, threshold=0.01), {"metrics": metrics}),
        ("cooldown", spec("plateau", patience=0, cooldown=3, factor=0.7, min=[0.004, 0.001]), {"metrics": metrics}),
        ("absolute", spec("plateau", patience=2, threshold=0.002, thresholdmode="abs", factor=0.3),
         {"metrics": metrics}),
        ("max", spec("plateau", mode="max", patience=3, factor=0.2), {"metrics": [-m for m in metrics]}),
        ("max absolute", spec("plateau", mode="max", thresholdmode="abs", patience=4, factor=0.2),
         {"metrics": [1 - m for m in metrics]}),
        ("eps", spec("plateau", patience=0, factor=0.5, eps=0.001), {"metrics": metrics}),
    ]
    warm = {"steps": 10, "start": 0.1}
    yield "warmup", [
        ("cosine", spec("warmup", **warm, next=spec("cosine", steps=50, min=0.0001)), {}),
        ("step", spec("warmup", **warm, next=spec("step", every=8)), {}),
        ("multistep", spec("warmup", **warm, next=spec("multistep", milestones=[10, 40])), {}),
        ("exponential", spec("warmup", steps=1, start=0.5, next=spec("exponential", gamma=0.9)), {}),
        ("linear", spec("warmup", steps=5, next=spec("linear", start=1.0, end=0.1, steps=30)), {}),
        ("polynomial", spec("warmup", **warm, next=spec("polynomial", steps=50, power=2.0)), {}),
        ("restarts", spec("warmup", **warm, next=spec("restarts", steps=10, grow=2)), {}),
        ("longer than the recording", spec("warmup", steps=70, next=spec("cosine", steps=5)), {}),
        ("onecycle", spec("warmup", steps=4, next=spec("onecycle", max=0.3, steps=80)), {}),
        ("onecycle, one for each group",
         spec("warmup", **warm, next=spec("onecycle", max=[0.5, 0.02], steps=61, div=10.0, threephase=True)), {}),
        ("linear from below", spec("warmup", **warm, next=spec("linear", start=0.2, steps=12)), {}),
    ]
    yield "chained", [
        ("one", spec("chained", of=[spec("exponential", gamma=0.9)]), {}),
        ("linear and exponential",
         spec("chained", of=[spec("linear", start=0.2, steps=20), spec("exponential", gamma=0.95)]), {}),
        ("exponential and cosine",
         spec("chained", of=[spec("exponential", gamma=0.97), spec("cosine", steps=80)]), {}),
        ("three", spec("chained", of=[
            spec("step", every=9, gamma=0.5), spec("multistep", milestones=[20, 30]), spec("linear", steps=12)]), {}),
        *pairs(),
    ]


def pairs():
    """Every two schedules that multiply by a factor from step to step: what ChainedScheduler is for."""
    factors = [
        spec("step", every=7, gamma=0.5), spec("multistep", milestones=[3, 9]), spec("exponential", gamma=0.9),
        spec("linear", start=0.2, steps=12), spec("polynomial", steps=80, power=2.0), spec("cosine", steps=80),
    ]
    for a, b in combinations(factors, 2):
        yield f"{a['schedule']} and then {b['schedule']}", spec("chained", of=[a, b]), {}


def torch_options(schedule, options):
    names = SCHEDULES[schedule][1]
    unknown = set(options) - set(names)
    assert not unknown, unknown
    return {theirs: options.get(ours, default) for ours, (theirs, default) in names.items()}


def bind(specification, optimizer):
    """The scheduler of torch for a specification."""
    options = {k: v for k, v in specification.items() if k != "schedule"}
    match specification["schedule"]:
        case "warmup":
            steps = options["steps"]
            line = torch_schedules.LinearLR(optimizer, options.get("start", THIRD), 1.0, steps)
            return torch_schedules.SequentialLR(optimizer, [line, bind(options["next"], optimizer)], [steps])
        case "chained":
            return torch_schedules.ChainedScheduler([bind(of, optimizer) for of in options["of"]], optimizer)
        case schedule:
            return getattr(torch_schedules, SCHEDULES[schedule][0])(optimizer, **torch_options(schedule, options))


def make_optimizer(name):
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": rate} for rate in RATES]
    match name:
        case "adamw":
            return torch.optim.AdamW(groups)
        case "adagrad":
            return torch.optim.Adagrad(groups)
    return torch.optim.SGD(groups)


def drives_momentum(specification):
    if specification["schedule"] == "warmup":
        return drives_momentum(specification["next"])
    return specification["schedule"] == "onecycle" and specification.get("momentum", True)


def record(name, specification, more):
    optimizer = make_optimizer(more.get("optimizer", "sgd"))
    scheduler = bind(specification, optimizer)
    rates, momenta = [], []

    def keep():
        rates.append([float(group["lr"]) for group in optimizer.param_groups])
        momenta.append([g["betas"][0] if "betas" in g else g.get("momentum") for g in optimizer.param_groups])

    keep()
    for step in range(STEPS):
        optimizer.step()
        scheduler.step(*([more["metrics"][step]] if "metrics" in more else []))
        keep()
    assert all(math.isfinite(rate) for row in rates for rate in row)
    recording = {"name": name, "specification": specification, "optimizer": "sgd", **more, "rates": columns(rates)}
    if drives_momentum(specification):
        recording["momenta"] = columns(momenta)
    return recording


def columns(rows):
    """One list for each group."""
    return [list(column) for column in zip(*rows)]


def encode(content):
    """JSON with one line per list of numbers; floats as Python's repr, which parses back exactly."""
    head = {k: v for k, v in content.items() if k != "recordings"}
    lines = ["{"] + [f" {json.dumps(k)}: {json.dumps(v)}," for k, v in head.items()] + [' "recordings": [']
    for i, recording in enumerate(content["recordings"]):
        fields = []
        for key, value in recording.items():
            if key in ("rates", "momenta"):
                groups = ",\n    ".join(json.dumps(group, allow_nan=False) for group in value)
                fields.append(f"   {json.dumps(key)}: [\n    {groups}\n   ]")
            else:
                fields.append(f"   {json.dumps(key)}: {json.dumps(value, allow_nan=False)}")
        comma = "," if i + 1 < len(content["recordings"]) else ""
        lines.append("  {\n" + ",\n".join(fields) + "\n  }" + comma)
    return "\n".join(lines + [" ]", "}"])


def main():
    if torch.__version__.split("+")[0] != TORCH_VERSION:
        raise SystemExit(f"needs torch {TORCH_VERSION}, found {torch.__version__}")
    # A note that step() of the scheduler within SequentialLR has an argument.
    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent / "schedules"
    folder.mkdir(parents=True, exist_ok=True)
    for schedule, recordings in cases():
        content = {
            "schedule": schedule,
            "source": f"torch {TORCH_VERSION} torch.optim.lr_scheduler",
            "base": RATES,
            "recordings": [record(*case) for case in recordings],
        }
        text = encode(content) + "\n"
        assert json.loads(text) == content
        path = folder / f"{schedule}.json"
        path.write_bytes(text.encode())
        print(f"{path.name}: {len(content['recordings'])} recordings, {len(text)} bytes")


if __name__ == "__main__":
    main()
