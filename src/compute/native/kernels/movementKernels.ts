import { registerConcat } from './movement/concat.ts'
import { registerExpandDims } from './movement/expandDims.ts'
import { registerFill } from './movement/fill.ts'
import { registerGather } from './movement/gather.ts'
import { registerIdentity } from './movement/identity.ts'
import { registerOneHot } from './movement/oneHot.ts'
import { registerPack } from './movement/pack.ts'
import { registerPad } from './movement/pad.ts'
import { registerReshape } from './movement/reshape.ts'
import { registerReverse } from './movement/reverse.ts'
import { registerSlice } from './movement/slice.ts'
import { registerSplit } from './movement/split.ts'
import { registerStridedSlice } from './movement/stridedSlice.ts'
import { registerTile } from './movement/tile.ts'
import { registerTranspose } from './movement/transpose.ts'
import { registerUnpack } from './movement/unpack.ts'

/** What arranges elements anew and computes nothing. */
export function registerMovementKernels(): void {
  registerConcat()
  registerExpandDims()
  registerFill()
  registerGather()
  registerIdentity()
  registerOneHot()
  registerPack()
  registerPad()
  registerReshape()
  registerReverse()
  registerSlice()
  registerSplit()
  registerStridedSlice()
  registerTile()
  registerTranspose()
  registerUnpack()
}
