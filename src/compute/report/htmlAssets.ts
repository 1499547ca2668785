import { chartColours } from './drawing/chart.ts'

/** Sorts a table by the column whose head was clicked; again: the other way round. Without it the page says the same. */
export const SORTING = `for (const table of document.querySelectorAll('table.sortable')) {
  const body = table.tBodies[0]
  table.tHead.addEventListener('click', ({ target }) => {
    const head = target.closest('th')
    if (!head) return
    const up = head.getAttribute('aria-sort') !== 'ascending'
    for (const other of head.parentNode.children) other.removeAttribute('aria-sort')
    head.setAttribute('aria-sort', up ? 'ascending' : 'descending')
    const value = (row) => row.children[head.cellIndex].dataset.v
    const compare = (a, b) => {
      const [x, y] = [value(a), value(b)]
      if (x === '' || y === '') return (x === '') - (y === '')
      const order = head.cellIndex === 0 ? x.localeCompare(y, 'en', { numeric: true }) : x - y
      return up ? order : -order
    }
    body.append(...[...body.rows].sort(compare))
  })
}`

const LIGHT = `color-scheme:light;--bg:#f5f5f5;--raised:#fff;--line:#d4d4d4;--ink:#1c1c1c;--quiet:#5c5c5c;--accent:#0b6aa2;--good:#176b3a;--bad:#a8261c;--warn:#7a5200;--warn-bg:#fbefd0;${chartColours.light}`
const DARK = `color-scheme:dark;--bg:#0d0d0d;--raised:#161616;--line:#303030;--ink:#ececec;--quiet:#a6a6a6;--accent:#5bb8f0;--good:#63c48b;--bad:#f47c74;--warn:#e3ab48;--warn-bg:#33280f;${chartColours.dark}`

export const STYLE = `
:root{${DARK}}
@media (prefers-color-scheme:light){:root{${LIGHT}}}
@media print{:root{${LIGHT}}article{break-inside:avoid}}
${chartColours.rules}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:14px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','DejaVu Sans',sans-serif;font-variant-numeric:tabular-nums}
header,main{max-width:1240px;margin:0 auto;padding:0 24px}
header{padding-top:32px}
h1{font-size:24px;line-height:1.25;margin:0 0 8px}
h2{font-size:17px;margin:36px 0 8px}
h3{font-size:14px;margin:0;overflow-wrap:anywhere}
h3 small{font-weight:400;color:var(--quiet);margin-left:8px}
p{margin:4px 0 8px;max-width:80ch}
a{color:var(--accent)}
.over,.note,.facts,figcaption,.quiet{color:var(--quiet)}
.over{margin:0}
.facts b{color:var(--ink);font-weight:600}
.warn{background:var(--warn-bg);color:var(--warn);padding:8px 12px;border-radius:4px}
.tiles{display:flex;flex-wrap:wrap;gap:12px;list-style:none;padding:0;margin:16px 0 8px}
.tiles li{background:var(--raised);border:1px solid var(--line);border-radius:6px;padding:12px 16px;min-width:150px;display:flex;flex-direction:column}
.tiles b{font-size:28px;line-height:1.15;font-weight:600}
.tiles em{font-style:normal;color:var(--quiet)}
.tiles span{font-size:12px;color:var(--quiet)}
.curves{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,480px),1fr));gap:16px}
figure{margin:12px 0;min-width:0}
figure svg{width:100%;height:auto;display:block;border:1px solid var(--line);border-radius:6px}
figure img{max-width:100%;height:auto;display:block;border-radius:6px}
figcaption{font-size:12px;margin-top:4px}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:6px;background:var(--raised)}
.tall{max-height:560px;overflow-y:auto}
table{border-collapse:collapse;width:100%}
th,td{padding:5px 12px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line);font-weight:400}
tbody tr:last-child>*{border-bottom:0}
th:first-child{text-align:left}
thead th{position:sticky;top:0;background:var(--raised);color:var(--quiet);font-size:12px;font-weight:600;vertical-align:bottom;white-space:normal;min-width:72px}
.text td,.text th{text-align:left;white-space:normal;overflow-wrap:anywhere}
.text th:first-child{white-space:nowrap;width:1%}
thead button{all:unset;cursor:pointer}
thead button:focus-visible,summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
th[aria-sort=ascending] button::after{content:' \\2191'}
th[aria-sort=descending] button::after{content:' \\2193'}
.good{color:var(--good)}
.bad{color:var(--bad)}
article{background:var(--raised);border:1px solid var(--line);border-radius:6px;padding:12px 16px;margin:12px 0}
.legend{display:flex;flex-wrap:wrap;gap:16px;list-style:none;padding:0;margin:8px 0;font-size:12px}
.legend i{display:inline-block;width:18px;height:10px;border-radius:2px;margin-right:6px;border:1px solid var(--line)}
.legend .dashed{height:0;border:0;border-top:2px dashed var(--ink);border-radius:0;vertical-align:3px}
details{margin:8px 0}
summary{cursor:pointer}
.ids{overflow-wrap:anywhere;max-width:none;color:var(--quiet);font-size:12px}
code{font-family:ui-monospace,'SF Mono','DejaVu Sans Mono',Consolas,monospace;font-size:12px}
main{padding-bottom:64px}
`
