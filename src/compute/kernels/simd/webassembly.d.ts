/** What the kernels use of WebAssembly's JavaScript interface, which Node has and neither its types nor ES2024's name. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean })
    readonly buffer: ArrayBuffer | SharedArrayBuffer
    grow(pages: number): number
  }
  /** Opaque: only to be instantiated. */
  interface Module {
    readonly opaque: never
  }
  const Module: new (bytes: Uint8Array<ArrayBuffer>) => Module
  class Global {
    value: number
  }
  function compile(bytes: Uint8Array<ArrayBuffer>): Promise<Module>
  function validate(bytes: Uint8Array<ArrayBuffer>): boolean
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, Memory | ((...args: number[]) => unknown)>>)
    readonly exports: Record<string, unknown>
  }
}
