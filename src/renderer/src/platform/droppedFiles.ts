/** What belongs together of what was dropped: one file, a header with its data, or the files of a DICOM folder. */
export interface DroppedSet {
  /** Of the file, of the header, or of the folder. */
  readonly name: string
  readonly kind: 'file' | 'pair' | 'folder'
  readonly files: readonly DroppedFile[]
}

interface DroppedFile {
  /** Within the set: a name, or names of folders and a name with slashes between them. */
  readonly path: string
  readonly file: File
}

/** More files than any series has: beyond them a folder is not read further. */
const MOST_FILES = 20_000
const DEEPEST = 12

/**
 * Reads what was dropped, folders with all that is in them. To be called while the drop is handled, since the browser
 * forgets it right after.
 */
export function droppedSets(transfer: Pick<DataTransfer, 'items' | 'files'>): Promise<DroppedSet[]> {
  const entries = [...transfer.items]
    .filter((item) => item.kind === 'file')
    .map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }))
  const loose = entries.flatMap(({ entry, file }) => (entry?.isDirectory === true || file === null ? [] : [file]))
  const folders = entries.flatMap(({ entry }) => (isFolder(entry) ? [entry] : []))
  const files = entries.length === 0 ? [...transfer.files] : loose
  return readAll(files, folders)
}

async function readAll(files: readonly File[], folders: readonly FileSystemDirectoryEntry[]): Promise<DroppedSet[]> {
  const sets = groupFiles(
    null,
    files.map((file) => ({ path: file.name, file })),
  )
  for (const folder of folders) sets.push(...groupFiles(folder.name, await filesIn(folder)))
  return sets
}

async function filesIn(top: FileSystemDirectoryEntry): Promise<DroppedFile[]> {
  const found: DroppedFile[] = []
  const open: { folder: FileSystemDirectoryEntry; path: string; depth: number }[] = [
    { folder: top, path: '', depth: 0 },
  ]
  for (let next = open.pop(); next !== undefined && found.length < MOST_FILES; next = open.pop()) {
    for (const entry of await entriesOf(next.folder)) {
      const path = `${next.path}${entry.name}`
      if (isFolder(entry)) {
        if (next.depth < DEEPEST) open.push({ folder: entry, path: `${path}/`, depth: next.depth + 1 })
      } else if (isFile(entry)) found.push({ path, file: await fileOf(entry) })
    }
  }
  return found.slice(0, MOST_FILES)
}

/** A browser gives them in parts; an empty one is the end. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader()
  const all: FileSystemEntry[] = []
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (part.length === 0) return all
    all.push(...part)
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject))
}

function isFolder(entry: FileSystemEntry | null): entry is FileSystemDirectoryEntry {
  return entry?.isDirectory === true
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile
}

/** Endings of headers, each with those of the files that hold their voxels. */
const PAIRS: readonly (readonly [RegExp, RegExp])[] = [
  [/\.hdr(\.gz)?$/i, /\.img(\.gz)?$/i],
  [/\.mhd$/i, /\.(raw|zraw)(\.gz)?$/i],
  [/\.nhdr$/i, /\.(raw|img)(\.gz)?$/i],
]
const DICOM = /\.(dcm|dicom|ima)$/i
/** What DICOM files are called that came without a folder. */
const LOOSE = 'DICOM'
/** What a folder is searched for beside DICOM files; the rest of it is left alone. */
const IMAGE = /\.(nii|nii\.gz|hdr|hdr\.gz|nrrd|nhdr|mha|mhd|png|jpe?g|bmp|tiff?|svs)$/i
/** DICOM files often carry no ending, or are called by a number with dots. */
const NAMELESS = /(^[^.]+|\.\d+)$/

/**
 * Puts together what belongs together, by the names: headers with their data, DICOM files with each other. `folder` is
 * the name of the dropped folder, of which only what can be an image counts; null for files dropped by themselves.
 */
export function groupFiles(folder: string | null, all: readonly DroppedFile[]): DroppedSet[] {
  const files = all.filter(({ path }) => !nameOf(path).startsWith('.'))
  const dicom = files.filter(({ path }) => isDicomName(nameOf(path)))
  const others = files.filter((one) => !dicom.includes(one))
  const sets: DroppedSet[] = []
  const taken = new Set<DroppedFile>()
  for (const file of others) {
    const [header, data] = PAIRS.find(([isHeader]) => isHeader.test(file.path)) ?? []
    if (header === undefined || data === undefined) continue
    const stem = file.path.replace(header, '')
    const parts = others.filter((one) => data.test(one.path) && one.path.replace(data, '') === stem)
    if (parts.length === 0) continue
    for (const one of [file, ...parts]) taken.add(one)
    sets.push({ name: nameOf(file.path), kind: 'pair', files: [file, ...parts].map(bare) })
  }
  for (const one of others) {
    if (!taken.has(one) && (folder === null || IMAGE.test(one.path)))
      sets.push({ name: nameOf(one.path), kind: 'file', files: [bare(one)] })
  }
  const [first] = dicom
  if (folder !== null && (dicom.length > 0 || sets.length === 0)) {
    sets.unshift({ name: folder, kind: 'folder', files: dicom })
  } else if (first !== undefined) {
    sets.unshift(
      dicom.length === 1
        ? { name: nameOf(first.path), kind: 'file', files: dicom }
        : { name: LOOSE, kind: 'folder', files: dicom },
    )
  }
  return sets
}

function isDicomName(name: string): boolean {
  return DICOM.test(name) || NAMELESS.test(name)
}

function bare({ path, file }: DroppedFile): DroppedFile {
  return { path: nameOf(path), file }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
