import { registerConcat } from './movement/concat.ts'
import { registerDepthToSpace } from './movement/depthToSpace.ts'
import { registerDiag } from './movement/diag.ts'
import { registerEinsum } from './movement/einsum.ts'
import { registerExpandDims } from './movement/expandDims.ts'
import { registerFill } from './movement/fill.ts'
import { registerGather } from './movement/gather.ts'
import { registerGatherNd } from './movement/gatherNd.ts'
import { registerIdentity } from './movement/identity.ts'
import { registerMirrorPad } from './movement/mirrorPad.ts'
import { registerOneHot } from './movement/oneHot.ts'
import { registerPack } from './movement/pack.ts'
import { registerPad } from './movement/pad.ts'
import { registerReshape } from './movement/reshape.ts'
import { registerReverse } from './movement/reverse.ts'
import { registerScatterNd } from './movement/scatterNd.ts'
import { registerSequences } from './movement/sequences.ts'
import { registerSlice } from './movement/slice.ts'
import { registerSpaceToBatch } from './movement/spaceToBatch.ts'
import { registerSparseToDense } from './movement/sparseToDense.ts'
import { registerSplit } from './movement/split.ts'
import { registerStridedSlice } from './movement/stridedSlice.ts'
import { registerTensorScatterUpdate } from './movement/tensorScatterUpdate.ts'
import { registerTile } from './movement/tile.ts'
import { registerTopK } from './movement/topK.ts'
import { registerTranspose } from './movement/transpose.ts'
import { registerUnpack } from './movement/unpack.ts'
import { registerUnsortedSegmentSum } from './movement/unsortedSegmentSum.ts'

/** What arranges elements anew and computes nothing. */
export function registerMovementKernels(): void {
  registerConcat()
  registerDepthToSpace()
  registerDiag()
  registerEinsum()
  registerExpandDims()
  registerFill()
  registerGather()
  registerGatherNd()
  registerIdentity()
  registerMirrorPad()
  registerOneHot()
  registerPack()
  registerPad()
  registerReshape()
  registerReverse()
  registerScatterNd()
  registerSequences()
  registerSlice()
  registerSpaceToBatch()
  registerSparseToDense()
  registerSplit()
  registerStridedSlice()
  registerTensorScatterUpdate()
  registerTile()
  registerTopK()
  registerTranspose()
  registerUnpack()
  registerUnsortedSegmentSum()
}
