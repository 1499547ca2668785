"""Milliseconds of training steps and predictions of a U-Net in PyTorch on the CPU, as JSON.

Arguments: kind (plain, norm or norm-transposed), size, base, batch, threads, seconds, device (cpu unless given). Four levels, two 3x3 convolutions a block,
sigmoid head, Adam. The second and third kind have instance normalization after each convolution, the third transposed
convolutions (2x2, stride 2) instead of nearest up-sampling. Each figure is measured for about so many seconds. With them
the peak of resident memory, in MB, before there is a network and after its training.
"""
import json
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional

kind = sys.argv[1]
size, base, batch, threads = (int(argument) for argument in sys.argv[2:6])
seconds = float(sys.argv[6])
torch.set_num_threads(threads)
device = sys.argv[7] if len(sys.argv) > 7 else "cpu"
normalized = kind != "plain"
transposed = kind == "norm-transposed"


def convolution(inputs, outputs):
    if not normalized:
        return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
    return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.InstanceNorm2d(outputs, eps=1e-3), nn.ReLU()]


def block(inputs, outputs):
    return nn.Sequential(*convolution(inputs, outputs), *convolution(outputs, outputs))


class UNet(nn.Module):
    def __init__(self, levels=4):
        super().__init__()
        widths = [base * 2**level for level in range(levels)]
        self.down = nn.ModuleList(block(i, o) for i, o in zip([1] + widths, widths))
        self.middle = block(widths[-1], widths[-1] * 2)
        wide = list(reversed(widths))
        self.larger = nn.ModuleList(
            nn.ConvTranspose2d(2 * width, width, 2, stride=2) if transposed else nn.Upsample(scale_factor=2)
            for width in wide
        )
        self.up = nn.ModuleList(block((2 if transposed else 3) * width, width) for width in wide)
        self.head = nn.Conv2d(base, 1, 1)

    def forward(self, x):
        skips = []
        for down in self.down:
            x = down(x)
            skips.append(x)
            x = functional.max_pool2d(x, 2)
        x = self.middle(x)
        for up, larger, skip in zip(self.up, self.larger, reversed(skips)):
            x = up(torch.cat([skip, larger(x)], 1))
        return torch.sigmoid(self.head(x))


def timed(work):
    """At least five runs, then as many as fit into the time; the first runs do not count."""
    times = []
    started = time.perf_counter()
    warm_up = None
    while len(times) < 5 or time.perf_counter() - started < seconds:
        run = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        taken = time.perf_counter() - run
        if warm_up is None:
            warm_up = 4 if taken < 0.5 else 1
        if warm_up > 0:
            warm_up -= 1
            continue
        times.append(taken * 1e3)
    return times


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


start_mb = peak_mb()
network = UNet().to(device)
image = torch.randn(batch, 1, size, size, device=device)
truth = (torch.rand(batch, 1, size, size, device=device) > 0.5).float()
optimizer = torch.optim.Adam(network.parameters(), 1e-3)


def train():
    optimizer.zero_grad()
    functional.binary_cross_entropy(network(image), truth).backward()
    optimizer.step()


def infer():
    with torch.no_grad():
        network(image)


train_times = timed(train)
memory = {"startMB": start_mb, "trainMB": peak_mb()}
print(json.dumps({"train": train_times, "infer": timed(infer), "memory": memory}))
