import { describe, expect, it } from 'vitest'
import { droppedSets, groupFiles } from './droppedFiles.ts'

const named = (...paths: string[]) =>
  paths.map((path) => ({ path, file: new File(['x'], path.split('/').at(-1) ?? '') }))
const shown = (folder: string | null, ...paths: string[]) =>
  groupFiles(folder, named(...paths)).map(({ name, kind, files }) => [kind, name, files.map((one) => one.path)])

describe('what belongs together of what was dropped', () => {
  it('leaves pictures and volumes by themselves', () => {
    expect(shown(null, 'a.nii.gz', 'b.png')).toEqual([
      ['file', 'a.nii.gz', ['a.nii.gz']],
      ['file', 'b.png', ['b.png']],
    ])
  })

  it('puts headers and their data together, whatever their order and case', () => {
    expect(shown(null, 'a.img', 'b.hdr', 'a.hdr', 'c.mhd', 'c.raw', 'd.IMG.GZ', 'd.HDR')).toEqual([
      ['pair', 'a.hdr', ['a.hdr', 'a.img']],
      ['pair', 'c.mhd', ['c.mhd', 'c.raw']],
      ['pair', 'd.HDR', ['d.HDR', 'd.IMG.GZ']],
      ['file', 'b.hdr', ['b.hdr']],
    ])
  })

  it('takes a folder of DICOM files as one, with the folders in it', () => {
    expect(shown('CT', 'a/IM0001', 'a/IM0002', 'b/1.2.840.17', 'b/x.dcm', '.DS_Store', 'b/notes.txt')).toEqual([
      ['folder', 'CT', ['a/IM0001', 'a/IM0002', 'b/1.2.840.17', 'b/x.dcm']],
    ])
    expect(shown(null, 'notes.txt')).toEqual([['file', 'notes.txt', ['notes.txt']]])
  })

  it('takes pictures in a folder one by one, and pairs by their own folder', () => {
    expect(shown('study', 'x/a.hdr', 'x/a.img', 'y/a.hdr', 'y/a.img', 'b.png')).toEqual([
      ['pair', 'a.hdr', ['a.hdr', 'a.img']],
      ['pair', 'a.hdr', ['a.hdr', 'a.img']],
      ['file', 'b.png', ['b.png']],
    ])
  })

  it('takes several DICOM files as one series, one as a file', () => {
    expect(shown(null, 'IM1', 'IM2')).toEqual([['folder', 'DICOM', ['IM1', 'IM2']]])
    expect(shown(null, 'slice.dcm')).toEqual([['file', 'slice.dcm', ['slice.dcm']]])
  })

  it('names an empty folder, so that it can be said that it is empty', () => {
    expect(shown('empty')).toEqual([['folder', 'empty', []]])
  })
})

describe('reading what was dropped', () => {
  /** A folder that gives its entries in parts, as browsers do. */
  function folder(name: string, entries: FileSystemEntry[]): FileSystemDirectoryEntry {
    const parts = [entries.slice(0, 1), entries.slice(1), []]
    const createReader = () => ({ readEntries: (give: (part: FileSystemEntry[]) => void) => give(parts.shift() ?? []) })
    return { name, isDirectory: true, isFile: false, createReader } as unknown as FileSystemDirectoryEntry
  }
  function file(name: string): FileSystemFileEntry {
    const give = (take: (file: File) => void) => take(new File(['x'], name))
    return { name, isDirectory: false, isFile: true, file: give } as unknown as FileSystemFileEntry
  }
  function item(entry: FileSystemEntry): DataTransferItem {
    const asFile = () => (entry.isDirectory ? null : new File(['x'], entry.name))
    return { kind: 'file', webkitGetAsEntry: () => entry, getAsFile: asFile } as unknown as DataTransferItem
  }

  it('goes through folders in folders, and takes loose files beside them', async () => {
    const inner = folder('b', [file('3.dcm')])
    const outer = folder('series', [file('1.dcm'), file('2.dcm'), inner])
    const transfer = { items: [item(outer), item(file('a.png'))], files: [] }
    const sets = await droppedSets(transfer as unknown as DataTransfer)
    expect(sets.map(({ name, files }) => [name, files.map(({ path }) => path).sort()])).toEqual([
      ['a.png', ['a.png']],
      ['series', ['1.dcm', '2.dcm', 'b/3.dcm']],
    ])
  })

  it('takes plain files where a browser gives no entries', async () => {
    const sets = await droppedSets({ items: [], files: [new File(['x'], 'a.nii')] } as unknown as DataTransfer)
    expect(sets.map(({ name }) => name)).toEqual(['a.nii'])
  })
})
