/** The backend: one open project, served to a shell through the handlers and events of the contract. */
export { createBackend, type Backend, type BackendOptions } from './createBackend.ts'
export { createProject, projectExists } from './project/project.ts'
export { createDemoProject, type DemoOptions } from './demo/createDemo.ts'
export type { ComputeCallOptions, ComputeParams, ComputePort, ComputeResult } from './compute/port.ts'
export {
  labelsForCompute,
  labelsFromCompute,
  networkLayout,
  sliceForCompute,
  sliceGeometry,
} from './volume/computeSlices.ts'
