"""
Compares volumes that were read here with what other programs make of the same files. Reads a JSON list of
{name, folder, affine, dims, channels, data, nifti, frame} from the path given; prints {name: {...}} as JSON.
`data` is a file of float64, x fastest; `folder` holds the DICOM files; `nifti` is a folder for dcm2niix, or null.
"""

import glob
import json
import os
import subprocess
import sys

import numpy as np
import pydicom

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def frames_of(path):
    """(values, affine of the frame's pixels in RAS or None) of each frame, by pydicom."""
    ds = pydicom.dcmread(path)
    data = ds.pixel_array
    planes = data if int(ds.get("NumberOfFrames", 1)) > 1 else data[None]
    shared = ds.get("SharedFunctionalGroupsSequence", [None])[0]
    groups = ds.get("PerFrameFunctionalGroupsSequence", [])
    for k, plane in enumerate(planes):
        group = groups[k] if k < len(groups) else None

        def of(sequence, name, default=None):
            for place in (group, shared):
                if place is not None and sequence in place:
                    return getattr(getattr(place, sequence)[0], name)
            return ds.get(name, default)

        slope = float(of("PixelValueTransformationSequence", "RescaleSlope", 1))
        inter = float(of("PixelValueTransformationSequence", "RescaleIntercept", 0))
        if ds.get("HighBit", 15) < 15 and plane.dtype == np.uint16:
            plane = plane & ((1 << (ds.HighBit + 1)) - 1)
        position = of("PlanePositionSequence", "ImagePositionPatient")
        orientation = of("PlaneOrientationSequence", "ImageOrientationPatient")
        affine = None
        if position is not None and orientation is not None:
            dy, dx = (float(v) for v in of("PixelMeasuresSequence", "PixelSpacing"))
            row, column = np.array(orientation[:3], float), np.array(orientation[3:], float)
            origin = np.array(position, float)
            if not len(groups) and k > 0:
                origin = origin + k * float(ds.SpacingBetweenSlices) * np.cross(row, column)
            affine = np.eye(4)
            affine[:3, 0], affine[:3, 1], affine[:3, 2], affine[:3, 3] = row * dx, column * dy, np.cross(row, column), origin
            affine = LPS @ affine
        yield plane.astype(float) * slope + inter, affine


def with_pydicom(ours, affine, folder):
    """The largest difference of a value, and of a place in mm; how many frames were found in the volume."""
    worst, off, found = 0.0, 0.0, 0
    for path in sorted(glob.glob(os.path.join(folder, "*"))):
        for plane, at in frames_of(path):
            rows, columns = plane.shape[:2]
            if at is None or affine is None:
                continue
            corners = np.array([[0, 0, 0, 1], [columns - 1, 0, 0, 1], [0, rows - 1, 0, 1]], float).T
            voxels = np.linalg.inv(affine) @ at @ corners
            k = int(round(voxels[2, 0]))
            if plane.shape != ours.shape[1::-1] or not 0 <= k < ours.shape[2]:
                continue
            expected = np.array([[0, 0, k, 1], [columns - 1, 0, k, 1], [0, rows - 1, k, 1]], float).T
            distance = np.abs(affine @ expected - at @ corners).max()
            if distance > 0.01:
                continue
            off = max(off, distance)
            worst = max(worst, np.abs(ours[:, :, k] - plane.T).max())
            found += 1
    return {"difference": worst, "mm": off, "frames": found}


def pictures(ours, folder):
    """Of pictures without a place: the stack of pydicom's frames."""
    from pydicom.pixel_data_handlers.util import apply_color_lut, convert_color_space

    [path] = glob.glob(os.path.join(folder, "*"))
    ds = pydicom.dcmread(path)
    data = ds.pixel_array
    if ds.PhotometricInterpretation.startswith("YBR_FULL"):
        data = convert_color_space(data, ds.PhotometricInterpretation, "RGB")
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        data = apply_color_lut(data, ds) >> 8
    if int(ds.get("NumberOfFrames", 1)) == 1:
        data = data[None]
    theirs = np.moveaxis(data.astype(float), 0, -1 if data.ndim == 3 else 2)
    theirs = theirs.transpose(1, 0, 2) if data.ndim == 3 else theirs.transpose(1, 0, 2, 3)
    return {"difference": float(np.abs(ours.squeeze() - theirs.squeeze()).max()), "frames": data.shape[0]}


def with_dcm2niix(ours, affine, folder, target, frame):
    import nibabel

    os.makedirs(target, exist_ok=True)
    subprocess.run(["dcm2niix", "-o", target, "-f", "v", "-z", "n", "-b", "n", folder], check=True, capture_output=True)
    best = None
    for path in glob.glob(os.path.join(target, "*.nii")):
        image = nibabel.load(path)
        theirs = np.asanyarray(image.dataobj).astype(float)
        theirs = theirs if theirs.ndim == 3 else theirs[..., frame]
        places = np.linalg.inv(image.affine) @ affine
        grid = np.stack([*np.indices(ours.shape).reshape(3, -1), np.ones(ours.size)])
        voxels = places @ grid
        whole = np.round(voxels[:3]).astype(int)
        inside = all((whole[i] >= 0).all() and (whole[i] < theirs.shape[i]).all() for i in range(3))
        if theirs.size != ours.size or not inside:
            continue
        mm = float(np.abs(image.affine[:3, :3] @ (voxels[:3] - whole)).max())
        difference = float(np.abs(theirs[tuple(whole)] - ours.reshape(-1)).max())
        found = {"difference": difference, "mm": mm, "file": os.path.basename(path)}
        if best is None or (mm, difference) < (best["mm"], best["difference"]):
            best = found
    return best


results = {}
for case in json.load(open(sys.argv[1])):
    dims, channels = case["dims"], case["channels"]
    data = np.fromfile(case["data"], "<f8")
    ours = data.reshape(dims[::-1]).T if channels == 1 else data.reshape([*dims[::-1], 3]).transpose(2, 1, 0, 3)
    affine = None if case["affine"] is None else np.array(case["affine"])
    try:
        result = {"pydicom": pictures(ours, case["folder"]) if affine is None else with_pydicom(ours, affine, case["folder"])}
        if case["nifti"] is not None and affine is not None:
            result["dcm2niix"] = with_dcm2niix(ours, affine, case["folder"], case["nifti"], case["frame"])
    except Exception as error:  # noqa: BLE001 reported for the case
        result = {"error": repr(error)}
    results[case["name"]] = result
print(json.dumps(results))
