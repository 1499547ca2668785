"""Writes DICOM series of known contents with pydicom: one folder a case under the folder given."""

import os
import sys

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
ROOT = "1.2.826.0.1.3680043.8.498.1"

rng = np.random.default_rng(7)
out = sys.argv[1]
count = 0


def uid():
    global count
    count += 1
    return f"{ROOT}.{count}"


def blank(kind, series, syntax=ExplicitVRLittleEndian, modality="CT"):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = kind
    meta.MediaStorageSOPInstanceUID = uid()
    meta.TransferSyntaxUID = syntax
    ds = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    ds.is_little_endian = syntax != ExplicitVRBigEndian
    ds.is_implicit_VR = syntax == ImplicitVRLittleEndian
    ds.SOPClassUID = kind
    ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID = ROOT + ".99"
    ds.SeriesInstanceUID = series
    ds.SeriesNumber = 3
    ds.SeriesDescription = "generated"
    ds.Modality = modality
    ds.Manufacturer = "nobody"
    ds.PatientName = "Secret^Name"
    ds.PatientID = "SECRET-ID"
    ds.FrameOfReferenceUID = ROOT + ".98"
    ds.StudyDate = "20240101"
    ds.StudyTime = "120000"
    ds.AcquisitionTime = "120000"
    ds.SliceThickness = "2.5"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    return ds


def pixels(ds, data, stored=None, photometric="MONOCHROME2"):
    """data: rows x columns, or rows x columns x 3, or frames first."""
    allocated = data.dtype.itemsize * 8
    samples = 3 if data.ndim > 2 and data.shape[-1] == 3 else 1
    shape = data.shape[:-1] if samples == 3 else data.shape
    ds.SamplesPerPixel = samples
    ds.PhotometricInterpretation = photometric
    ds.Rows, ds.Columns = shape[-2:]
    if samples == 3:
        ds.PlanarConfiguration = 0
    if len(shape) == 3:
        ds.NumberOfFrames = shape[0]
    ds.BitsAllocated = allocated
    ds.BitsStored = stored or allocated
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = 1 if data.dtype.kind == "i" else 0
    order = "<" if ds.is_little_endian else ">"
    ds.PixelData = data.astype(data.dtype.newbyteorder(order)).tobytes()
    if len(ds.PixelData) % 2:
        ds.PixelData += b"\0"
    ds["PixelData"].VR = "OW" if allocated > 8 else "OB"


def save(ds, folder, name):
    path = os.path.join(out, folder)
    os.makedirs(path, exist_ok=True)
    ds.save_as(os.path.join(path, name), write_like_original=False)


def volume(dtype, high, shape=(6, 20, 24), low=0):
    """Smooth with noise, so that every compression has something to do and every flip shows."""
    z, y, x = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    values = (0.5 * x + 0.3 * y * y + 0.2 * z) * 0.9 + 0.1 * rng.random(shape)
    return (low + values * (high - low)).astype(dtype)


def unit(v):
    return np.asarray(v, float) / np.linalg.norm(v)


def rotation(a, b, c):
    ca, sa, cb, sb, cc, sc = np.cos(a), np.sin(a), np.cos(b), np.sin(b), np.cos(c), np.sin(c)
    rx = np.array([[1, 0, 0], [0, ca, -sa], [0, sa, ca]])
    ry = np.array([[cb, 0, sb], [0, 1, 0], [-sb, 0, cb]])
    rz = np.array([[cc, -sc, 0], [sc, cc, 0], [0, 0, 1]])
    return rx @ ry @ rz


def decimals(values):
    return [f"{v:.10g}"[:16] for v in values]


def series(folder, data, row=(1, 0, 0), column=(0, 1, 0), step=None, origin=(-30.5, 12.25, 100), spacing=(0.9, 0.75),
           stored=None, slopes=None, names="shuffled", syntax=ExplicitVRLittleEndian, kind=CT, modality="CT",
           number=lambda k, n: n - k, skip=(), edit=None, series_uid=None, photometric="MONOCHROME2"):
    """spacing: between rows, between columns. Slices along `step`."""
    row, column = unit(row), unit(column)
    step = 2.5 * np.cross(row, column) if step is None else np.asarray(step, float)
    series_uid = series_uid or uid()
    order = rng.permutation(len(data))
    for k, plane in enumerate(data):
        if k in skip:
            continue
        ds = blank(kind, series_uid, syntax, modality)
        ds.InstanceNumber = int(number(k, len(data)))
        ds.ImagePositionPatient = decimals(np.asarray(origin) + k * step)
        ds.ImageOrientationPatient = decimals([*row, *column])
        ds.PixelSpacing = decimals(spacing)
        if slopes is not None:
            ds.RescaleSlope, ds.RescaleIntercept = (str(v) for v in slopes(k))
        pixels(ds, plane, stored, photometric)
        if edit is not None:
            edit(ds, k)
        save(ds, folder, f"{order[k]:03d}.dcm" if names == "shuffled" else f"{names}IM{k:04d}")
    return series_uid


