export { memoryStore } from './memoryStore.ts'
export type { StoreOptions, VoxelStore } from './store.ts'
