"""Writes TIFF files with tifffile, Pillow (libtiff) and vips into a folder, and beside each what is in it.

usage: cases.py FOLDER [vips]

FOLDER/cases.json lists {name, shape, dtype, tolerance, info}; NAME.raw holds the voxels (z, y, x[, rgb]), little-endian.
`info` is what the reader is to say of the file; `selection` and `labels` (the first 40 numbers of it as a mask) stand apart.
"""
import json
import os
import subprocess
import sys

import numpy as np
import tifffile
from PIL import Image

out = sys.argv[1]
with_vips = 'vips' in sys.argv[2:]
cases = []
rng = np.random.default_rng(5)
H, W = 37, 53


def smooth(h, w, channels=None):
    y, x = np.mgrid[0:h, 0:w]
    planes = [(np.sin(x / (5 + k)) + np.cos(y / (7 + k)) + 2) / 4 * 255 for k in range(channels or 1)]
    picture = np.stack(planes, -1).astype('u1')
    return picture if channels else picture[..., 0]


def noise(shape, dtype):
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def note(name, expected, tolerance=0, **info):
    expected = np.ascontiguousarray(expected)
    expected.astype(expected.dtype.newbyteorder('<')).tofile(os.path.join(out, name + '.raw'))
    cases.append(
        dict(name=name, shape=list(expected.shape), dtype=str(expected.dtype), tolerance=tolerance, info=info)
    )


def write(name, data, expected, info=None, tolerance=0, **options):
    tifffile.imwrite(f'{out}/{name}', data, **{'metadata': None, **options})
    note(name, expected, tolerance, **(info or {}))


def sample_types():
    for dtype in ['u1', 'i1', 'u2', 'i2', 'u4', 'i4', 'u8', 'i8', 'f2', 'f4', 'f8']:
        if dtype[0] == 'f':
            data = rng.normal(0, 1000, (H, W)).astype(dtype)
        else:
            low, high = max(np.iinfo(dtype).min, -(2**53)), min(np.iinfo(dtype).max, 2**53)
            data = rng.integers(low, high, (H, W), dtype=dtype, endpoint=True)
            data[0, 0], data[0, 1] = low, high
        held = {'u8': 'f8', 'i8': 'f8', 'f2': 'f4'}.get(dtype, dtype)
        name = {'u': 'uint', 'i': 'int', 'f': 'float'}[dtype[0]] + str(int(dtype[1]) * 8)
        for sign, order in [('<', 'little'), ('>', 'big')]:
            for kind, options in [
                ('plain', {}),
                ('deflate', dict(compression='zlib', rowsperstrip=8)),
                ('tiles', dict(tile=(16, 32), compression='zlib')),
                ('big', dict(bigtiff=True, rowsperstrip=5)),
            ]:
                info = dict(datatype=name, byteOrder=order, compressed=kind in ('deflate', 'tiles'), dims=[W, H, 1, 1])
                options = dict(byteorder=sign, photometric='minisblack', **options)
                write(f'{dtype}-{order}-{kind}.tif', data, data.astype(held)[None], info, **options)


def colours():
    rgb = noise((H, W, 3), 'u1')
    alpha = noise((H, W), 'u1')
    planes = np.moveaxis(rgb, -1, 0)
    colour = dict(channels=3, dims=[W, H, 1, 1])
    write('rgb.tif', rgb, rgb[None], colour, photometric='rgb')
    write('rgba.tif', np.dstack([rgb, alpha]), rgb[None], colour, photometric='rgb', extrasamples=['unassalpha'])
    write('planar.tif', planes, rgb[None], colour, photometric='rgb', planarconfig='separate')
    tiles = dict(photometric='rgb', planarconfig='separate', tile=(16, 16), compression='zlib')
    write('planar-tiles.tif', planes, rgb[None], colour, **tiles)
    wide = rgb.astype('u2') * 257
    write('rgb16.tif', wide, rgb[None], dict(channels=3, datatype='uint16'), photometric='rgb', byteorder='>')
    stack = np.stack([rgb, rgb[::-1], rgb[:, ::-1]])
    write('rgb-stack.tif', stack, stack, dict(channels=3, dims=[W, H, 3, 1]), photometric='rgb')
    five = noise((H, W, 5), 'u2')
    for name, data, layout, k in [('5', five, 'contig', 2), ('5p', np.moveaxis(five, -1, 0), 'separate', 4)]:
        info = dict(channels=5, selection=dict(channel=k))
        write(f'samples{name}.tif', data, five[None, ..., k], info, photometric='minisblack', planarconfig=layout)
    write('white.tif', rgb[..., 0], 255 - rgb[None, ..., 0], dict(channels=1), photometric='miniswhite')
    both = np.dstack([alpha, rgb[..., 0]])
    grey = dict(photometric='minisblack', planarconfig='contig', extrasamples=['unassalpha'])
    write('grey-alpha.tif', both, alpha[None], dict(channels=1), **grey)
    stack = noise((7, H, W), 'u2')
    write('stack.tif', stack, stack, dict(dims=[W, H, 7, 1], frames=1), photometric='minisblack')
    palette = noise((3, 256), 'u2')
    shown = (palette >> 8).astype('u1').T[alpha][None]
    labels = dict(channels=3, labels=alpha.ravel()[:40].tolist())
    write('palette.tif', alpha, shown, labels, photometric='palette', colormap=palette)
    bits = alpha > 100
    labels = dict(labels=(bits * 1).ravel()[:40].tolist())
    write('bool.tif', bits, (bits * 255).astype('u1')[None], labels, photometric='minisblack')


