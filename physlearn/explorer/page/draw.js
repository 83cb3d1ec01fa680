// Drawing on canvases: axes, orbits, moving bodies, sections and curves.

export const COLORS = { truth: "--truth", nn: "#0072b2", hamiltonian: "#d55e00", one: "#009e73", other: "#cc79a7", second: "#e69f00" }

export const themed = (color) =>
  color.startsWith("--") ? getComputedStyle(document.documentElement).getPropertyValue(color).trim() : color

// A rectangle of numbers on a canvas. Each frame begins with `begin`, which follows the size of the canvas on the page.
export class Plot {
  constructor(canvas, { margins = [44, 14, 6, 22], log = false } = {}) {
    Object.assign(this, { canvas, margins, log, x: [0, 1], y: [0, 1] })
    this.context = canvas.getContext("2d")
  }

  begin() {
    const { canvas, context } = this
    const ratio = window.devicePixelRatio || 1
    const [width, height] = [canvas.clientWidth, canvas.clientHeight]
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio)
      canvas.height = Math.round(height * ratio)
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    context.clearRect(0, 0, width, height)
    const [left, right, top, bottom] = this.margins
    this.box = [left, top, Math.max(1, width - left - right), Math.max(1, height - top - bottom)]
  }

  right(x) {
    const [left, , width] = this.box
    return left + ((x - this.x[0]) / (this.x[1] - this.x[0])) * width
  }

  down(y) {
    const [, top, , height] = this.box
    const [low, high] = this.log ? this.y.map(Math.log10) : this.y
    return top + (1 - ((this.log ? Math.log10(Math.max(y, 1e-300)) : y) - low) / (high - low)) * height
  }

  at(event) {
    const place = this.canvas.getBoundingClientRect()
    const [left, top, width, height] = this.box
    const across = (event.clientX - place.left - left) / width
    const up = 1 - (event.clientY - place.top - top) / height
    return [this.x[0] + across * (this.x[1] - this.x[0]), this.y[0] + up * (this.y[1] - this.y[0])]
  }

  axes({ ticks = true, label = "" } = {}) {
    const { context: c } = this
    const [left, top, width, height] = this.box
    c.lineWidth = 1
    c.font = "11px system-ui, sans-serif"
    c.fillStyle = themed("--quiet")
    c.strokeStyle = themed("--grid")
    if (ticks) {
      c.textAlign = "center"
      c.textBaseline = "top"
      for (const x of round(this.x, width / 70)) {
        const at = this.right(x)
        segment(c, at, top, at, top + height)
        c.fillText(text(x), at, top + height + 5)
      }
      c.textAlign = "right"
      c.textBaseline = "middle"
      for (const y of this.log ? powers(this.y) : round(this.y, height / 28)) {
        const at = this.down(y)
        segment(c, left, at, left + width, at)
        c.fillText(text(y), left - 5, at)
      }
    }
    c.strokeStyle = themed("--rule")
    c.strokeRect(left, top, width, height)
    if (label) {
      c.textAlign = "left"
      c.textBaseline = "top"
      c.fillText(label, left + 6, top + 5)
    }
  }

  clipped(draw) {
    const { context: c } = this
    c.save()
    c.beginPath()
    c.rect(...this.box)
    c.clip()
    draw(c)
    c.restore()
  }

  // A line through points, from index `from` to the fractional index `to`. Jumps by a period and missing values are gaps.
  line(xs, ys, { color, width = 1.5, alpha = 1, to = xs.length - 1, from = 0, periods = [0, 0] }) {
    const { context: c } = this
    const last = Math.min(Math.floor(to), xs.length - 1)
    c.globalAlpha = alpha
    c.strokeStyle = themed(color)
    c.lineWidth = width
    c.lineJoin = "round"
    c.beginPath()
    let pen = false
    for (let k = from; k <= last; k++) {
      if (xs[k] === null || ys[k] === null) { pen = false; continue }
      if (k > from && jumps(xs, ys, k, periods)) pen = false
      const [x, y] = [this.right(xs[k]), this.down(ys[k])]
      if (pen) c.lineTo(x, y)
      else c.moveTo(x, y)
      pen = true
    }
    if (to > last && last + 1 < xs.length && pen && !jumps(xs, ys, last + 1, periods)) {
      c.lineTo(this.right(between(xs, to)), this.down(between(ys, to)))
    }
    c.stroke()
    c.globalAlpha = 1
  }

  dot(x, y, { color, radius = 6, open = false, ring = "--paper" }) {
    const { context: c } = this
    if (x === null || y === null) return
    c.beginPath()
    c.arc(this.right(x), this.down(y), radius, 0, 2 * Math.PI)
    c.fillStyle = open ? themed("--paper") : themed(color)
    c.fill()
    c.lineWidth = open ? 2 : 1.5
    c.strokeStyle = open ? themed(color) : themed(ring)
    c.stroke()
  }
}

