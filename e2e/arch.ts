/** Along the arch of the vertebra that the demo opens on, of which its model knows little; as `Workstation.at` takes them. */
export const ARCH = [
  [-0.033, 0.165],
  [-0.03, 0.205],
  [-0.012, 0.226],
  [0.011, 0.232],
  [0.034, 0.226],
  [0.05, 0.205],
  [0.055, 0.165],
] as const
