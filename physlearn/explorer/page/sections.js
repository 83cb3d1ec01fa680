// Poincare sections, which fill while the body moves.

import { COLORS, Plot, themed } from "./draw.js"
import { ask, asked, parts, spoken } from "./requests.js"
import { $, page, say } from "./state.js"

const SETTLED = 500  // ms after the last change until sections are computed
const FILLING = 10  // seconds in which a section fills

let later = null
let cutting = null

// Ask for everything anew after a change, for the sections only once the changes have ended.
export function change({ sections = true } = {}) {
  clearTimeout(later)
  cutting?.abort()
  ask()
  if (sections && page.stage.section) later = setTimeout(cut, SETTLED)
}

async function cut() {
  cutting = new AbortController()
  const { shown, request } = asked()
  page.cuts = new Map()
  page.filled = page.playing ? 0 : 1
  const names = ["truth", ...shown.filter((name) => name !== "second")]
  $("cuts").replaceChildren(...names.map(panel))
  try {
    for await (const part of parts("sections", request, cutting.signal)) {
      const name = part.line < 0 ? "truth" : shown[part.line]
      const { caption, plot } = page.cuts.get(name)
      if (part.error) { caption.textContent = part.error; continue }
      page.cuts.get(name).part = part
      const lost = part.orbits - part.resolved
      const held = `${part.held} of ${part.orbits} orbits keep their energy to 1 %`
      caption.textContent = name === "truth"
        ? `truth${lost ? `: ${lost} of ${part.orbits} orbits cannot be followed to an energy error of 1e-6` : ""}`
        : `${title(name, request.lines[part.line])}: ${held}`
      caption.dataset.held = part.held
      plot.drawn = -1
    }
  } catch (error) {
    if (error.name !== "AbortError") say(error.message)
  }
}

const title = (name, line) => (line.kind === "model" ? line.model : line.method)

function panel(name) {
  const figure = document.createElement("figure")
  figure.innerHTML = '<figcaption></figcaption><canvas role="img"></canvas>'
  const [caption, canvas] = figure.children
  caption.textContent = name === "truth" ? "truth \u2026" : `${title(name, spoken(name))} \u2026`
  caption.style.color = name === "truth" ? "inherit" : COLORS[name]
  canvas.setAttribute("aria-label", `Poincare section of ${name}`)
  const plot = new Plot(canvas)
  ;[plot.x, plot.y] = page.stage.section.extent
  page.cuts.set(name, { caption, plot, part: null })
  return figure
}

export function drawSections(seconds) {
  if (page.playing) page.filled = Math.min(1, page.filled + seconds / FILLING)
  for (const { plot, part } of page.cuts.values()) {
    if (!part) continue
    const until = part.t.findLastIndex((t) => t <= page.filled * part.time) + 1
    if (plot.drawn === until) continue
    plot.drawn = until
    plot.begin()
    plot.axes()
    plot.clipped((c) => {
      for (let k = 0; k < until; k++) {
        const own = part.orbit[k] === 0
        c.fillStyle = own ? themed("--ink") : `hsl(${(330 * part.orbit[k]) / part.orbits} 75% 45%)`
        const size = own ? 3.4 : 2.2
        c.fillRect(plot.right(part.x[k]) - size / 2, plot.down(part.y[k]) - size / 2, size, size)
      }
    })
  }
}
