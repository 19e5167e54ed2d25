"""The step of rank.ts by DistributedDataParallel of PyTorch, on Gloo: prints its times as JSON, on rank 0."""

import json
import os
import sys
import time

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

work = json.loads(sys.argv[1])
torch.set_num_threads(1)
torch.manual_seed(1)
dist.init_process_group("gloo")
width = work["width"]
layers = []
for _ in range(work["layers"]):
    layers += [torch.nn.Linear(width, width), torch.nn.ReLU()]
net = DistributedDataParallel(torch.nn.Sequential(*layers, torch.nn.Linear(width, 10)))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-4, fused=True)
inputs = torch.full((work["batch"], width), 0.1)
classes = torch.arange(work["batch"]) % 10

times = []
for turn in range(work["rounds"] + 2):
    dist.barrier()
    start = time.perf_counter()
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(net(inputs), classes).backward()
    optimizer.step()
    slowest = torch.tensor([(time.perf_counter() - start) * 1000], dtype=torch.float64)
    dist.all_reduce(slowest, op=dist.ReduceOp.MAX)
    # The second step has other buckets than the first.
    if turn > 1:
        times.append(slowest.item())
if dist.get_rank() == 0:
    print(json.dumps(times), flush=True)
dist.barrier()
# One in eight of these processes aborts when PyTorch destroys its group at the end.
os._exit(0)