def microscopes():
    data = noise((2, 3, 4, H, W), 'u2')  # TZCYX
    said = dict(dims=[W, H, 3, 2], frames=2, channels=4, selection=dict(frame=1, channel=2))
    tags = dict(imagej=True, resolution=(1 / 0.2, 1 / 0.4), metadata=dict(spacing=1.5, unit='um', axes='TZCYX'))
    write('imagej.tif', data, data[1, :, 2], dict(**said, spacing=[0.0002, 0.0004, 0.0015]), **tags)
    tags = dict(imagej=True, truncate=True, metadata=dict(axes='TZCYX'))
    write('imagej-one.tif', data, data[1, :, 2], dict(**said, spacingKnown=False), **tags)
    names = ['DAPI', 'GFP <1>', 'A & B', 'Cy5']
    sizes = dict(PhysicalSizeX=0.5, PhysicalSizeXUnit='µm', PhysicalSizeY=250, PhysicalSizeYUnit='nm')
    sizes.update(PhysicalSizeZ=0.002, PhysicalSizeZUnit='mm', Channel=dict(Name=names))
    said.update(format='ome-tiff', channelNames=names, spacing=[0.0005, 0.00025, 0.002])
    for axes in ['TCZYX', 'TZCYX', 'ZTCYX', 'CTZYX', 'ZCTYX', 'CZTYX']:
        turned = np.transpose(data, ['TZC'.index(axis) for axis in axes[:3]] + [3, 4])
        options = dict(photometric='minisblack', metadata=dict(axes=axes, **sizes))
        write(f'{axes}.ome.tif', turned, data[1, :, 2], said, **options)
    rgb = noise((2, H, W, 3), 'u1')
    write('rgb-z.ome.tif', rgb, rgb, dict(channels=3, dims=[W, H, 2, 1]), photometric='rgb', metadata=dict(axes='ZYXS'))
    large = smooth(300, 400, 3)
    with tifffile.TiffWriter(f'{out}/pyramid.ome.tif', bigtiff=True) as writer:
        options = dict(photometric='rgb', tile=(64, 64))
        writer.write(large, subifds=2, compression='zlib', metadata=dict(axes='YXS'), **options)
        for step in (2, 4):
            writer.write(large[::step, ::step], subfiletype=1, metadata=None, **options)
    note('pyramid.ome.tif', large[None], levels=3, channels=3)
    several = np.stack([smooth(300, 400), smooth(300, 400)[::-1]])
    with tifffile.TiffWriter(f'{out}/channels.ome.tif') as writer:
        options = dict(photometric='minisblack', tile=(64, 64))
        writer.write(several, subifds=1, metadata=dict(axes='CYX'), **options)
        # Not what the full picture would give, so that it can be told whether they are used.
        levels = np.stack([np.full((150, 200), 77 + k, 'u1') for k in range(2)])
        writer.write(levels, subfiletype=1, metadata=None, **options)
    note('channels.ome.tif', several[1][None], levels=2, channels=2, selection=dict(channel=1))


def save(name, image, expected, tolerance=0, info=None, **options):
    image.save(f'{out}/{name}', **options)
    note(name, expected, tolerance, **(info or {}))


