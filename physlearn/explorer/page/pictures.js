// The plane with the orbits, the system in space, and the time series.

import { COLORS, between, frame, segment, themed } from "./draw.js"
import { $, first, page, plane, second, space } from "./state.js"

export const background = { canvas: document.createElement("canvas"), key: null }
const flat = (body) => (page.view ? page.view.project(...body) : body)
const index = (line) => page.tau / line.dt

function shownLines() {
  const { reply } = page
  if (!reply || reply.truth.error) return []
  return [["truth", reply.truth], ...reply.shown.map((name, k) => [name, reply.lines[k]]).filter(([, line]) => line && !line.error)]
}

// Everything in the plane that does not move is drawn once, and copied in each frame.
function drawBackground() {
  const { canvas } = plane
  const key = [canvas.width, canvas.height, page.view?.yaw, page.view?.pitch].join()
  if (background.key === key) return
  background.key = key
  plane.begin()
  if (page.view) frame(plane, page.view, page.stage.axes.map((i) => page.stage.coordinates[i]))
  else plane.axes()
  plane.clipped(() => {
    for (const line of page.stage.contours) {
      plane.line(line.map(([x]) => x), line.map(([, y]) => y), { color: "--contour", width: 1 })
    }
    for (const line of page.reply?.limit ?? []) {
      plane.line(line.map(([x]) => x), line.map(([, y]) => y), { color: "--quiet", width: 1.2, alpha: 0.7 })
    }
    for (const [name, line] of shownLines()) {
      for (const body of line.bodies) {
        const [xs, ys] = flat(body)
        const width = name === "truth" ? 3.5 : 1.3
        plane.line(xs, ys, { color: COLORS[name], width, alpha: 0.35, periods: page.stage.periods })
      }
    }
  })
  Object.assign(background.canvas, { width: canvas.width, height: canvas.height })
  background.canvas.getContext("2d").drawImage(canvas, 0, 0)
}

export function drawPlane() {
  drawBackground()
  plane.begin()
  const { context: c, canvas } = plane
  c.drawImage(background.canvas, 0, 0, canvas.clientWidth, canvas.clientHeight)
  const lines = shownLines()
  plane.clipped(() => {
    for (const [name, line] of lines) {
      const width = name === "truth" ? 3.5 : 1.8
      for (const body of line.bodies) {
        const [xs, ys] = flat(body)
        plane.line(xs, ys, { color: COLORS[name], width, to: index(line), periods: page.stage.periods })
      }
    }
    for (const [name, line] of lines) {
      if (index(line) > line.first.length) continue
      for (const body of line.bodies) {
        const [xs, ys] = flat(body)
        plane.dot(between(xs, index(line)), between(ys, index(line)), { color: COLORS[name], radius: name === "truth" ? 8 : 5.5 })
      }
    }
  })
  drawHandles()
}

export function handles() {
  const points = page.points ?? []
  if (!page.view) return points
  return points.map((point) => page.view.project(...point.map((value) => [value])).map(([value]) => value))
}

function drawHandles() {
  const { context: c } = plane
  const shown = handles()
  if (page.stage.arrow && shown.length === 2) {
    c.strokeStyle = themed("--ink")
    c.lineWidth = 1.5
    segment(c, ...shown.flatMap(([x, y]) => [plane.right(x), plane.down(y)]))
  }
  const focused = document.activeElement === plane.canvas
  shown.forEach(([x, y], k) => {
    const tip = page.stage.arrow && k === 1
    const radius = (tip ? 4 : 6) + (focused && k === page.picked ? 2 : 0)
    plane.dot(x, y, { color: "--ink", radius, open: !tip })
  })
}

export function drawSpace() {
  const { stage } = page
  if (!stage.space) return
  space.begin()
  space.axes({ ticks: false })
  const { context: c } = space
  const curve = stage.space.curve
  space.clipped(() => {
    if (curve.length) space.line(curve.map(([x]) => x), curve.map(([, y]) => y), { color: "--quiet", width: 2 })
    for (const [name, line] of shownLines().reverse()) {
      if (!line.space || index(line) > line.first.length) continue
      const places = line.space.map(([xs, ys]) => [between(xs, index(line)), between(ys, index(line))])
      c.strokeStyle = themed(COLORS[name])
      c.globalAlpha = name === "truth" ? 1 : 0.8
      c.lineWidth = name === "truth" ? 5 : 2.5
      for (const [from, to] of stage.space.rods) {
        const [start, end] = [from < 0 ? [0, 0] : places[from], places[to]]
        segment(c, space.right(start[0]), space.down(start[1]), space.right(end[0]), space.down(end[1]))
      }
      const radius = (name === "truth" ? 11 : 7) / (places.length > 3 ? 2.5 : 1)
      for (const [x, y] of places) space.dot(x, y, { color: COLORS[name], radius })
      c.globalAlpha = 1
    }
  })
}

export function drawSeries() {
  const lines = shownLines()
  const total = page.reply?.truth.time ?? page.stage.time
  const what = $("below").value
  const series = { first: (line) => line.first, [what]: (line) => line[what] }
  for (const [plot, of] of [[first, series.first], [second, series[what]]]) {
    plot.x = [0, total]
    if (plot === first) plot.y = page.stage.first
    else limit(plot, lines.map(([name, line]) => (what === "deviation" || name !== "truth" ? of(line) ?? [] : [])).flat(), what)
    plot.begin()
    plot.axes({ label: plot === second ? (what === "deviation" ? "H \u2212 H(0)" : "in units of its spread") : "" })
    plot.clipped((c) => {
      for (const [name, line] of lines) {
        const values = of(line)
        if (!values) continue
        const times = (line.times ??= values.map((_, k) => k * line.dt))
        const periods = plot === first ? [0, page.stage.axes[0] === 0 ? page.stage.periods[0] : 0] : [0, 0]
        plot.line(times, values, { color: COLORS[name], width: name === "truth" ? 3.5 : 1.5, periods })
      }
      c.strokeStyle = themed("--quiet")
      c.lineWidth = 1
      segment(c, plot.right(page.tau), plot.box[1], plot.right(page.tau), plot.box[1] + plot.box[3])
    })
  }
}

function limit(plot, values, what) {
  const finite = values.filter((value) => value !== null)
  const most = Math.max(0, ...finite.map(Math.abs))
  plot.log = what === "distance"
  if (plot.log) {
    const least = finite.filter((value) => value > 0).reduce((a, b) => Math.min(a, b), 1e-2)
    plot.y = [Math.max(1e-9, 10 ** Math.floor(Math.log10(least))), 10]
  } else {
    const half = Math.min(Math.max(1.15 * most, 1e-9 * page.stage.spread), page.stage.spread) || 1
    plot.y = [-half, half]
  }
}
