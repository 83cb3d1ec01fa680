// What the modules of the page share: its state, its plots, and what it says.

import { Plot } from "./draw.js"

export const $ = (id) => document.getElementById(id)
export const LINES = ["nn", "hamiltonian", "one", "other", "second"]
export const SPEEDS = [0.2, 0.5, 1, 2, 5, 10, 20]  // units of time per second

export const plane = new Plot($("plane"))
export const space = new Plot($("space"), { margins: [4, 4, 4, 4] })
export const first = new Plot($("first"), { margins: [54, 14, 6, 22] })
export const second = new Plot($("second"), { margins: [54, 14, 6, 22] })
export const loss = new Plot($("loss"), { margins: [48, 14, 6, 22], log: true })
export const curves = new Plot($("curves"), { margins: [34, 14, 6, 22] })

export const page = {
  menus: null, stage: null, view: null, z0: null, points: null, picked: 0, reply: null, tau: 0, playing: true, speed: 1,
  cuts: new Map(), filled: 0, dragging: false, trained: new Map(),
}

export const row = (name) => document.querySelector(`[data-line="${name}"]`)
export const say = (sentence) => { $("said").textContent = sentence }
