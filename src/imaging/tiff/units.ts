/** Lengths in mm, by the names that microscopes write; the micro sign comes in several spellings. */
const MILLIMETRES: Readonly<Record<string, number>> = {
  m: 1000,
  dm: 100,
  cm: 10,
  centimeter: 10,
  mm: 1,
  millimeter: 1,
  um: 1e-3,
  micron: 1e-3,
  microns: 1e-3,
  micrometer: 1e-3,
  nm: 1e-6,
  nanometer: 1e-6,
  pm: 1e-9,
  å: 1e-7,
  in: 25.4,
  inch: 25.4,
  inches: 25.4,
  thou: 0.0254,
}

/** How many mm a unit is; null for pixels and for what is no length. */
export function millimetres(unit: string): number | null {
  const name = decodeEntities(unit)
    .trim()
    .replace(/\\u00b5/i, 'u')
    .replace(/[µμ]/g, 'u')
    .toLowerCase()
    .replace(/metre/, 'meter')
  return Object.hasOwn(MILLIMETRES, name) ? (MILLIMETRES[name] ?? null) : null
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** The five entities of XML and numbers; nothing that a document defines itself. */
export function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{2,4}));/gi, (whole, decimal, hex, name) => {
    if (typeof name === 'string') return NAMED[name] ?? whole
    const code = typeof decimal === 'string' ? Number(decimal) : parseInt(String(hex), 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}
