import { readFileSync } from 'node:fs'
import path from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { version_wasm } from '@tensorflow/tfjs-backend-wasm'
import { z } from 'zod'
import { nvidiaVersion } from './driver.ts'
import { packageVersion } from './optionalPackages.ts'

const manifestSchema = z.looseObject({ name: z.literal('maskwright'), version: z.string() })

/** Of everything that the figures of a rung depend on; optional parts only where they are. */
export function versions(packagesDir: string | null): Record<string, string> {
  const optional: Record<string, string | null> = {
    onnxruntime: packageVersion('onnxruntime-node', packagesDir),
    'tfjs-backend-webgpu': packageVersion('@tensorflow/tfjs-backend-webgpu', packagesDir),
    webgpu: packageVersion('webgpu', packagesDir),
    'tfjs-node': packageVersion('@tensorflow/tfjs-node', packagesDir),
    'tfjs-node-gpu': packageVersion('@tensorflow/tfjs-node-gpu', packagesDir),
    'nvidia-driver': / (\d+\.[\d.]+) /.exec(nvidiaVersion())?.[1] ?? null,
  }
  const found: Record<string, string> = {
    maskwright: ownVersion(),
    node: process.versions.node,
    v8: process.versions.v8,
    'tfjs-core': tf.version_core,
    'tfjs-layers': layers.version_layers,
    'tfjs-backend-wasm': version_wasm,
  }
  for (const [name, version] of Object.entries(optional)) if (version !== null) found[name] = version
  return found
}

let known: string | undefined

/** By the package.json above this file, be it source or built. */
function ownVersion(): string {
  known ??= lookUp(import.meta.dirname)
  return known
}

function lookUp(folder: string): string {
  try {
    const manifest: unknown = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
    return manifestSchema.parse(manifest).version
  } catch {
    const above = path.dirname(folder)
    return above === folder ? 'unknown' : lookUp(above)
  }
}
