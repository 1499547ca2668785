/** It is known what was annotated before there was a label. Never edited once released. */
export const labelAge = `
-- The last journal row of the project when the label was put on the list. Labels of before count as having been there all along.
ALTER TABLE labels ADD COLUMN added_seq INTEGER NOT NULL DEFAULT 0;
`
