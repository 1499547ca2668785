import { mkdir, rm } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { maskExtension, readImage, verifyMask, writeMask } from '../../imaging/index.ts'
import { readCard, withComputeProcess, type ComputeOptions } from '../compute.ts'
import { predictVolume } from '../inference.ts'
import { stemOf } from '../names.ts'
import { Output, UsageError } from '../output.ts'

interface Written {
  readonly input: string
  readonly output: string
  readonly seconds: number
}

/** `maskwright predict --model MODEL --out DIR INPUT…` */
export async function predict(
  inputs: string[],
  options: ComputeOptions & { model: string; out: string },
): Promise<void> {
  const output = new Output(options)
  const startedAt = performance.now()
  refuseSameStem(inputs)
  await readCard(options.model)
  await mkdir(options.out, { recursive: true })
  const written = await withComputeProcess(options, output, async (compute, signal) => {
    const outputs: Written[] = []
    for (const input of inputs) {
      const began = performance.now()
      const image = await readImage(input, { signal })
      const labels = await predictVolume(compute, resolve(options.model), image, {
        signal,
        onProgress: (done, total) => output.progress(`${basename(input)}: slice ${done} of ${total}`, done, total),
      })
      const path = join(options.out, stemOf(input) + maskExtension(image))
      await writeMask(path, labels, image)
      try {
        await verifyMask(path, labels, image)
      } catch (error) {
        await rm(path, { force: true })
        throw error
      }
      const seconds = secondsSince(began)
      outputs.push({ input, output: path, seconds })
      output.text(`${input} -> ${path} (${seconds} s)`)
    }
    return outputs
  })
  output.data({ outputs: written, seconds: secondsSince(startedAt) })
}

function refuseSameStem(inputs: readonly string[]): void {
  const seen = new Map<string, string>()
  for (const input of inputs) {
    const stem = stemOf(input)
    const other = seen.get(stem)
    if (other !== undefined) {
      throw new UsageError(`${other} and ${input} would both be written as ${stem}; predict them into two folders.`)
    }
    seen.set(stem, input)
  }
}

function secondsSince(start: number): number {
  return Number(((performance.now() - start) / 1000).toFixed(2))
}
