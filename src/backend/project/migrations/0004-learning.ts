/** What teaches, what versions were judged by, and what is worth looking at. Never edited once released. */
export const learning = `
-- approved: 1 where the whole slice is; regions: how many of its pixels are, where only parts of it are. painted: it teaches
-- only where strokes changed it. unseen: the prediction of the whole volume was written over it since somebody drew on it.
ALTER TABLE slice_state ADD COLUMN approved INTEGER NOT NULL DEFAULT 0;
ALTER TABLE slice_state ADD COLUMN regions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE slice_state ADD COLUMN painted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE slice_state ADD COLUMN unseen INTEGER NOT NULL DEFAULT 0;
-- whole: all of it is right by what somebody said or drew. teaches: something of it may be.
ALTER TABLE slice_state ADD COLUMN whole INTEGER GENERATED ALWAYS AS
  (approved > 0 OR (own > 0 AND NOT painted AND NOT unseen)) VIRTUAL;
ALTER TABLE slice_state ADD COLUMN teaches INTEGER GENERATED ALWAYS AS
  (approved > 0 OR regions > 0 OR (corrected AND (crossing > 0 OR NOT unseen))) VIRTUAL;

-- No reference to models: what a training that still runs predicts is kept under the id that it will have.
CREATE TABLE predictions_new (
  case_id TEXT NOT NULL REFERENCES cases (id),
  slice INTEGER NOT NULL,
  model_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  -- Raw deflate of the labels, one byte a pixel; of the uncertainty likewise, null where it was not asked for.
  labels BLOB NOT NULL,
  uncertainty BLOB,
  PRIMARY KEY (case_id, slice)
) STRICT;
INSERT INTO predictions_new SELECT case_id, slice, model_id, revision, labels, NULL FROM predictions;
DROP TABLE predictions;
ALTER TABLE predictions_new RENAME TO predictions;

-- Versions. mode: how it was made. display_name, notes, tags (JSON): the user's. pruned: its folder was deleted.
-- used: when it was first in use; null: never. settings: JSON. data: JSON, the state of each case that it newly learned from.
ALTER TABLE models ADD COLUMN mode TEXT NOT NULL DEFAULT 'retrain';
ALTER TABLE models ADD COLUMN display_name TEXT;
ALTER TABLE models ADD COLUMN notes TEXT NOT NULL DEFAULT '';
ALTER TABLE models ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE models ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE models ADD COLUMN used_at TEXT;
ALTER TABLE models ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
ALTER TABLE models ADD COLUMN data TEXT NOT NULL DEFAULT '[]';
ALTER TABLE models ADD COLUMN correction_before REAL;
ALTER TABLE models ADD COLUMN correction_after REAL;
-- Every version became the one in use when it was made.
UPDATE models SET used_at = created_at;

-- Which labels a slice had when it was last gathered for a training, as JSON, ascending: what replays are balanced by.
CREATE TABLE lesson_labels (
  case_id TEXT NOT NULL REFERENCES cases (id),
  slice INTEGER NOT NULL,
  labels TEXT NOT NULL,
  PRIMARY KEY (case_id, slice)
) STRICT, WITHOUT ROWID;

-- The hold-out: cases that no training sees. There is one; its id is in meta under 'holdout'.
CREATE TABLE holdout_cases (
  case_id TEXT PRIMARY KEY REFERENCES cases (id),
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Append-only: how a version was held against another. judgement: JSON as the contract says.
CREATE TABLE judgements (
  seq INTEGER PRIMARY KEY,
  model_id TEXT NOT NULL REFERENCES models (id),
  against_id TEXT,
  holdout_id TEXT,
  judged_at TEXT NOT NULL,
  verdict TEXT NOT NULL,
  judgement TEXT NOT NULL
) STRICT;
CREATE INDEX judgements_by_model ON judgements (model_id);

-- What models predicted of slices of the hold-out. state: the mask, the image's view and range that it was scored on.
-- overlaps: JSON as score of the compute contract says.
CREATE TABLE scores (
  model_id TEXT NOT NULL REFERENCES models (id),
  case_id TEXT NOT NULL REFERENCES cases (id),
  slice INTEGER NOT NULL,
  state TEXT NOT NULL,
  overlaps TEXT NOT NULL,
  PRIMARY KEY (model_id, case_id, slice)
) STRICT, WITHOUT ROWID;

-- What was found when slices were ranked. features: float32, little-endian.
CREATE TABLE examined (
  case_id TEXT NOT NULL REFERENCES cases (id),
  slice INTEGER NOT NULL,
  model_id TEXT NOT NULL,
  examined_at TEXT NOT NULL,
  entropy REAL NOT NULL,
  disagreement REAL,
  features BLOB NOT NULL,
  PRIMARY KEY (case_id, slice)
) STRICT, WITHOUT ROWID;
`
