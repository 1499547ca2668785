/**
 * In SQL, of a row `c` of `cases`: no training may see it. It is set aside, or its image is made of the same bytes as one that is:
 * another volume of the file, or another region of the slide, of the same patient and as good as known. Taken off the worklist, it
 * is set aside all the same, since it may come back.
 */
export const HELD_OUT = `EXISTS (
  SELECT 1 FROM holdout_cases h JOIN cases a ON a.id = h.case_id WHERE a.content_hash = c.content_hash)`
