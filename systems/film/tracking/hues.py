"""Names of colours, as a user calls the markers of a film."""

from __future__ import annotations

from math import atan2, degrees

HUES = {  # angle of (v - 128, u - 128) [degrees]: red is at 103 to 109, yellow at 171, green at 230, cyan at 287, blue at 353
    "red": (88, 118),
    "orange": (118, 154),
    "yellow": (154, 195),
    "green": (195, 264),
    "cyan": (264, 307),
    "blue": (307, 358),
    "purple": (358, 416),  # violet, magenta and indigo, too
    "pink": (56, 88),
}
PALE = 150  # grey levels: a brighter red is pink, because pure red has 76


def name_of(y: float, u: float, v: float) -> str:
    """Return the name of a colour, which is one of `HUES`.

    Parameters
    ----------
    y, u, v : float
        Brightness and differences of colour [grey levels], with u and v from 0 to 255.

    Returns
    -------
    str
        The name; every colour that is not grey has exactly one.

    Examples
    --------
    >>> name_of(81, 90, 240), name_of(41, 240, 110)
    ('red', 'blue')
    """
    angle = degrees(atan2(v - 128, u - 128))
    name = next(name for name, (low, high) in HUES.items() if (angle - low) % 360 < high - low)
    return "pink" if name == "red" and y > PALE else name
