"""What scores must be, by numpy, scipy and scikit-image. Reads JSON on its first argument, prints JSON."""
import json
import sys

import numpy as np
from scipy import ndimage as nd
from skimage.metrics import adapted_rand_error


def surface(mask):
    return mask ^ nd.binary_erosion(mask, nd.generate_binary_structure(mask.ndim, 1))


def distances(a, b, sampling):
    """As medpy: from the surface of a to that of b."""
    return nd.distance_transform_edt(~surface(b), sampling=sampling)[surface(a)]


def scores(truth, predicted, labels, sampling):
    result = {"accuracy": float((truth == predicted).mean()), "byLabel": {}, "meanIou": 0.0}
    for label in [0, *labels]:
        a, b = truth == label, predicted == label
        both, union = (a & b).sum(), (a | b).sum()
        result["meanIou"] += float(both / union) / (len(labels) + 1)
        if label == 0:
            continue
        one = {
            "dice": float(2 * both / (a.sum() + b.sum())),
            "iou": float(both / union),
            "sensitivity": float(both / a.sum()),
            "specificity": float((~a & ~b).sum() / (~a).sum()),
            "volume": float((int(b.sum()) - int(a.sum())) * np.prod(sampling)),
        }
        if a.any() and b.any():
            d, e = distances(a, b, sampling), distances(b, a, sampling)
            pooled = np.hstack([d, e])
            one["hd"] = float(pooled.max())
            one["hd95"] = float(np.percentile(pooled, 95))
            one["assd"] = float((d.mean() + e.mean()) / 2)
        result["byLabel"][label] = one
    return result


def average_precision(truth, predicted):
    """The 2018 Data Science Bowl: every pair by its IoU."""
    t, p = [i for i in np.unique(truth) if i], [i for i in np.unique(predicted) if i]
    iou = np.array([[(((truth == i) & (predicted == j)).sum() / ((truth == i) | (predicted == j)).sum()) for j in p] for i in t])
    found = []
    for threshold in np.linspace(0.5, 0.95, 10):
        hits = int((iou > threshold + 1e-12).sum())
        found.append((hits, len(p) - hits, len(t) - hits))
    precision = [tp / (tp + fp + fn) for tp, fp, fn in found]
    return {"ap": float(np.mean(precision)), "ap50": precision[0], "counts": found[0]}


FOUR, EIGHT = nd.generate_binary_structure(2, 1), nd.generate_binary_structure(2, 2)
AROUND = [(-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1)]


def topology(mask):
    """Numbers of objects and of parts between them, in the whole picture."""
    return nd.label(mask, FOUR)[1], nd.label(~mask, EIGHT)[1]


def flipped(mask, at):
    result = mask.copy()
    result[at] = not result[at]
    return result


def warping(truth, predicted):
    """Simple points by counting the parts of the whole picture before and after; from the boundaries inwards."""
    warped, wanted = np.pad(truth, 1), np.pad(predicted, 1)
    front = [tuple(at) for at in np.argwhere(warped != wanted)]
    while front:
        after = []
        waiting = set(front)
        for at in front:
            waiting.discard(at)
            if warped[at] == wanted[at] or topology(flipped(warped, at)) != topology(warped):
                continue
            warped = flipped(warped, at)
            for dy, dx in AROUND:
                near = (at[0] + dy, at[1] + dx)
                if warped[near] != wanted[near] and near not in waiting:
                    waiting.add(near)
                    after.append(near)
        front = after
    left = np.argwhere(warped != wanted)
    objects = nd.label(warped, FOUR)[1]
    counted = 0
    for at in map(tuple, left):
        # An isolated pixel that comes or goes is an object, not a split or a merger.
        alone = not any(warped[at[0] + dy, at[1] + dx] for dy, dx in AROUND[::2])
        change = nd.label(flipped(warped, at), FOUR)[1] - objects
        counted += (not alone) and (change < 0 if wanted[at] else change > 0)
    return {"all": len(left) / truth.size, "splitsAndMergers": counted / truth.size}


def rand(truth, predicted):
    return float(adapted_rand_error(nd.label(truth, FOUR)[0], nd.label(predicted, FOUR)[0], ignore_labels=(0,))[0])


given = json.loads(sys.argv[1])
read = lambda name, shape: np.array(given[name], np.int64).reshape(shape)
x, y, z = given["dims"]
volume = [read(name, (z, y, x)) for name in ("truth", "predicted")]
w, h = given["pictureDims"]
picture = [read(name, (h, w)) for name in ("trueObjects", "predictedObjects")]
binary = [each > 0 for each in picture]
print(
    json.dumps(
        {
            "volume": scores(*volume, given["labels"], given["spacing"][::-1]),
            "picture": scores(binary[0].astype(int), binary[1].astype(int), [1], [1, 1]),
            "objects": average_precision(*picture),
            "membranes": [
                {**warping(t, p), "rand": rand(t, p)}
                for t, p in (
                    [binary] + [[read(f"{name}{i}", (h, w)) > 0 for name in ("cells", "found")] for i in range(given["pairs"])]
                )
            ],
        }
    )
)