ct = volume(np.uint16, 4000)
hu = lambda k: (1, -1024)  # noqa: E731
series("axial", ct, stored=12, slopes=hu)
series("reversed", ct[::-1], step=(0, 0, -2.5), stored=12, slopes=hu, number=lambda k, n: k)
series("feet-first", ct, row=(-1, 0, 0), column=(0, 1, 0), stored=12, slopes=hu)
series("prone", ct, row=(-1, 0, 0), column=(0, -1, 0), stored=12, slopes=hu)
series("sagittal", ct, row=(0, 1, 0), column=(0, 0, -1), stored=12, slopes=hu)
series("coronal", ct, row=(1, 0, 0), column=(0, 0, -1), stored=12, slopes=hu)
turn = rotation(0.31, -0.22, 0.4)
series("oblique", ct, row=turn[:, 0], column=turn[:, 1], stored=12, slopes=hu)
turn = rotation(-0.8, 1.1, 2.4)
series("oblique2", volume(np.int16, 1800, low=-900), row=turn[:, 0], column=turn[:, 1], kind=MR, modality="MR")
series("signed", volume(np.int16, 3000, low=-2000))
series("bytes", volume(np.uint8, 250), kind=MR, modality="MR")
series("short", ct[:3], stored=12, slopes=hu)
series("short-signed", volume(np.int16, 30000, (3, 20, 24), low=-30000))
series("short-bytes", volume(np.uint8, 250, (3, 20, 24)), kind=MR, modality="MR")
series("implicit", ct, stored=12, slopes=hu, syntax=ImplicitVRLittleEndian)
series("big-endian", ct, stored=12, slopes=hu, syntax=ExplicitVRBigEndian)
series("deflated", ct, stored=12, slopes=hu, syntax=DeflatedExplicitVRLittleEndian)
series("slopes", volume(np.uint16, 30000), slopes=lambda k: (0.5 + 0.25 * k, 3 * k), modality="PT", kind="1.2.840.10008.5.1.4.1.1.128")
series("tilted", ct, row=(1, 0, 0), column=(0, np.cos(0.25), -np.sin(0.25)), step=(0, 0, 2.5), stored=12, slopes=hu)
series("gap", volume(np.uint16, 4000, (9, 20, 24)), stored=12, slopes=hu, skip=(5,))


def garbage_above(ds, k):
    """Overlay bits of old scanners above the 12 that count."""
    data = np.frombuffer(ds.PixelData, "<u2").copy()
    data |= (rng.integers(0, 16, data.shape) << 12).astype("<u2")
    ds.PixelData = data.tobytes()


series("overlay-bits", ct, stored=12, slopes=hu, edit=garbage_above)

# Two points in time at every place, the later ones with higher numbers.
both = uid()
for t in range(2):

    def mark(ds, k, t=t):
        ds.TemporalPositionIdentifier = ds.AcquisitionNumber = t + 1
        ds.AcquisitionTime = ds.ContentTime = f"1200{10 * t:02d}"

    series("times", volume(np.int16, 1000 * (t + 1)), kind=MR, modality="MR", series_uid=both,
           number=lambda k, n, t=t: 1 + k + t * n, edit=mark, names=f"t{t}-")

# One folder with a volume, its localizers of two directions and another series.
mixed = series("mixed", ct, stored=12, slopes=hu)
series("mixed", volume(np.uint16, 4000, (1, 20, 24)), row=(0, 1, 0), column=(0, 0, -1), series_uid=mixed, names="a-")
series("mixed", volume(np.int16, 900, (3, 10, 12)), kind=MR, modality="MR", names="b-")