def by_pillow():
    colour = smooth(H, W, 3)
    wide, real = noise((H, W), 'u2'), rng.normal(0, 1, (H, W)).astype('f4')
    for kind in ['tiff_lzw', 'tiff_deflate', 'tiff_adobe_deflate', 'packbits', 'zstd']:
        save(f'p-{kind}.tif', Image.fromarray(colour), colour[None], compression=kind)
        save(f'p-{kind}-16.tif', Image.fromarray(wide), wide[None], compression=kind)
        save(f'p-{kind}-f.tif', Image.fromarray(real), real[None], compression=kind)
        save(f'p-{kind}-pred.tif', Image.fromarray(colour), colour[None], compression=kind, tiffinfo={317: 2})
    save('p-webp.tif', Image.fromarray(colour), colour[None], 20, compression='webp')
    many = rng.integers(0, 4, (700, 900), dtype='u1')
    save('p-lzw-long.tif', Image.fromarray(many), many[None], compression='tiff_lzw', tiffinfo={278: 700})
    bits = (np.indices((H, W)).sum(0) // 6) % 2
    fax = Image.fromarray((bits * 255).astype('u1')).convert('1')
    for kind in ['tiff_ccitt', 'group3', 'group4', 'packbits', 'tiff_lzw']:
        for order in [1, 2] if kind.startswith('g') else [1]:
            info = dict(labels=bits.ravel()[:40].tolist())
            options = dict(compression=kind, tiffinfo={266: order})
            save(f'p-1-{kind}-{order}.tif', fax, (bits * 255).astype('u1')[None], 0, info, **options)
    turned = [colour, colour[:, ::-1], colour[::-1, ::-1], colour[::-1], colour.swapaxes(0, 1), np.rot90(colour, -1)]
    turned += [colour[::-1, ::-1].swapaxes(0, 1), np.rot90(colour)]
    for orientation, shown in enumerate(turned, 1):
        options = dict(compression='tiff_lzw', tiffinfo={274: orientation})
        save(f'turned-{orientation}.tif', Image.fromarray(colour), shown[None], **options)
    cmyk = Image.fromarray(colour).convert('CMYK')
    # Without a profile ink becomes light by rule of thumb, by another one in each library.
    save('cmyk.tif', cmyk, np.array(cmyk.convert('RGB'))[None], 60, compression='tiff_lzw')
    for name, image in [
        ('jpeg', Image.fromarray(colour)),
        ('jpeg-ycbcr', Image.fromarray(colour).convert('YCbCr')),
        ('jpeg-grey', Image.fromarray(smooth(H, W))),
    ]:
        image.save(f'{out}/{name}.tif', compression='jpeg', quality=90)
        again = Image.open(f'{out}/{name}.tif')
        note(f'{name}.tif', np.array(again if again.mode == 'L' else again.convert('RGB'))[None], 2)


def by_vips():
    colour, grey = smooth(300, 420, 3), smooth(300, 420)
    real, wide = rng.normal(0, 1, (120, 130)).astype('f4'), noise((120, 130), 'u2')
    sources = dict(colour=colour, grey=grey, real=real, wide=wide)
    for name, data in sources.items():
        tifffile.imwrite(f'{out}/{name}.src.tif', data, photometric='rgb' if data.ndim == 3 else 'minisblack')

    def vips(name, source, *options, tolerance=0, expected=None, **info):
        command = ['vips', 'tiffsave', f'{out}/{source}.src.tif', f'{out}/{name}', *options]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            cases.append(dict(name=name, skipped=done.stderr[-200:]))
            return
        note(name, (sources[source] if expected is None else expected)[None], tolerance, **info)

    for kind in ['lzw', 'deflate', 'zstd', 'packbits']:
        tiles = ['--tile', '--tile-width', '64', '--tile-height', '32']
        vips(f'v-{kind}.tif', 'colour', '--compression', kind, '--predictor', 'horizontal')
        vips(f'v-{kind}-16.tif', 'wide', '--compression', kind, '--predictor', 'horizontal', *tiles)
        vips(f'v-{kind}-f.tif', 'real', '--compression', kind, '--predictor', 'float')
    vips('v-webp.tif', 'colour', '--compression', 'webp', '--lossless', '--tile')
    vips('v-jp2k.tif', 'colour', '--compression', 'jp2k', '--lossless', '--tile', tolerance=3)
    vips('v-jp2k-16.tif', 'wide', '--compression', 'jp2k', '--lossless', '--tile')
    vips('v-jpeg.tif', 'colour', '--compression', 'jpeg', '--tile', '--Q', '90', tolerance=40)
    for bits in [1, 2, 4]:
        spread = ((grey >> (8 - bits)) * (255 // (2**bits - 1))).astype('u1')
        vips(f'v-{bits}.tif', 'grey', '--bitdepth', str(bits), expected=spread)
    vips('v-white.tif', 'grey', '--miniswhite')
    fax = ['--bitdepth', '1', '--compression', 'ccittfax4', '--miniswhite']
    vips('v-fax.tif', 'grey', *fax, expected=((grey >> 7) * 255).astype('u1'))
    pyramid = ['--compression', 'deflate', '--tile', '--pyramid', '--tile-width', '64', '--tile-height', '64']
    vips('v-pyramid.tif', 'colour', *pyramid, '--bigtiff', levels=4)
    vips('v-pyramid-sub.tif', 'colour', *pyramid, '--subifd', levels=4)


sample_types()
colours()
microscopes()
by_pillow()
if with_vips:
    by_vips()
json.dump(cases, open(f'{out}/cases.json', 'w'))
print(json.dumps(len(cases)))
