/** A slice teaches where something of it does. Never edited once released. */
export const drawn = `
-- drawn: how many strokes in force say of the voxels they changed on the slice that they are right: those of a person or a file, not
-- predictions that were taken over, since the prediction of the whole volume was last written over it.
ALTER TABLE slice_state ADD COLUMN drawn INTEGER NOT NULL DEFAULT 0;
WITH
  steps AS (SELECT target_seq, MAX(seq) AS seq FROM journal WHERE target_seq IS NOT NULL GROUP BY target_seq),
  undone AS (SELECT s.target_seq FROM steps s JOIN journal j ON j.seq = s.seq WHERE j.kind = 'undo'),
  -- Slices as ranges: "3-5,9".
  said AS (
    SELECT s.case_id, s.slice, j.seq, j.kind, j.counter
    FROM journal j, json_each('["' || replace(j.slices, ',', '","') || '"]') range
    JOIN slice_state s ON s.case_id = j.case_id AND s.slice
      BETWEEN CAST(range.value AS INTEGER) AND CAST(substr(range.value, instr(range.value, '-') + 1) AS INTEGER)
    WHERE j.target_seq IS NULL AND j.slices <> '' AND j.counter IN ('own', 'crossing', 'accepted')
      AND j.seq NOT IN (SELECT target_seq FROM undone)),
  overwritten AS (SELECT case_id, slice, MAX(seq) AS seq FROM said WHERE counter = 'accepted' GROUP BY case_id, slice),
  counts AS (
    SELECT a.case_id, a.slice, COUNT(*) AS strokes
    FROM said a LEFT JOIN overwritten o ON o.case_id = a.case_id AND o.slice = a.slice
    WHERE a.counter <> 'accepted' AND a.kind <> 'accept' AND a.seq > COALESCE(o.seq, 0)
    GROUP BY a.case_id, a.slice)
UPDATE slice_state SET drawn = c.strokes FROM counts c WHERE c.case_id = slice_state.case_id AND c.slice = slice_state.slice;
ALTER TABLE slice_state DROP COLUMN teaches;
ALTER TABLE slice_state ADD COLUMN teaches INTEGER GENERATED ALWAYS AS
  (approved > 0 OR regions > 0 OR (own > 0 AND NOT painted AND NOT unseen) OR (corrected AND drawn > 0)) VIRTUAL;
`
