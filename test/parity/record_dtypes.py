"""Records how PyTorch rounds numbers to half and bfloat16, and tensors in a file of the safetensors library.

Writes dtypes.json beside this script. Recorded with Python 3.11, torch 2.11.0, numpy 2.4.6 and safetensors 0.8.0. To run
it again:
  pip install torch==2.11.0 numpy safetensors==0.8.0
  python test/parity/record_dtypes.py
Two runs give the same bytes.
"""

import base64
import json
from bisect import bisect_left
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save

TORCH_VERSION = "2.11.0"
SEED = 20261123
DTYPES = {"half": torch.float16, "bfloat16": torch.bfloat16}


def all_numbers(dtype):
    """Every finite number >= 0 of a dtype, in order, as torch reads its 65536 bit patterns."""
    patterns = torch.arange(0, 1 << 15, dtype=torch.int32).to(torch.int16)
    numbers = patterns.view(dtype).double()
    return numbers[numbers.isfinite()].tolist()


def given(rng, numbers):
    """Numbers that are hard to round: neighbours, ties and what is beside them in float and in double; and others."""
    some = {0, 1, 2, 3, len(numbers) - 2, len(numbers) - 1}
    # Where subnormal numbers end, where exponents change, and anywhere.
    some.update(i for i, x in enumerate(numbers) if x in (1.0, 2.0, 1.5) or (x > 0 and np.log2(x) in (-126, -14)))
    some.update(int(i) for i in rng.integers(0, len(numbers) - 1, 40))
    largest, before = numbers[-1], numbers[-2]
    for i in sorted(some):
        x = numbers[i]
        above = numbers[i + 1] if i + 1 < len(numbers) else largest + (largest - before)
        tie = (x + above) / 2
        with np.errstate(over="ignore"):
            narrow = float(np.float32(tie))
            beside = [float(np.nextafter(np.float32(tie), np.float32(side))) for side in (0, np.inf)]
        yield from (x, tie, narrow, *beside, np.nextafter(tie, 0.0), np.nextafter(tie, np.inf))
    yield from (0.1, 1 / 3, 2 / 3, np.pi, 65519.99, 65520.0, 65536.0, 1e5, 1e-8, 1e38, 1e39, 1e300, 5e-324, 2.0**-150)
    yield from (float(x) for x in rng.normal(0, 1, 20))
    yield from (np.inf, np.nan)


def rounded(x, numbers):
    """The nearest number of a dtype, found among all of them with exact arithmetic; in a tie the even one."""
    if not np.isfinite(x):
        return x
    size = Fraction(abs(x))
    high = bisect_left(numbers, abs(x))
    if high < len(numbers) and numbers[high] == abs(x):
        place = high
    else:
        above = Fraction(numbers[high]) if high < len(numbers) else 2 * Fraction(numbers[-1]) - Fraction(numbers[-2])
        below, beyond = size - Fraction(numbers[high - 1]), above - size
        place = high - 1 if below < beyond or (below == beyond and high % 2 == 1) else high
    result = numbers[place] if place < len(numbers) else float("inf")
    return float(np.copysign(result, x))


def bits(x):
    """A double as 16 hexadecimal digits, since JSON has no NaN and few keep -0; one NaN stands for all."""
    return np.float64(np.nan if np.isnan(x) else x).view(np.uint64).item().to_bytes(8, "big").hex()


def record(rng, dtype):
    """Rows of a number, what it is rounded to, and what PyTorch makes of it, which rounds a double to float first."""
    numbers = all_numbers(dtype)
    rows = {}
    for size in given(rng, numbers):
        for x in (float(size), -float(size)):
            expected = rounded(x, numbers)
            theirs = torch.tensor(x, dtype=torch.float64).to(dtype).double().item()
            with np.errstate(over="ignore"):
                of_float, of_numpy = bits(np.float32(x)) == bits(x), float(np.float16(x))
            if of_float and bits(theirs) != bits(expected):
                raise SystemExit(f"PyTorch rounds the float {x} to {theirs}, exact arithmetic to {expected}")
            if dtype == torch.float16 and bits(of_numpy) != bits(expected):
                raise SystemExit(f"numpy rounds {x} to {of_numpy}, exact arithmetic to {expected}")
            rows[bits(x)] = [bits(x), bits(expected), bits(theirs)]
    return list(rows.values())


def main():
    if torch.__version__.split("+")[0] != TORCH_VERSION:
        raise SystemExit(f"needs torch {TORCH_VERSION}, this is {torch.__version__}")
    rng = np.random.default_rng(SEED)
    rounding = {word: record(rng, dtype) for word, dtype in DTYPES.items()}
    # The tensors of a linear module, with numbers that 16 bits can only be near.
    values = {"weight": [[0.1, -2.0], [1e-7, 70000.0]], "bias": [1 / 3, -0.0]}
    files, elements = {}, {}
    for word, dtype in DTYPES.items():
        tensors = {key: torch.tensor(value).to(dtype) for key, value in values.items()}
        files[word] = base64.b64encode(save(tensors)).decode()
        elements[word] = {key: [bits(x) for x in tensor.double().flatten().tolist()] for key, tensor in tensors.items()}
    lines = {word: ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) for word, rows in rounding.items()}
    text = ",\n".join(f'"{word}":[\n{rows}\n]' for word, rows in lines.items())
    text = f'{{"rounding":{{\n{text}\n}},\n"files":{json.dumps(files)},\n"elements":{json.dumps(elements)}}}\n'
    (Path(__file__).parent / "dtypes.json").write_text(text)


main()
