// What the page asks the server for.

import { $, LINES, page, row, say } from "./state.js"

async function sent(address, options) {
  try {
    return await fetch(address, { method: "POST", ...options })
  } catch (error) {
    if (error.name === "AbortError") throw error
    throw new Error("No answer: is `physlearn explore` still running?")
  }
}

export async function post(address, asked, options = {}) {
  const body = asked instanceof Blob ? asked : JSON.stringify(asked)
  const response = await sent(address, { body, ...options })
  const reply = await response.json()
  if (reply.error) throw new Error(reply.error)
  return reply
}

export async function* parts(address, asked, signal) {
  const response = await sent(address, { body: JSON.stringify(asked), signal })
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

const chosen = (name) => row(name).querySelector("input[type=checkbox]").checked && !row(name).hidden

export function spoken(name) {
  const method = row(name).querySelector(".method")?.value || null
  if (name === "second") return { kind: "second", offset: Number(row(name).querySelector(".offset").value) }
  if (name === "one" || name === "other") return { kind: "system", method }
  const model = name === "nn" ? "nn" : row(name).querySelector(".model").value
  const own = page.trained.get(`${page.stage.system} ${model}`)
  return { kind: "model", model, method, neurons: own?.neurons ?? page.menus.usual, learning: own?.learning ?? null }
}

export function asked({ alone = false } = {}) {
  const shown = alone ? [] : LINES.filter(chosen)
  return {
    shown,
    request: {
      system: page.stage.system, z0: page.z0, points: page.dragging ? page.points : null, quick: page.dragging,
      time: Number($("time").value), dt: Number($("dt").value), lines: shown.map(spoken),
    },
  }
}

export let busy = false
let waiting = false

// Ask for the orbits. While an answer is computed, only the newest state waits.
export async function ask(how) {
  waiting = true
  if (busy) return
  busy = true
  while (waiting) {
    waiting = false
    const { shown, request } = asked(how)
    how = undefined
    const start = performance.now()
    try {
      const reply = await post("orbits", request)
      if (request.system !== page.stage.system) continue
      page.take(reply, shown)
      document.documentElement.dataset.answered = (performance.now() - start).toFixed(1)
    } catch (error) {
      say(error.message)
    }
  }
  busy = false
}
