/**
 * In SQL, of a row `s` of `slice_state`: models are scored on it where its case is set aside. All of it is right by what somebody said or
 * drew: only there does a prediction that differs have to be wrong.
 */
export const SCORED = 's.teaches AND s.whole'
