// Moving the start by the pointer, a finger or the arrow keys, and turning a view of three dimensions.

import { handles } from "./pictures.js"
import { ask, busy } from "./requests.js"
import { change } from "./sections.js"
import { page, plane } from "./state.js"

const NEAR = 36  // pixels around a point in which a finger picks it

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

export function dragging() {
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

export function arrows() {
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
}
