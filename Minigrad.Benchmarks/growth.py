#!/usr/bin/env python3
"""PyTorch's side of the growth curves: the workloads of Growth.cs, one JSON line each, median of samples of about 10 ms.

usage: [OMP_NUM_THREADS=N] growth.py > theirs.jsonl
Run it for one and for all threads; the picture takes the faster.
"""
import json
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

CURVES = {
    "hidden": [1, 4, 16, 50, 128, 200, 387, 512, 1000],
    "batch": [1, 2, 5, 16, 37, 64, 128, 250, 500],
    "length": [1, 7, 20, 64, 150, 300],
    "parameters": [1, 10, 100, 300, 1000],
}


def mlp(hidden, batch):
    model = nn.Sequential(nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 10))
    x, y = torch.randn(batch, 784), torch.randint(0, 10, (batch,))
    optimizer = torch.optim.Adam(model.parameters(), fused=True)

    def step():
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return step


def characters(length):
    embedding, gru, head = nn.Embedding(65, 32), nn.GRU(32, 128, batch_first=True), nn.Linear(128, 65)
    parameters = [*embedding.parameters(), *gru.parameters(), *head.parameters()]
    x, y = torch.randint(0, 65, (16, length)), torch.randint(0, 65, (16, length))
    optimizer = torch.optim.Adam(parameters, fused=True)

    def step():
        optimizer.zero_grad()
        F.cross_entropy(head(gru(embedding(x))[0]).reshape(-1, 65), y.reshape(-1)).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
    return step


def adam(count):
    parameters = [nn.Parameter(torch.randn(1000)) for _ in range(count)]
    for parameter in parameters:
        parameter.grad = torch.randn(1000)
    optimizer = torch.optim.Adam(parameters, lr=1e-8, fused=True)

    def step():
        nn.utils.clip_grad_norm_(parameters, 1e-3)
        optimizer.step()
    return step


PREPARE = {"hidden": lambda size: mlp(size, 64), "batch": lambda size: mlp(128, size), "length": characters, "parameters": adam}


def main():
    torch.manual_seed(0)
    print(json.dumps({"peer": "PyTorch", "version": torch.__version__, "threads": torch.get_num_threads()}))
    for curve, sizes in CURVES.items():
        for size in sizes:
            step = PREPARE[curve](size)
            for _ in range(5):
                step()
            start = time.perf_counter()
            step()
            inner = max(1, int(0.01 / (time.perf_counter() - start)))
            samples, end = [], time.perf_counter() + 0.5
            while time.perf_counter() < end or len(samples) < 5:
                start = time.perf_counter()
                for _ in range(inner):
                    step()
                samples.append((time.perf_counter() - start) / inner)
            print(json.dumps({"workload": f"{curve}_{size}", "microseconds": sorted(samples)[len(samples) // 2] * 1e6}), flush=True)


main()
