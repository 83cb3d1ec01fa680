"""Dragging in the browser: the point that is nearest follows the pointer at once, and tells the server now and then."""

from __future__ import annotations

from typing import Any

from bokeh.models import ColumnDataSource, CustomJS

EVERY = 60  # ms between two states that are sent: more often than they are answered helps nobody

CODE = """
const pressed = {x: cb_obj.x, y: cb_obj.y}
const data = points.data
const span = Math.max(1e-12, plane.x_range.end - plane.x_range.start)
const rise = Math.max(1e-12, plane.y_range.end - plane.y_range.start)
const state = (plane._drag ??= {picked: null, sent: 0, timer: null})
if (state.picked === null || cb_obj.event_name === "panstart" || cb_obj.event_name === "tap") {
    const away = Array.from(data.x, (x, i) => Math.hypot((x - pressed.x) / span, (data.y[i] - pressed.y) / rise))
    state.picked = away.indexOf(Math.min(...away))
}
const x = Array.from(data.x), y = Array.from(data.y)
const moved = state.picked === 0 ? [...x.keys()] : [state.picked]  // the arrow goes with its foot
const right = pressed.x - x[state.picked], up = pressed.y - y[state.picked]
for (const i of moved) { x[i] += right; y[i] += up }
const send = () => {
    state.timer = null
    state.sent = Date.now()
    points.setv({data: {...points.data}}, {check_eq: false})
}
points.data.x = x
points.data.y = y
points.change.emit()
clearTimeout(state.timer)
const last = cb_obj.event_name === "panend" || cb_obj.event_name === "tap"
const due = state.sent + every - Date.now()
if (last || due <= 0) send()
else state.timer = setTimeout(send, due)
if (last) state.picked = null
"""


def drag(points: ColumnDataSource, plane: Any) -> None:
    """Have the points, in the columns x and y, follow a drag anywhere in the plane, or a tap.

    The nearest one is moved, and with the first all others. The server hears of it by a change of the source's data.
    """
    callback = CustomJS(args={"points": points, "plane": plane, "every": EVERY}, code=CODE)
    for event in ("panstart", "pan", "panend", "tap"):
        plane.js_on_event(event, callback)
