"""Milliseconds of training steps and predictions of the reference U-Net in PyTorch on the CPU, as JSON.

Arguments: size, base, batch, threads. Four levels, two 3x3 convolutions a block, sigmoid head, Adam.
"""
import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional

size, base, batch, threads = (int(argument) for argument in sys.argv[1:5])
torch.set_num_threads(threads)


def block(inputs, outputs):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.Conv2d(outputs, outputs, 3, padding=1), nn.ReLU()
    )


class UNet(nn.Module):
    def __init__(self, levels=4):
        super().__init__()
        widths = [base * 2**level for level in range(levels)]
        self.down = nn.ModuleList(block(i, o) for i, o in zip([1] + widths, widths))
        self.middle = block(widths[-1], widths[-1] * 2)
        self.up = nn.ModuleList(block(3 * width, width) for width in reversed(widths))
        self.head = nn.Conv2d(base, 1, 1)

    def forward(self, x):
        skips = []
        for down in self.down:
            x = down(x)
            skips.append(x)
            x = functional.max_pool2d(x, 2)
        x = self.middle(x)
        for up, skip in zip(self.up, reversed(skips)):
            x = up(torch.cat([skip, functional.interpolate(x, scale_factor=2)], 1))
        return torch.sigmoid(self.head(x))


def timed(work, runs=20, warm_up=5):
    times = []
    for _ in range(runs + warm_up):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1e3)
    return times[warm_up:]


network = UNet()
image = torch.randn(batch, 1, size, size)
truth = (torch.rand(batch, 1, size, size) > 0.5).float()
optimizer = torch.optim.Adam(network.parameters(), 1e-3)


def train():
    optimizer.zero_grad()
    functional.binary_cross_entropy(network(image), truth).backward()
    optimizer.step()


def infer():
    with torch.no_grad():
        network(image)


print(json.dumps({"train": timed(train), "infer": timed(infer)}))
