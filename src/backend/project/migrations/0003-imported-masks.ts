/** Masks that came from files are told from those that a person has worked on. Never edited once released. */
export const importedMasks = `
-- Of active_strokes: those that are not imports.
ALTER TABLE cases ADD COLUMN drawn_strokes INTEGER NOT NULL DEFAULT 0;
UPDATE cases SET drawn_strokes = active_strokes - (
  SELECT COUNT(*) FROM journal j WHERE j.case_id = cases.id AND j.kind = 'import' AND COALESCE(
    (SELECT k.kind FROM journal k WHERE k.case_id = j.case_id AND k.target_seq = j.seq ORDER BY k.seq DESC LIMIT 1),
    'redo') = 'redo');
`
