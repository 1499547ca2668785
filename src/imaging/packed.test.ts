import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { writeChunks } from './packed.ts'
import { temporaryFolder } from './testing/folders.ts'

describe('writeChunks', () => {
  it('packs by the name alone', async () => {
    const folder = await temporaryFolder()
    async function* chunks() {
      yield await Promise.resolve(Uint8Array.of(1, 2))
      yield Uint8Array.of(3)
    }
    const plain = join(folder.path, 'a.nii')
    const packed = join(folder.path, 'a.nii.GZ')
    expect(await writeChunks(plain, chunks())).toBe(3)
    const bytes = await writeChunks(packed, chunks())
    expect([...(await readFile(plain))]).toEqual([1, 2, 3])
    expect([...gunzipSync(await readFile(packed))]).toEqual([1, 2, 3])
    expect((await readFile(packed)).length).toBe(bytes)
    await folder.remove()
  })

  it.each(['a.nii', 'a.nii.gz'])(
    'hands on what a source throws before %s is open, and leaves nothing',
    async (name) => {
      const folder = await temporaryFolder()
      // eslint-disable-next-line require-yield -- what fails at once gives nothing
      async function* failing(): AsyncGenerator<Uint8Array> {
        await Promise.resolve()
        throw new RangeError('too soon')
      }
      for (let i = 0; i < 5; i++) {
        await expect(writeChunks(join(folder.path, name), failing())).rejects.toMatchObject({
          code: 'not-saved',
          detail: 'too soon',
        })
      }
      expect(await readdir(folder.path)).toEqual([])
      await folder.remove()
    },
  )
})
