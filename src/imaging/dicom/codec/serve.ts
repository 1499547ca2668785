import type { MessagePort } from 'node:worker_threads'

/** A frame to be decoded. Its header has been held against the file's. */
export interface CodecJob {
  readonly codec: 'jpeg' | 'jpeg-ls' | 'jpeg-2000'
  readonly data: Uint8Array<ArrayBuffer>
  readonly columns: number
  readonly rows: number
  readonly samples: number
  /** Bits of a sample in the compressed data: up to 8 give bytes, more words. */
  readonly bits: number
  /** Of JPEG: the colours are luminance and colour difference, and RGB is wanted. */
  readonly toRgb: boolean
}

export type CodecAnswer = { readonly data: Uint8Array<ArrayBuffer> } | { readonly failed: string }

type Call = (...args: number[]) => number

/**
 * Runs in a thread of its own, as a script made of its source: it may use nothing from outside of it. Answers each job with its
 * samples. The C functions of the module are those of dcmjs-codecs; its own JavaScript is not used because a decoder that fails in
 * the middle leaves the stack and the heap of the module as they are, so that a new instance is needed, which it does not offer.
 */
export function serveCodec(port: MessagePort, module: WebAssembly.Module): void {
  interface Instance {
    readonly memory: WebAssembly.Memory
    readonly call: (name: string, ...args: number[]) => number
    /** What the decoders say about data that they could only decode in part. */
    readonly complaints: string[]
  }

  const start = (): Instance => {
    const complaints: string[] = []
    const text = (at: number, length: number): string => Buffer.from(memory.buffer, at, length).toString('latin1')
    const stop = (at: number, length: number): never => {
      throw new Error(text(at, length))
    }
    const nothing = (): number => 0
    const instance = new WebAssembly.Instance(module, {
      env: {
        onCodecsException: stop,
        onCodecsInfo: (at: number, length: number) => {
          if (complaints.length < 100) complaints.push(text(at, length))
        },
        onCodecsTrace: nothing,
        emscripten_notify_memory_growth: nothing,
      },
      wasi_snapshot_preview1: {
        proc_exit: (code: number) => {
          throw new Error(`ended with ${code}`)
        },
        clock_time_get: nothing,
        environ_get: nothing,
        environ_sizes_get: (count: number, bytes: number) => {
          const view = new DataView(memory.buffer)
          view.setUint32(count, 0, true)
          view.setUint32(bytes, 0, true)
          return 0
        },
        fd_close: nothing,
        fd_seek: nothing,
        fd_write: (_to: number, parts: number, count: number, written: number) => {
          const view = new DataView(memory.buffer)
          let bytes = 0
          for (let i = 0; i < count; i++) bytes += view.getUint32(parts + 8 * i + 4, true)
          view.setUint32(written, bytes, true)
          return 0
        },
      },
    })
    const memory = instance.exports.memory as WebAssembly.Memory
    const call = (name: string, ...args: number[]): number => (instance.exports[name] as Call)(...args)
    call('_initialize')
    return { memory, call, complaints }
  }

  const decode = ({ memory, call, complaints }: Instance, job: CodecJob): Uint8Array<ArrayBuffer> => {
    complaints.length = 0
    const context = call('CreateCodecsContext')
    call('SetColumns', context, job.columns)
    call('SetRows', context, job.rows)
    call('SetBitsAllocated', context, job.bits > 8 ? 16 : 8)
    call('SetBitsStored', context, job.bits)
    call('SetSamplesPerPixel', context, job.samples)
    // Signs are put right afterwards, the same way for every form.
    call('SetPixelRepresentation', context, 0)
    call('SetPlanarConfiguration', context, 0)
    call('SetPhotometricInterpretation', context, 0)
    call('SetEncodedBufferSize', context, job.data.length)
    new Uint8Array(memory.buffer).set(job.data, call('GetEncodedBuffer', context))
    const parameters = call('CreateDecoderParameters')
    call('SetConvertColorspaceToRgb', parameters, job.toRgb ? 1 : 0)
    const names = { jpeg: 'DecodeJpeg', 'jpeg-ls': 'DecodeJpegLs', 'jpeg-2000': 'DecodeJpeg2000' }
    call(names[job.codec], context, parameters)
    const bad = complaints.find((said) =>
      /premature end|bad huffman|corrupt jpeg data: [^0-9]|truncat|tile part|not enough/i.test(said),
    )
    if (bad !== undefined) throw new Error(bad)
    const at = call('GetDecodedBuffer', context)
    const data = new Uint8Array(memory.buffer).slice(at, at + call('GetDecodedBufferSize', context))
    call('ReleaseDecoderParameters', parameters)
    call('ReleaseCodecsContext', context)
    return data
  }

  const KEEP_BYTES = 2 ** 27
  let instance: Instance | null = null
  port.on('message', (job: CodecJob) => {
    try {
      instance ??= start()
      const data = decode(instance, job)
      if (instance.memory.buffer.byteLength > KEEP_BYTES) instance = null
      port.postMessage({ data }, [data.buffer])
    } catch (error) {
      instance = null
      port.postMessage({ failed: error instanceof Error ? error.message : 'failed' })
    }
  })
}
