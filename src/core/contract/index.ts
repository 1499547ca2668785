/** The typed contract between the interface and the backend: versions, errors, shapes, methods, events. */
export * from './version.ts'
export * from './errors.ts'
export * from './schemas.ts'
export { PERCENTILE_INPUT } from './modelCard.ts'
export * from './network.ts'
export * from './methods.ts'
export * from './events.ts'
