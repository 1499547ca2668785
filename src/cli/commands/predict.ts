import { mkdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { maskExtension, readImage, stemOf, writeVerifiedMask } from '../../imaging/index.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { readCard, withComputeProcess, type ComputeOptions } from '../compute.ts'
import { predictVolume } from '../inference.ts'
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
  await makeFolder(options.out)
  const written = await withComputeProcess(options, output, async (compute, signal) => {
    const outputs: Written[] = []
    for (const input of inputs) {
      const began = performance.now()
      const image = await readImage(input, { signal })
      const labels = await predictVolume(compute, resolve(options.model), image, {
        signal,
        onProgress: (done, total) =>
          output.progress(`${basename(input)}: slice ${Math.floor(done)} of ${total}`, done, total),
      })
      const path = join(options.out, stemOf(input) + maskExtension(image))
      await writeVerifiedMask(path, labels, image)
      const seconds = secondsSince(began)
      outputs.push({ input, output: path, seconds })
      output.text(`${input} -> ${path} (${seconds} s)`)
    }
    return outputs
  })
  output.data({ outputs: written, seconds: secondsSince(startedAt) })
}

async function makeFolder(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true })
  } catch (cause) {
    throw new CodedError('not-saved', `${dir} cannot be made; give --out a folder that you may write to.`, { cause })
  }
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
