import type { CaseSummary } from '../../core/contract/caseSchemas.ts'
import type { ImageChoices, ImageSelection } from '../../core/contract/schemas.ts'
import type { TestBackend } from './fixtures.ts'

/** The id of a file or folder, as though it had been chosen in a dialog. */
export function fileOf(test: TestBackend, path: string): string {
  return test.backend.registerFile(path, 'open').id
}

export function add(test: TestBackend, path: string, selection: ImageSelection = {}): Promise<CaseSummary> {
  return test.call('case.add', { fileId: fileOf(test, path), selection })
}

export function look(test: TestBackend, path: string, selection: ImageSelection = {}): Promise<ImageChoices> {
  return test.call('case.look', { fileId: fileOf(test, path), selection })
}
