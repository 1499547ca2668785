/**
 * Which phantoms the demo project shows. The shipped model has never seen them: it was trained on other seeds
 * (docs/demo-model.md), and figures about it are taken on these.
 */
export const DEMO_SEEDS = {
  /** The case that opens first, and two more abdomens to predict and retrain on. */
  ct: [7, 3, 2],
  nuclei: [1, 2, 5, 8],
} as const

/** Label values and names of the demo project and of its model, in order. */
export const DEMO_LABELS = [
  { value: 1, name: 'Liver' },
  { value: 2, name: 'Spleen' },
  { value: 3, name: 'Kidney' },
  { value: 4, name: 'Vertebra' },
  { value: 5, name: 'Nucleus' },
] as const
