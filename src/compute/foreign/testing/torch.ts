import { spawnSync } from 'node:child_process'

/** Debian's Python, which has Debian's packages. */
const PYTHON = '/usr/bin/python3'

/** null where PyTorch is there, else why a test that needs it is skipped. */
export function whyNoTorch(): string | null {
  const ended = spawnSync(PYTHON, ['-c', 'import torch, numpy'], { timeout: 60_000 })
  return ended.status === 0 ? null : 'Debian package python3-torch is not installed'
}

/**
 * Exports a U-Net of two levels as each of these ONNX files in `dir`, and writes what PyTorch itself gives for picture.bin
 * (bytes, 64 high and 96 wide), divided by 255: mask.bin, the largest class of each pixel.
 *
 * unet.onnx: any size. fixed.onnx: 64 x 96, batch 1. last.onnx: channels last, with a softmax, as Keras has them.
 * two.onnx: two inputs. colour.onnx: three channels, one sigmoid.
 */
const SCRIPT = `
import sys, numpy, torch, warnings
from torch import nn
warnings.filterwarnings('ignore')
torch.manual_seed(1)
d = sys.argv[1]
def block(a, b):
    return nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(), nn.Conv2d(b, b, 3, padding=1), nn.ReLU())
class UNet(nn.Module):
    def __init__(self, i=1, o=3, b=8):
        super().__init__()
        self.d1, self.d2, self.m = block(i, b), block(b, 2 * b), block(2 * b, 4 * b)
        self.p = nn.MaxPool2d(2)
        self.u2, self.e2 = nn.ConvTranspose2d(4 * b, 2 * b, 2, 2), block(4 * b, 2 * b)
        self.u1, self.r, self.e1 = nn.Upsample(scale_factor=2, mode='bilinear'), nn.Conv2d(2 * b, b, 1), block(2 * b, b)
        self.h = nn.Conv2d(b, o, 1)
        for part in self.modules():
            if isinstance(part, nn.Conv2d): nn.init.normal_(part.weight, 0, (2 / part.weight[0].numel()) ** 0.5)
    def forward(self, x):
        a = self.d1(x); c = self.d2(self.p(a)); m = self.m(self.p(c))
        y = self.e2(torch.cat([self.u2(m), c], 1))
        return self.h(self.e1(torch.cat([self.r(self.u1(y)), a], 1)))
class Last(nn.Module):
    def __init__(self, n): super().__init__(); self.n = n
    def forward(self, x): return self.n(x.permute(0, 3, 1, 2)).softmax(1).permute(0, 2, 3, 1)
class Two(nn.Module):
    def __init__(self, n): super().__init__(); self.n = n
    def forward(self, x, prior): return self.n(x) + prior
class Yes(nn.Module):
    def __init__(self, n): super().__init__(); self.n = n
    def forward(self, x): return self.n(x).sigmoid()
def save(name, net, inputs, axes=None, names=('image',)):
    torch.onnx.export(net.eval(), inputs, d + '/' + name, opset_version=13, input_names=list(names), output_names=['out'],
                      dynamic_axes=None if axes is None else {'image': axes, 'out': axes})
net = UNet().eval()
x = torch.rand(1, 1, 64, 96)
free = {0: 'n', 2: 'h', 3: 'w'}
save('unet.onnx', net, x, free)
save('fixed.onnx', net, x)
save('last.onnx', Last(net), x.permute(0, 2, 3, 1), {0: 'n', 1: 'h', 2: 'w'})
save('two.onnx', Two(net), (x, x), None, ('image', 'prior'))
save('colour.onnx', Yes(UNet(3, 1)), torch.rand(1, 3, 64, 96), free)
picture = torch.from_numpy(numpy.fromfile(d + '/picture.bin', 'uint8').reshape(1, 1, 64, 96)) / 255
with torch.no_grad():
    net(picture).argmax(1).numpy().astype('uint8').tofile(d + '/mask.bin')
`

/** Throws what Python printed where it failed. */
export function exportFromTorch(dir: string): void {
  const ended = spawnSync(PYTHON, ['-c', SCRIPT, dir], { encoding: 'utf8', timeout: 120_000 })
  if (ended.status !== 0) throw new Error(`PyTorch failed: ${ended.stderr.slice(-2000)}`)
}
