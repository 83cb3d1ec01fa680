// Training a network while its loss is drawn, and the activation.

import { COLORS } from "./draw.js"
import { parts, post } from "./requests.js"
import { change } from "./sections.js"
import { $, curves, loss, page, row } from "./state.js"

let training = null

export async function train() {
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

export async function drawCurves() {
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

export async function takeFile(file) {
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
