/** Until what is asked for holds. */
export async function waitUntil(until: () => boolean): Promise<void> {
  while (!until()) await pause(2)
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
