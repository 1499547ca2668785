/** The first schema. Never edited once released: a change is a new migration. */
export const initial = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

-- A value is given out once: an archived label keeps its row, so that old strokes and models stay readable.
CREATE TABLE labels (
  value INTEGER PRIMARY KEY CHECK (value BETWEEN 1 AND 255),
  name TEXT NOT NULL,
  color TEXT NOT NULL,
  visible INTEGER NOT NULL DEFAULT 1,
  locked INTEGER NOT NULL DEFAULT 0,
  archived INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE cases (
  id TEXT PRIMARY KEY,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  -- Name without ending of the mask in masks/ and exports/.
  stem TEXT NOT NULL UNIQUE,
  -- Relative to the project folder where the image lies inside it.
  path TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  file_size INTEGER NOT NULL,
  file_mtime REAL NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('volume', 'image')),
  nx INTEGER NOT NULL, ny INTEGER NOT NULL, nz INTEGER NOT NULL,
  channels INTEGER NOT NULL,
  training_axis INTEGER NOT NULL CHECK (training_axis BETWEEN 0 AND 2),
  -- Robust and full range of the scaled intensities.
  low REAL NOT NULL, high REAL NOT NULL, min REAL NOT NULL, max REAL NOT NULL,
  -- What the journal adds up to; kept with it in one transaction.
  revision INTEGER NOT NULL DEFAULT 0,
  active_strokes INTEGER NOT NULL DEFAULT 0,
  -- Revision of the last verified export.
  saved_revision INTEGER,
  removed INTEGER NOT NULL DEFAULT 0,
  added_at TEXT NOT NULL
) STRICT;
CREATE INDEX cases_by_hash ON cases (content_hash);

CREATE TABLE thumbnails (
  case_id TEXT PRIMARY KEY REFERENCES cases (id),
  width INTEGER NOT NULL, height INTEGER NOT NULL,
  rgba BLOB NOT NULL
) STRICT;

-- Append-only. Undo and redo name the stroke they take back or bring again and hold no runs of their own.
CREATE TABLE journal (
  seq INTEGER PRIMARY KEY,
  case_id TEXT NOT NULL REFERENCES cases (id),
  revision INTEGER NOT NULL,
  stroke_id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  label INTEGER NOT NULL,
  axis INTEGER,
  target_seq INTEGER REFERENCES journal (seq),
  base_revision INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  x0 INTEGER NOT NULL, y0 INTEGER NOT NULL, z0 INTEGER NOT NULL,
  x1 INTEGER NOT NULL, y1 INTEGER NOT NULL, z1 INTEGER NOT NULL,
  -- Touched indices across the training axis, as ranges "3-5,9".
  slices TEXT NOT NULL,
  -- Which counter of slice_state the stroke adds to, or 'none'.
  counter TEXT NOT NULL,
  prev_hash BLOB NOT NULL,
  hash BLOB NOT NULL,
  runs BLOB,
  UNIQUE (case_id, revision)
) STRICT;
CREATE TRIGGER journal_is_append_only_update BEFORE UPDATE ON journal
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_is_append_only_delete BEFORE DELETE ON journal
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

-- How many strokes in force lie on a slice across the training axis. own: drawn on it, or accepted by name.
-- crossing: drawn in another plane. accepted: part of an accepted volume.
CREATE TABLE slice_state (
  case_id TEXT NOT NULL REFERENCES cases (id),
  slice INTEGER NOT NULL,
  own INTEGER NOT NULL DEFAULT 0,
  crossing INTEGER NOT NULL DEFAULT 0,
  accepted INTEGER NOT NULL DEFAULT 0,
  changed_seq INTEGER NOT NULL,
  corrected INTEGER NOT NULL GENERATED ALWAYS AS (own > 0 OR (crossing > 0 AND accepted > 0)) STORED,
  PRIMARY KEY (case_id, slice)
) STRICT, WITHOUT ROWID;

CREATE TABLE label_counts (
  case_id TEXT NOT NULL REFERENCES cases (id),
  label INTEGER NOT NULL,
  voxels INTEGER NOT NULL,
  PRIMARY KEY (case_id, label)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshots (
  case_id TEXT PRIMARY KEY REFERENCES cases (id),
  seq INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  file TEXT NOT NULL,
  -- SHA-256 of the labels, one byte a voxel in file order.
  labels_hash TEXT NOT NULL
) STRICT;

CREATE TABLE models (
  id TEXT PRIMARY KEY,
  version INTEGER NOT NULL UNIQUE,
  parent_id TEXT REFERENCES models (id),
  name TEXT NOT NULL,
  created_at TEXT NOT NULL,
  active INTEGER NOT NULL DEFAULT 0,
  card TEXT NOT NULL
) STRICT;

-- Which state of which slice a model and its ancestors have learned from.
CREATE TABLE learned (
  model_id TEXT NOT NULL REFERENCES models (id),
  case_id TEXT NOT NULL REFERENCES cases (id),
  slice INTEGER NOT NULL,
  changed_seq INTEGER NOT NULL,
  PRIMARY KEY (model_id, case_id, slice)
) STRICT, WITHOUT ROWID;

CREATE TABLE predictions (
  case_id TEXT NOT NULL REFERENCES cases (id),
  slice INTEGER NOT NULL,
  model_id TEXT NOT NULL REFERENCES models (id),
  revision INTEGER NOT NULL,
  -- Raw deflate of the labels, one byte a pixel.
  labels BLOB NOT NULL,
  PRIMARY KEY (case_id, slice)
) STRICT;

CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  case_id TEXT REFERENCES cases (id),
  progress REAL NOT NULL,
  message TEXT NOT NULL,
  curve TEXT NOT NULL,
  error_code TEXT,
  error_message TEXT,
  model_id TEXT,
  created_at TEXT NOT NULL,
  ended_at TEXT
) STRICT;
`
