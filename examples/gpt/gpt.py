"""The model of src/gpt.ts in PyTorch, for recordings of the tests and for the benchmark."""

import math

import torch
from torch import nn


def generator(seed):
    """As `randomOf` of src/text.ts."""
    state = seed
    while True:
        state = state * 48271 % 2147483647
        yield state / 2147483647


class Gpt(nn.Module):
    def __init__(self, characters, width, heads, layers, context):
        super().__init__()
        self.width, self.heads, self.layers = width, heads, layers
        self.token = nn.Embedding(characters, width)
        self.position = nn.Embedding(context, width)
        for i in range(layers):
            for name, layer in [
                (f"norm{i}", nn.LayerNorm(width)),
                (f"qkv{i}", nn.Linear(width, 3 * width)),
                (f"mix{i}", nn.Linear(width, width)),
                (f"norm{i}b", nn.LayerNorm(width)),
                (f"up{i}", nn.Linear(width, 4 * width)),
                (f"down{i}", nn.Linear(4 * width, width)),
            ]:
                self.add_module(name, layer)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, characters)
        self.register_buffer("later", torch.ones(context, context).tril() == 0, persistent=False)

    @torch.no_grad()
    def start(self, seed=1):
        """Weights as `start` of src/gpt.ts sets them: matrices by the generator, biases 0, scales 1."""
        draws = generator(seed)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                scale = 2 / math.sqrt(parameter.shape[1])
                values = [scale * (next(draws) - 0.5) for _ in range(parameter.numel())]
                parameter.copy_(torch.tensor(values, dtype=torch.float64).reshape(parameter.shape))
            elif name.endswith("bias"):
                parameter.zero_()

    def attention(self, i, x):
        rows, length, _ = x.shape
        size = self.width // self.heads
        all = getattr(self, f"qkv{i}")(x).view(rows, length, 3, self.heads, size).permute(2, 0, 3, 1, 4)
        query, key, value = all
        scores = query @ key.transpose(2, 3) * (1 / math.sqrt(size))
        weights = scores.masked_fill(self.later[:length, :length], -math.inf).softmax(3)
        return getattr(self, f"mix{i}")((weights @ value).transpose(1, 2).reshape(rows, length, self.width))

    def forward(self, tokens):
        x = self.token(tokens) + self.position(torch.arange(tokens.shape[1]))
        for i in range(self.layers):
            x = x + self.attention(i, getattr(self, f"norm{i}")(x))
            hidden = nn.functional.gelu(getattr(self, f"up{i}")(getattr(self, f"norm{i}b")(x)))
            x = x + getattr(self, f"down{i}")(hidden)
        return self.head(self.norm(x)).flatten(0, 1)
