// The page: its controls, the choice of a system, and the loop that moves the bodies.

import { COLORS, View, text } from "./draw.js"
import { arrows, dragging } from "./dragging.js"
import { background, drawPlane, drawSeries, drawSpace } from "./pictures.js"
import { ask, post } from "./requests.js"
import { change, drawSections } from "./sections.js"
import { $, LINES, SPEEDS, page, plane, row, say, space } from "./state.js"
import { drawCurves, takeFile, train } from "./training.js"

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
  plane.margins = page.view ? [4, 4, 4, 4] : [44, 14, 6, 22]
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
  const usual = hamiltonian.findLast((model) => stage.ready.includes(model)) ?? hamiltonian.find((model) => model === "hnn")
  for (const [name, model] of [["nn", "nn"], ["hamiltonian", usual]]) {
    const trained = stage.ready.includes(model) || page.trained.has(`${stage.system} ${model}`)
    row(name).querySelector("input").checked = trained
  }
  options(row("hamiltonian").querySelector(".model"), hamiltonian, usual)
  options($("model"), stage.models, usual)
  $("train").disabled = !stage.models.length
  fields()
  const natural = SPEEDS.reduce((a, b) => (Math.abs(Math.log(b * 15 / stage.time)) < Math.abs(Math.log(a * 15 / stage.time)) ? b : a))
  setSpeed(natural)
  await ask({ alone: true })  // the truth needs no models, and is shown at once
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

function keyboard() {
  arrows()
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, button, textarea") || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === " ") { event.preventDefault(); play(!page.playing) }
    const turn = { "+": 1, "=": 1, "-": -1 }[event.key]
    if (turn) setSpeed(SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, SPEEDS.indexOf(page.speed) + turn))])
  })
}

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

page.take = take
window.explorer = page  // for tests
begin().catch((error) => say(error.message))
