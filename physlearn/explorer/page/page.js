// The page: its controls, its requests, and the loop that moves the bodies.

import { COLORS, Plot, View, between, frame, segment, text, themed } from "./draw.js"

const $ = (id) => document.getElementById(id)
const LINES = ["nn", "hamiltonian", "one", "other", "second"]
const SPEEDS = [0.2, 0.5, 1, 2, 5, 10, 20]  // units of time per second
const SETTLED = 500  // ms after the last change until sections are computed
const FILLING = 10  // seconds in which a section fills
const NEAR = 36  // pixels around a point in which a finger picks it

const plane = new Plot($("plane"))
const space = new Plot($("space"), { margins: [4, 4, 4, 4] })
const first = new Plot($("first"), { margins: [48, 8, 6, 22] })
const second = new Plot($("second"), { margins: [48, 8, 6, 22] })
const loss = new Plot($("loss"), { margins: [44, 8, 6, 22], log: true })
const curves = new Plot($("curves"), { margins: [30, 8, 6, 22] })

const page = {
  menus: null, stage: null, view: null, z0: null, points: null, picked: 0, reply: null, tau: 0, playing: true, speed: 1,
  cuts: new Map(), filled: 0, dragging: false, trained: new Map(),
}

// --- requests ---

async function post(address, asked, options = {}) {
  const body = asked instanceof Blob ? asked : JSON.stringify(asked)
  const response = await fetch(address, { method: "POST", body, ...options })
  const reply = await response.json()
  if (reply.error) throw new Error(reply.error)
  return reply
}

async function* parts(address, asked, signal) {
  const response = await fetch(address, { method: "POST", body: JSON.stringify(asked), signal })
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ""
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const lines = (rest + value).split("\n")
    rest = lines.pop()
    for (const line of lines) {
      const part = JSON.parse(line)
      if (part.error && part.line === undefined) throw new Error(part.error)
      yield part
    }
  }
}

const say = (sentence) => { $("said").textContent = sentence }

// --- what is asked for ---

const row = (name) => document.querySelector(`[data-line="${name}"]`)
const chosen = (name) => row(name).querySelector("input[type=checkbox]").checked && !row(name).hidden

function spoken(name) {
  const method = row(name).querySelector(".method")?.value || null
  if (name === "second") return { kind: "second", offset: Number(row(name).querySelector(".offset").value) }
  if (name === "one" || name === "other") return { kind: "system", method }
  const model = name === "nn" ? "nn" : row(name).querySelector(".model").value
  const own = page.trained.get(`${page.stage.system} ${model}`)
  return { kind: "model", model, method, neurons: own?.neurons ?? page.menus.usual, learning: own?.learning ?? null }
}

function asked() {
  const shown = LINES.filter(chosen)
  return {
    shown,
    request: {
      system: page.stage.system, z0: page.z0, points: page.dragging ? page.points : null, quick: page.dragging,
      time: Number($("time").value), dt: Number($("dt").value), lines: shown.map(spoken),
    },
  }
}

let busy = false
let waiting = false

// Ask for the orbits. While an answer is computed, only the newest state waits.
async function ask() {
  waiting = true
  if (busy) return
  busy = true
  while (waiting) {
    waiting = false
    const { shown, request } = asked()
    const start = performance.now()
    try {
      const reply = await post("orbits", request)
      if (request.system !== page.stage.system) continue
      take(reply, shown)
      document.documentElement.dataset.answered = (performance.now() - start).toFixed(1)
    } catch (error) {
      say(error.message)
    }
  }
  busy = false
}

function change({ sections = true } = {}) {
  ask()
  if (sections) cutLater()
}

function take(reply, shown) {
  page.reply = { ...reply, shown }
  page.z0 = reply.z0
  if (!page.dragging) page.points = reply.points
  const notes = []
  if (reply.truth.error) notes.push(`The true orbit: ${reply.truth.error}.`)
  if (reply.unseen) notes.push("This start is outside of the training data, so the networks extrapolate.")
  if (reply.known !== undefined && reply.known < reply.truth.time) {
    notes.push(`The motion is chaotic: rounding errors decide the true orbit after t = ${text(reply.known)}.`)
  }
  say(notes.join(" "))
  shown.forEach((name, k) => tell(name, reply.lines[k]))
  if (!page.dragging) fillState()
  $("state").innerHTML = ""
  $("state").textContent = reply.energy === null ? "" : `energy H = ${Number(reply.energy.toPrecision(6))}`
  background.key = null
}

