/** Newer than ES2024: tells the processor that this is a waiting loop. */
interface Atomics {
  pause?(iterations?: number): void
}
