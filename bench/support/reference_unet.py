"""
The reference that recipes are measured against: a plain U-Net of PyTorch (4 levels, base 16, batch normalization, Adam with
a one-cycle schedule, cross-entropy + Dice, flips and quarter turns, 20 epochs, 10 for volumes), trained and scored on the
split that a model of ours was trained with.

    reference_unet.py RECIPE DATA CASES.json [LABEL]     prints {"metric": number} as JSON; CASES.json as `train` writes it

Cases of validation are learned from as well: the reference needs none. Volumes are slices along their last axis.
"""
import glob
import json
import os
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image

recipe, data, split_file = sys.argv[1:4]
label = int(sys.argv[4]) if len(sys.argv) > 4 else None
torch.set_num_threads(2)
torch.manual_seed(1)
rng = np.random.default_rng(1)


class UNet(nn.Module):
    def __init__(self, channels, classes, base=16, levels=4):
        super().__init__()
        block = lambda i, o: nn.Sequential(
            nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(),
            nn.Conv2d(o, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        width = channels
        for k in range(levels):
            self.down.append(block(width, base * 2**k))
            width = base * 2**k
        self.middle = block(width, base * 2**levels)
        width = base * 2**levels
        for k in reversed(range(levels)):
            self.up.append(block(width + base * 2**k, base * 2**k))
            width = base * 2**k
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x):
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.middle(x)
        for block, skip in zip(self.up, reversed(skips)):
            x = block(torch.cat([skip, F.interpolate(x, scale_factor=2)], 1))
        return self.head(x)


def stem(path):
    return os.path.basename(path).split('.')[0]


def find(folder, name):
    for ending in ('_mask', ''):
        for path in glob.glob(os.path.join(folder, glob.escape(name + ending) + '.*')):
            return path
    raise FileNotFoundError(f'{folder}: {name}')


def picture(path, mode):
    return np.asarray(Image.open(path).convert(mode), np.float32) / 255


def load(name):
    """Slices of a case: images [channels, height, width] about 0 to 1, masks [height, width] of classes."""
    if recipe == 'nuclei':
        folder = os.path.join(data, 'stage1_train', name)
        image = picture(find(os.path.join(folder, 'images'), name), 'RGB').transpose(2, 0, 1)
        mask = sum(np.asarray(Image.open(each).convert('L')) > 0 for each in glob.glob(os.path.join(folder, 'masks', '*')))
        return [(image, (mask > 0).astype(np.int64))]
    image, mask = find(os.path.join(data, 'images'), name), find(os.path.join(data, 'masks'), name)
    if recipe == 'liver':
        import nibabel
        volume = nibabel.load(image).get_fdata().astype(np.float32)
        low, high = np.percentile(volume, [0.5, 99.5])
        volume = np.clip((volume - low) / max(high - low, 1e-6), 0, 1)
        truth = np.asarray(nibabel.load(mask).dataobj).astype(np.int64)
        if label is not None:
            truth = (truth == label).astype(np.int64)
        return [(volume[None, :, :, k], truth[:, :, k]) for k in range(volume.shape[2])]
    raw = np.asarray(Image.open(mask).convert('L')).astype(np.int64)
    truth = (raw > 63).astype(np.int64) + (raw > 191) if recipe == 'wbc' else (raw > 127).astype(np.int64)
    colour = picture(image, 'RGB').transpose(2, 0, 1) if recipe == 'wbc' else picture(image, 'L')[None]
    return [(colour, truth)]


def resized(image, mask, size):
    image = F.interpolate(torch.from_numpy(image)[None], size=size, mode='bilinear', align_corners=False)[0]
    mask = F.interpolate(torch.from_numpy(mask)[None, None].float(), size=size, mode='nearest')[0, 0].long()
    return image, mask


def loss_of(logits, target):
    classes = logits.shape[1]
    truth = F.one_hot(target, classes).permute(0, 3, 1, 2).float()
    p = logits.softmax(1)
    dice = (2 * (p * truth).sum((0, 2, 3)) + 1) / (p.sum((0, 2, 3)) + truth.sum((0, 2, 3)) + 1)
    return F.cross_entropy(logits, target) + 1 - dice[1:].mean()


with open(split_file) as file:
    cases = json.load(file)['cases']
train = [name for each in cases if each['part'] != 'holdout' for name in [each['id']]]
held = [each['id'] for each in cases if each['part'] == 'holdout']
loaded = {name: load(name) for name in train + held}
largest = max(max(mask.shape) for slices in loaded.values() for _, mask in slices)
# Whole pictures of one size, a multiple of 16; nuclei as their article has them.
size = 128 if recipe in ('nuclei', 'wbc') else min(512, -(-largest // 16) * 16)
volumes = recipe == 'liver'
if volumes:
    size = -(-largest // 16) * 16


def prepared(image, mask):
    if not volumes:
        return resized(image, mask, (size, size))
    height, width = mask.shape
    pad = (0, size - width, 0, size - height)
    return F.pad(torch.from_numpy(image), pad), F.pad(torch.from_numpy(mask), pad)


slices = [prepared(*each) for name in train for each in loaded[name]]
images, masks = torch.stack([each[0] for each in slices]), torch.stack([each[1] for each in slices])
classes = int(masks.max()) + 1
net = UNet(images.shape[1], classes)
batch = 2 if size >= 512 else 8
epochs = 10 if volumes else 20
steps = epochs * max(1, len(images) // batch)
optimizer = torch.optim.Adam(net.parameters(), 1e-3)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=5e-3, total_steps=steps)
for epoch in range(epochs):
    order = rng.permutation(len(images))
    for k in range(max(1, len(images) // batch)):
        chosen = torch.from_numpy(order[k * batch:(k + 1) * batch])
        x, y = images[chosen], masks[chosen]
        if rng.random() < 0.5:
            x, y = x.flip(3), y.flip(2)
        if not volumes:
            turns = int(rng.integers(4)) if recipe != 'nerve' else 0
            x, y = x.rot90(turns, (2, 3)), y.rot90(turns, (1, 2))
        loss = loss_of(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()

net.eval()
sums = {}
with torch.no_grad():
    for name in held:
        counts = np.zeros((classes, 3))
        right = total = 0
        for image, mask in loaded[name]:
            x, _ = prepared(image, mask)
            logits = net(x[None])
            height, width = mask.shape
            if volumes:
                logits = logits[:, :, :height, :width]
            else:
                logits = F.interpolate(logits, size=(height, width), mode='bilinear', align_corners=False)
            found = logits.argmax(1)[0].numpy()
            right += (found == mask).sum()
            total += mask.size
            for c in range(1, classes):
                counts[c] += [(found == c).sum(), (mask == c).sum(), ((found == c) & (mask == c)).sum()]
        scores = {'accuracy': right / total}
        for c in range(1, classes):
            found, true, both = counts[c]
            scores[f'dice:{c}'] = 2 * both / (found + true) if found + true else 1.0
            scores[f'iou:{c}'] = both / (found + true - both) if found + true else 1.0
        for key, value in scores.items():
            sums.setdefault(key, []).append(float(value))
means = {key: float(np.mean(values)) for key, values in sums.items()}
for kind in ('dice', 'iou'):
    means[kind] = float(np.mean([value for key, value in means.items() if key.startswith(kind + ':')]))
print(json.dumps({'cases': len(held), **means}))