// What is said below a line: how long it is valid, and the error of its energy.
function tell(name, line) {
  const output = row(name).querySelector("output")
  output.classList.toggle("error", Boolean(line?.error))
  if (!line || line.error) { output.textContent = line?.error ?? ""; return }
  const valid = line.valid >= line.time * 0.999 ? `valid throughout (${text(line.time)})` : `valid for ${line.valid.toFixed(1)}`
  const errors = (line.deviation ?? []).filter((value) => value !== null).map(Math.abs)
  const energy = line.deviation ? `, energy error up to ${percent(Math.max(...errors) / page.stage.spread)}` : ""
  output.textContent = name === "second" ? `close to the truth for ${line.valid.toFixed(1)}` : valid + energy
  output.dataset.valid = line.valid
}

const percent = (share) => (share < 1e-5 ? "0.001 % or less" : `${Number((100 * share).toPrecision(2))} %`)

// --- the system ---

async function choose(name) {
  say(`Preparing ${name} \u2026`)
  let stage
  try {
    stage = await post("stage", { system: name })
  } catch (error) {
    say(error.message)
    return
  }
  Object.assign(page, { stage, z0: stage.z0, points: null, picked: 0, reply: null, tau: 0, cuts: new Map(), dragging: false })
  page.view = stage.extent.length === 3 ? new View(stage.extent) : null
  if (page.view) [plane.x, plane.y] = [[-1.6, 1.6], [-1.6, 1.6]]
  else [plane.x, plane.y] = stage.extent
  plane.margins = page.view ? [4, 4, 4, 4] : [38, 8, 6, 22]
  $("equation").innerHTML = stage.equation
  document.querySelector("#plane-figure .up").innerHTML = page.view ? "" : stage.symbols[stage.axes[1]]
  document.querySelector("#plane-figure .across").innerHTML = page.view ? "" : stage.symbols[stage.axes[0]]
  $("first-symbol").innerHTML = stage.symbols[0]
  $("space-figure").hidden = !stage.space
  if (stage.space) [space.x, space.y] = stage.space.extent
  $("time").value = stage.time
  $("dt").value = stage.dt
  $("below").value = stage.conserved ? "deviation" : "distance"
  $("below").options[0].disabled = !stage.conserved
  $("sections").hidden = !stage.section
  if (stage.section) $("surface").innerHTML = stage.section.surface
  row("nn").hidden = !stage.models.includes("nn")
  const hamiltonian = stage.models.filter((model) => model !== "nn")
  row("hamiltonian").hidden = !hamiltonian.length
  row("hamiltonian").querySelector("input").checked = hamiltonian.includes("hnn")
  options(row("hamiltonian").querySelector(".model"), hamiltonian, hamiltonian.includes("hnn") ? "hnn" : undefined)
  options($("model"), stage.models, hamiltonian.includes("hnn") ? "hnn" : undefined)
  $("train").disabled = !stage.models.length
  fields()
  const natural = SPEEDS.reduce((a, b) => (Math.abs(Math.log(b * 15 / stage.time)) < Math.abs(Math.log(a * 15 / stage.time)) ? b : a))
  setSpeed(natural)
  change()
}

function options(select, names, value, label = (name) => name) {
  select.replaceChildren(...names.map((name) => new Option(label(name), name)))
  if (value !== undefined) select.value = value
}

// The numbers of the initial state, of which only the first sixteen are shown.
function fields() {
  $("z0").replaceChildren(...page.stage.symbols.slice(0, 16).map((symbol, i) => {
    const label = document.createElement("label")
    label.innerHTML = symbol
    const input = document.createElement("input")
    Object.assign(input, { type: "number", step: "any" })
    input.addEventListener("change", () => {
      if (!Number.isFinite(input.valueAsNumber)) return
      page.z0 = page.z0.map((value, k) => (k === i ? input.valueAsNumber : value))
      change()
    })
    label.append(" ", input)
    return label
  }))
  fillState()
}

function fillState() {
  $("z0").querySelectorAll("input").forEach((input, i) => {
    if (input !== document.activeElement) input.value = Number(page.z0[i].toPrecision(5))
  })
}

// --- sections ---

let later = null
let cutting = null