const jumps = (xs, ys, k, [across, up]) =>
  (across && Math.abs(xs[k] - xs[k - 1]) > across / 2) || (up && Math.abs(ys[k] - ys[k - 1]) > up / 2)

// The value at a fractional index.
export function between(values, index) {
  const k = Math.min(Math.floor(index), values.length - 1)
  if (k + 1 >= values.length || values[k] === null || values[k + 1] === null) return values[k]
  return values[k] + (index - k) * (values[k + 1] - values[k])
}

export function segment(c, x, y, u, v) {
  c.beginPath()
  c.moveTo(x, y)
  c.lineTo(u, v)
  c.stroke()
}

// Round numbers within limits, about so many.
function round([low, high], many) {
  const raw = (high - low) / Math.max(1, many)
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 5, 10].find((factor) => factor * power >= raw) * power
  const found = []
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(k * step)
  return found
}

function powers([low, high]) {
  const [first, last] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))]
  const every = Math.max(1, Math.ceil((last - first) / 4))
  const found = []
  for (let k = first; k <= last; k += every) found.push(10 ** k)
  return found
}

export function text(value) {
  if (value === 0) return "0"
  const size = Math.abs(value)
  if (size < 1e-3 || size >= 1e5) return Number(value.toPrecision(2)).toExponential().replace("e+", "e").replaceAll("-", "\u2212")
  return String(Number(value.toPrecision(3))).replace("-", "\u2212")
}

// A turned view of three coordinates, each in units of half its range.
export class View {
  constructor(extent) {
    this.extent = extent
    this.yaw = 0.7
    this.pitch = 0.35
  }

  project(xs, ys, zs) {
    const [x, y, z] = this.extent.map(([low, high]) => [(low + high) / 2, (high - low) / 2])
    const [c, s, d, e] = [Math.cos(this.yaw), Math.sin(this.yaw), Math.cos(this.pitch), Math.sin(this.pitch)]
    const across = [], up = []
    for (let k = 0; k < xs.length; k++) {
      if (xs[k] === null) { across.push(null); up.push(null); continue }
      const [a, b, h] = [(xs[k] - x[0]) / x[1], (ys[k] - y[0]) / y[1], (zs[k] - z[0]) / z[1]]
      across.push(c * a + s * b)
      up.push(d * h - e * (c * b - s * a))
    }
    return [across, up]
  }

  // The change of the three coordinates that moves a point in the plane of the picture.
  lift(across, up) {
    const [c, s, d, e] = [Math.cos(this.yaw), Math.sin(this.yaw), Math.cos(this.pitch), Math.sin(this.pitch)]
    const turned = [c * across + s * e * up, s * across - c * e * up, d * up]
    return turned.map((value, i) => (value * (this.extent[i][1] - this.extent[i][0])) / 2)
  }

  turn(right, down) {
    this.yaw += right / 120
    this.pitch = Math.max(-1.5, Math.min(1.5, this.pitch + down / 120))
  }
}

// The three axes of a turned view.
export function frame(plot, view, names) {
  const { context: c } = plot
  const [x, y, z] = view.extent
  const corner = [x[0], y[0], z[0]]
  c.font = "13px system-ui, sans-serif"
  c.fillStyle = themed("--quiet")
  names.forEach((name, i) => {
    const end = corner.slice()
    end[i] = view.extent[i][1]
    const [across, up] = view.project(...[0, 1, 2].map((k) => [corner[k], end[k]]))
    plot.line(across, up, { color: "--rule", width: 1 })
    c.textAlign = "center"
    c.textBaseline = "middle"
    c.fillText(name, plot.right(across[1]), plot.down(up[1]) - 8)
  })
}
