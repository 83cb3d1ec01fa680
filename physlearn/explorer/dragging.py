"""Dragging in the browser: the nearest point follows the pointer at once, and the server is informed at intervals."""

from __future__ import annotations

from typing import Any

from bokeh.models import ColumnDataSource, CustomJS

EVERY = 60  # minimum time between two messages to the server, in ms: it cannot answer more often

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
const moved = state.picked === 0 ? [...x.keys()] : [state.picked]  // the tip of the arrow moves with its base
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
    """Let the points in the columns x and y follow a drag anywhere in the plane, or a tap.

    The nearest point moves. If it is the first one, all others move with it. The server is informed by a change of the
    source's data.
    """
    callback = CustomJS(args={"points": points, "plane": plane, "every": EVERY}, code=CODE)
    for event in ("panstart", "pan", "panend", "tap"):
        plane.js_on_event(event, callback)