function cutLater() {
  clearTimeout(later)
  cutting?.abort()
  if (page.stage.section) later = setTimeout(cut, SETTLED)
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

function drawSections(seconds) {
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

// --- drawing ---

const background = { canvas: document.createElement("canvas"), key: null }
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

function drawPlane() {
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

function handles() {
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

function drawSpace() {
  const { stage } = page
  if (!stage.space) return
  space.begin()
  space.axes({ ticks: false })
  const { context: c } = space
  const curve = stage.space.curve
  if (curve.length) space.line(curve.map(([x]) => x), curve.map(([, y]) => y), { color: "--quiet", width: 2 })
  space.clipped(() => {
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

function drawSeries() {
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

let before = performance.now()

function step(time) {
  const seconds = Math.min(0.1, (time - before) / 1000)
  before = time
  if (page.stage) {
    const total = page.reply?.truth.time ?? page.stage.time
    if (page.playing && page.reply) {
      page.tau += seconds * page.speed
      if (page.tau > total * 1.05) page.tau = 0  // after a short rest at the end
    }
    const tau = page.tau
    page.tau = Math.min(tau, total)
    if (document.activeElement !== $("now") || page.playing) $("now").value = page.tau / total
    $("clock").textContent = `t = ${page.tau.toFixed(total < 30 ? 1 : 0)}`
    drawPlane()
    drawSpace()
    drawSeries()
    drawSections(seconds)
    page.tau = tau
    page.frames = (page.frames ?? 0) + 1
  }
  requestAnimationFrame(step)
}

// --- the user ---

function play(on) {
  page.playing = on
  $("play").textContent = on ? "Pause" : "Play"
  $("play").setAttribute("aria-pressed", on)
  if (on && page.reply && page.tau >= page.reply.truth.time) page.tau = 0
}

function setSpeed(value) {
  page.speed = value
  $("speed").value = value
}

function moveBy(across, up) {
  const moved = page.stage.arrow && page.picked === 0 ? page.points.map((_, k) => k) : [page.picked]
  const shift = page.view ? page.view.lift(across, up) : [across, up]
  page.points = page.points.map((point, k) => (moved.includes(k) ? point.map((value, i) => value + shift[i]) : point))
}

function nearest(event) {
  const place = plane.canvas.getBoundingClientRect()
  const away = handles().map(([x, y]) => Math.hypot(plane.right(x) + place.left - event.clientX, plane.down(y) + place.top - event.clientY))
  const least = Math.min(...away)
  return [away.indexOf(least), least]
}

function dragging() {
  const canvas = plane.canvas
  let last = null
  let turning = false
  canvas.addEventListener("touchstart", (event) => {  // a finger far from all points scrolls the page
    if (page.points && nearest(event.touches[0])[1] < NEAR) event.preventDefault()
  }, { passive: false })
  canvas.addEventListener("pointerdown", (event) => {
    if (!page.points) return
    const [picked, away] = nearest(event)
    turning = Boolean(page.view) && away > NEAR
    if (event.pointerType === "touch" && away > NEAR && !turning) return
    canvas.focus({ preventScroll: true })
    canvas.setPointerCapture(event.pointerId)
    page.picked = picked
    last = event
    if (turning) return
    page.dragging = true
    if (!page.view) {
      const [x, y] = plane.at(event)
      moveBy(x - page.points[picked][0], y - page.points[picked][1])
    }
    change({ sections: false })
  })
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return
    const [right, down] = [event.clientX - last.clientX, event.clientY - last.clientY]
    last = event
    if (turning) { page.view.turn(right, down); return }
    const [x, y] = plane.at(event)
    const [across, up] = page.view
      ? [(right / plane.box[2]) * (plane.x[1] - plane.x[0]), (-down / plane.box[3]) * (plane.y[1] - plane.y[0])]
      : [x - page.points[page.picked][0], y - page.points[page.picked][1]]
    moveBy(across, up)
    change({ sections: false })
  })
  const end = () => {
    if (!last) return
    last = null
    if (turning) return
    settle()
  }
  canvas.addEventListener("pointerup", end)
  canvas.addEventListener("pointercancel", end)
}

// The end of a drag: the state of the points as they are now, and then sections.
async function settle() {
  await ask()
  while (busy) await new Promise((resolve) => setTimeout(resolve, 5))
  page.dragging = false
  change()
}

function keyboard() {
  plane.canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key]
    if (event.key === "Enter" && page.points) page.picked = (page.picked + 1) % page.points.length
    if (!way || !page.points) return
    event.preventDefault()
    const size = (event.shiftKey ? 0.1 : 0.01) * (plane.x[1] - plane.x[0])
    page.dragging = true
    moveBy(way[0] * size, (way[1] * size * (plane.y[1] - plane.y[0])) / (plane.x[1] - plane.x[0]))
    settle()
  })
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, button, textarea") || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === " ") { event.preventDefault(); play(!page.playing) }
    const turn = { "+": 1, "=": 1, "-": -1 }[event.key]
    if (turn) setSpeed(SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, SPEEDS.indexOf(page.speed) + turn))])
  })
}

// --- training ---

let training = null

