/** Cases of several files, of one image among several in a file, and of images whose voxels are not read yet. Never edited once released. */
export const anyImage = `
-- Which image of the file, as JSON; and what of it makes another case of the same bytes.
ALTER TABLE cases ADD COLUMN selection TEXT NOT NULL DEFAULT '{}';
ALTER TABLE cases ADD COLUMN selection_key TEXT NOT NULL DEFAULT '{}';
ALTER TABLE cases ADD COLUMN cautions_seen INTEGER NOT NULL DEFAULT 0;
-- 0 while low, high, min and max wait for the last voxel.
ALTER TABLE cases ADD COLUMN range_known INTEGER NOT NULL DEFAULT 1;
-- Scaled intensities shown as black and white; null: low and high.
ALTER TABLE cases ADD COLUMN window_low REAL;
ALTER TABLE cases ADD COLUMN window_high REAL;
-- Of a slide: tiles and levels, as JSON.
ALTER TABLE cases ADD COLUMN tiles TEXT;

-- All files of a case that has more than one; file_size and file_mtime are then sums.
CREATE TABLE case_files (
  case_id TEXT NOT NULL REFERENCES cases (id),
  position INTEGER NOT NULL,
  path TEXT NOT NULL,
  PRIMARY KEY (case_id, position)
) STRICT, WITHOUT ROWID;
`
