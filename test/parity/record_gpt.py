"""Records 100 steps of the model of examples/gpt in PyTorch, for Stepwell's to be compared with.

Writes gpt.json beside this script. Recorded with Python 3.11 and torch 2.11.0 on the CPU. To run it again:
  pip install torch==2.11.0
  python test/parity/record_gpt.py
"""

import json
import math
import sys
from pathlib import Path

import torch

HERE = Path(__file__).parent
EXAMPLE = HERE / "../../examples/gpt"
sys.path.insert(0, str(EXAMPLE))
from gpt import Gpt, generator

WIDTH, HEADS, LAYERS, CONTEXT, BATCH, STEPS = 128, 4, 4, 64, 4, 100


def main():
    text = (EXAMPLE / "coriolanus.txt").read_text(encoding="utf8")
    alphabet = sorted(set(text))
    numbers = torch.tensor([alphabet.index(character) for character in text])
    model = Gpt(len(alphabet), WIDTH, HEADS, LAYERS, CONTEXT)
    model.start()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
    draws, split, losses = generator(2), math.floor(len(numbers) * 0.9), []
    for _ in range(STEPS):
        starts = [math.floor(next(draws) * (split - CONTEXT - 1)) for _ in range(BATCH)]
        tokens, targets = (
            torch.stack([numbers[at + shift : at + shift + CONTEXT] for at in starts]) for shift in (0, 1)
        )
        loss = torch.nn.functional.cross_entropy(model(tokens), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    recorded = {"torch": torch.__version__.split("+")[0], "losses": losses}
    (HERE / "gpt.json").write_text(json.dumps(recorded, indent=1) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
