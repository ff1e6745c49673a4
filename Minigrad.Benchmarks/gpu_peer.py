"""PyTorch on CUDA beside `dotnet run -c Release --project Minigrad.Benchmarks -- --gpu`: the same workloads and lines.

usage: python3 gpu_peer.py [PART_OF_NAME ...]

Eager mode, float32 in full precision (no TF32), fused optimizers, clip_grad_norm_ with foreach. A sample is many runs
between two torch.cuda.synchronize(); the median of the samples is told.
"""
import json
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
torch.manual_seed(0)
DEVICE = torch.device("cuda")
SAMPLES = 11
SAMPLE_SECONDS = 0.04
WARM_UP_SECONDS = 0.3


def timed(run, runs):
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(runs):
        run()
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / runs


def measure(name, prepare, work=0.0):
    if len(sys.argv) > 1 and not any(part in name for part in sys.argv[1:]):
        return
    run = prepare()
    start = time.perf_counter()
    while time.perf_counter() - start < WARM_UP_SECONDS:
        timed(run, 5)
    inner = max(1, min(20000, int(SAMPLE_SECONDS / timed(run, 5))))
    times = sorted(timed(run, inner) for _ in range(SAMPLES))
    median = times[SAMPLES // 2]
    line = {"workload": name, "microseconds": median * 1e6, "min": times[0] * 1e6, "rate": work / median / 1e9}
    print(json.dumps(line), flush=True)


def normal(*shape):
    return torch.randn(*shape, device=DEVICE)


def launch():
    one = normal(1)
    return lambda: torch.square(one, out=one)


def product(n):
    a, b, c = normal(n, n), normal(n, n), normal(n, n)
    return lambda: torch.mm(a, b, out=c)


def parameters_with_gradients(length):
    parameters = [nn.Parameter(normal(length)) for _ in range(10)]
    for parameter in parameters:
        parameter.grad = normal(length)
    return parameters


def clip_only(length):
    parameters = parameters_with_gradients(length)
    return lambda: nn.utils.clip_grad_norm_(parameters, 1e9, foreach=True)


def clip_and_adam(length):
    parameters = parameters_with_gradients(length)
    optimizer = torch.optim.Adam(parameters, lr=1e-8, fused=True)

    def run():
        nn.utils.clip_grad_norm_(parameters, 1e-3, foreach=True)
        optimizer.step()

    return run


def pair(shape, operation):
    a, b = normal(*shape), normal(*shape)
    return lambda: operation(a, b)


def mlp(sizes, batch, optimizer_type):
    layers = [nn.Linear(sizes[0], sizes[1])]
    for i in range(2, len(sizes)):
        layers += [nn.ReLU(), nn.Linear(sizes[i - 1], sizes[i])]
    model = nn.Sequential(*layers).to(DEVICE)
    x = normal(batch, sizes[0])
    y = torch.randint(0, sizes[-1], (batch,), device=DEVICE)
    optimizer = optimizer_type(model.parameters(), lr=1e-3, fused=True)

    def run():
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
        optimizer.step()

    return run


class Characters(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, 64)
        self.network = nn.LSTM(64, 256, batch_first=True)
        self.head = nn.Linear(256, vocabulary)

    def forward(self, tokens):
        return self.head(self.network(self.embedding(tokens))[0])


def characters():
    vocabulary, batch, length = 65, 32, 64
    model = Characters(vocabulary).to(DEVICE)
    x = torch.randint(0, vocabulary, (batch, length), device=DEVICE)
    y = torch.randint(0, vocabulary, (batch, length), device=DEVICE)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    def run():
        optimizer.zero_grad()
        F.cross_entropy(model(x).reshape(-1, vocabulary), y.reshape(-1)).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
        optimizer.step()

    return run


def main():
    print(json.dumps({"peer": "PyTorch", "version": torch.__version__, "device": torch.cuda.get_device_name()}), flush=True)
    measure("launch_empty", launch)
    for n in (256, 512, 1024, 2048, 4096):
        measure(f"matmul_{n}_cublas", lambda n=n: product(n), 2.0 * n**3)
    for size, length in (("few_large", 1_000_000), ("few_huge", 10_000_000)):
        measure(f"clip_{size}", lambda length=length: clip_only(length), 4.0 * 10 * length)
        measure(f"clip_adam_{size}", lambda length=length: clip_and_adam(length), 32.0 * 10 * length)
    measure("add_1m", lambda: pair((1_000_000,), lambda a, b: a + b), 12e6)
    measure("exp_1m", lambda: pair((1_000_000,), lambda a, _: torch.exp(a)), 8e6)
    measure("tanh_1m", lambda: pair((1_000_000,), lambda a, _: torch.tanh(a)), 8e6)
    measure("add_16m", lambda: pair((16_000_000,), lambda a, b: a + b), 192e6)
    measure("softmax_128x1000", lambda: pair((128, 1000), lambda a, _: torch.softmax(a, 1)), 1.024e6)
    measure("softmax_8192x1000", lambda: pair((8192, 1000), lambda a, _: torch.softmax(a, 1)), 65.536e6)
    measure("mlp_mnist", lambda: mlp([784, 128, 10], 64, torch.optim.Adam))
    measure("mlp_wide", lambda: mlp([784, 1024, 1024, 10], 128, torch.optim.AdamW))
    measure("lstm_char", characters)


if __name__ == "__main__":
    main()