def frames(folder, name, data, geometry, shuffled=True):
    """Enhanced MR: the geometry of each frame in a group of its own, the frames in any order."""
    row, column, origin, step = geometry
    ds = blank(ENHANCED_MR, uid(), modality="MR")
    order = rng.permutation(len(data)) if shuffled else np.arange(len(data))
    shared = Dataset()
    measures = Dataset()
    measures.PixelSpacing = ["0.9", "0.75"]
    measures.SliceThickness = "2.5"
    shared.PixelMeasuresSequence = Sequence([measures])
    plane = Dataset()
    plane.ImageOrientationPatient = decimals([*row, *column])
    shared.PlaneOrientationSequence = Sequence([plane])
    ds.SharedFunctionalGroupsSequence = Sequence([shared])
    groups = []
    for place, k in enumerate(order):
        group = Dataset()
        content = Dataset()
        content.StackID = "1"
        content.InStackPositionNumber = int(k) + 1
        content.DimensionIndexValues = [1, int(k) + 1]
        group.FrameContentSequence = Sequence([content])
        position = Dataset()
        position.ImagePositionPatient = decimals(np.asarray(origin) + k * np.asarray(step))
        group.PlanePositionSequence = Sequence([position])
        transformation = Dataset()
        transformation.RescaleIntercept = "-10"
        transformation.RescaleSlope = "2"
        transformation.RescaleType = "US"
        group.PixelValueTransformationSequence = Sequence([transformation])
        groups.append(group)
    ds.PerFrameFunctionalGroupsSequence = Sequence(groups)
    pixels(ds, np.stack([data[k] for k in order]))
    save(ds, folder, name)


frames("enhanced", "all.dcm", volume(np.uint16, 4000), ((1, 0, 0), (0, 1, 0), (-30.5, 12.25, 100), (0, 0, 2.5)))
turn = rotation(0.2, 0.5, -0.3)
frames("enhanced-oblique", "all.dcm", volume(np.int16, 2000, low=-500),
       (turn[:, 0], turn[:, 1], (5, -3, 40), 3.0 * turn[:, 2]))

plain = blank(MR, uid(), modality="MR")
plain.ImagePositionPatient = ["-30.5", "12.25", "100"]
plain.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
plain.PixelSpacing = ["0.9", "0.75"]
plain.SpacingBetweenSlices = "2.5"
pixels(plain, volume(np.uint16, 4000))
save(plain, "plain-frames", "all.dcm")

# Pictures without a place.
for name, photometric in (("rgb", "RGB"), ("ybr", "YBR_FULL")):
    ds = blank(SECONDARY, uid(), modality="OT")
    pixels(ds, rng.integers(0, 256, (20, 24, 3)).astype(np.uint8), photometric=photometric)
    save(ds, name, "one.dcm")
ds = blank(SECONDARY, uid(), modality="OT")
colours = rng.integers(0, 256, (20, 24, 3)).astype(np.uint8)
pixels(ds, colours, photometric="RGB")
ds.PlanarConfiguration = 1
ds.PixelData = np.moveaxis(colours, -1, 0).tobytes()
save(ds, "rgb-planar", "one.dcm")
ds = blank(SECONDARY, uid(), modality="OT")
pixels(ds, rng.integers(0, 256, (20, 24, 3)).astype(np.uint8), photometric="YBR_FULL_422")
ds.PixelData = rng.integers(0, 256, 20 * 12 * 4).astype(np.uint8).tobytes()
save(ds, "ybr-422", "one.dcm")
ds = blank(SECONDARY, uid(), modality="OT")
pixels(ds, rng.integers(0, 200, (20, 24)).astype(np.uint8), photometric="PALETTE COLOR")
for colour in ("Red", "Green", "Blue"):
    setattr(ds, f"{colour}PaletteColorLookupTableDescriptor", [200, 0, 16])
    setattr(ds, f"{colour}PaletteColorLookupTableData", (rng.integers(0, 256, 200) * 257).astype("<u2").tobytes())
save(ds, "palette", "one.dcm")
ds = blank(SECONDARY, uid(), modality="US")
pixels(ds, volume(np.uint8, 255, (5, 20, 24)))
save(ds, "cine", "film.dcm")
ds = blank(SECONDARY, uid(), modality="CR")
pixels(ds, volume(np.uint16, 4000, (20, 24, 1))[:, :, 0], 12, "MONOCHROME1")
save(ds, "monochrome1", "one.dcm")
ds = blank("1.2.840.10008.5.1.4.1.1.66.4", uid(), modality="SEG")
mask = rng.integers(0, 2, (3, 5, 7)).astype(np.uint8)
pixels(ds, mask)
ds.BitsAllocated = ds.BitsStored = 1
ds.HighBit = 0
ds.PixelData = np.packbits(mask.ravel(), bitorder="little").tobytes()
if len(ds.PixelData) % 2:
    ds.PixelData += b"\0"
save(ds, "bits", "seg.dcm")