async function train() {
  if (training) { training.abort(); return }
  training = new AbortController()
  $("train").textContent = "Stop"
  const system = page.stage.system
  const [model, neurons] = [$("model").value, $("neurons").value]
  const learning = [{ orbits: Number($("orbits").value), epochs: Number($("epochs").value), noise: Number($("noise").value) / 100 }]
  const losses = []
  $("trained").textContent = `Simulating ${learning[0].orbits} orbits of ${system} \u2026`
  try {
    for await (const part of parts("train", { system, model, neurons, learning }, training.signal)) {
      if (part.done) {
        page.trained.set(`${system} ${model}`, { neurons, learning })
        const last = losses.at(-1)
        $("trained").textContent = `${model} is trained${last?.validation ? `: validation loss ${last.validation.toExponential(1)}` : ""}.`
        show(model)
      } else {
        losses.push(part)
        $("trained").textContent = `Epoch ${part.epoch + 1}: validation loss ${(part.validation ?? part.training).toExponential(1)}`
        drawLosses(losses)
      }
    }
  } catch (error) {
    $("trained").textContent = error.name === "AbortError" ? "The training was stopped." : error.message
  }
  training = null
  $("train").textContent = "Train"
}

function show(model) {
  const name = model === "nn" ? "nn" : "hamiltonian"
  if (name === "hamiltonian") row(name).querySelector(".model").value = model
  row(name).querySelector("input[type=checkbox]").checked = true
  change()
}

function drawLosses(losses) {
  $("loss").hidden = false
  const values = losses.flatMap((part) => [part.training, part.validation]).filter((value) => value > 0)
  loss.x = [0, Math.max(10, losses.length)]
  loss.y = [10 ** Math.floor(Math.log10(Math.min(...values))), 10 ** Math.ceil(Math.log10(Math.max(...values)) + 1e-9)]
  loss.begin()
  loss.axes({ label: "loss (validation: thick) over epochs" })
  const epochs = losses.map((_, k) => k)
  for (const [what, width] of [["training", 1], ["validation", 2.2]]) {
    const drawn = losses.map((part) => part[what] ?? null)
    if (drawn.some((value) => value !== null)) loss.line(epochs, drawn, { color: "--accent", width })
  }
}

async function drawCurves() {
  const reply = await post("curves", { neurons: $("neurons").value })
  const all = Object.values(reply.curves)
  const values = all.flat()
  const [low, high] = [Math.min(...values), Math.max(...values)]
  curves.x = [reply.a[0], reply.a.at(-1)]
  curves.y = [low - 0.1 * (high - low), high + 0.1 * (high - low)]
  curves.begin()
  curves.axes({ label: "activation" })
  all.forEach((curve, k) => curves.line(reply.a, curve, { color: ["--accent", COLORS.hamiltonian, COLORS.one][k % 3], width: 2 }))
}

async function takeFile(file) {
  try {
    const { name } = await post(`file?name=${encodeURIComponent(file.name)}`, file)
    if (![...$("neurons").options].some((option) => option.value === name)) $("neurons").append(new Option(name, name))
    $("neurons").value = name
    $("trained").textContent = `Train a network with ${name} to see what it does.`
    await drawCurves()
  } catch (error) {
    $("trained").textContent = error.message
  }
}

// --- the beginning ---

async function begin() {
  const menus = (page.menus = await post("menus", {}))
  options($("system"), menus.systems, menus.first)
  options($("neurons"), menus.neurons, menus.usual)
  options($("speed"), SPEEDS.map(String), "1", (value) => `${value} per s`)
  for (const name of LINES) {
    row(name).style.setProperty("--own", COLORS[name])
    const method = row(name).querySelector(".method")
    if (method) {
      const methods = name === "nn" || name === "hamiltonian" ? ["", ...menus.methods] : menus.methods
      options(method, methods, { one: "euler", other: "leapfrog" }[name] ?? "", (value) => value || "usual")
    }
    row(name).addEventListener("change", () => change())
  }
  $("orbits").value = menus.learning.orbits
  $("epochs").value = menus.learning.epochs
  $("noise").value = 100 * menus.learning.noise
  $("system").addEventListener("change", () => choose($("system").value))
  for (const name of ["time", "dt"]) $(name).addEventListener("change", () => { page.tau = 0; change() })
  $("neurons").addEventListener("change", drawCurves)
  $("file").addEventListener("change", () => $("file").files.length && takeFile($("file").files[0]))
  $("train").addEventListener("click", train)
  $("play").addEventListener("click", () => play(!page.playing))
  $("speed").addEventListener("change", () => setSpeed(Number($("speed").value)))
  $("now").addEventListener("input", () => {
    play(false)
    page.tau = Number($("now").value) * (page.reply?.truth.time ?? 0)
  })
  window.addEventListener("resize", () => { background.key = null; page.cuts.forEach(({ plot }) => { plot.drawn = -1 }); drawCurves() })
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => window.dispatchEvent(new Event("resize")))
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) play(false)
  dragging()
  keyboard()
  requestAnimationFrame(step)
  await choose(menus.first)
  await drawCurves()
}

window.explorer = page  // for tests
begin().catch((error) => say(error.message))
