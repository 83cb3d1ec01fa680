"""Changes to a file that chance makes: bits, bytes, blocks and lengths; and to settings, with a checksum that is right."""

from __future__ import annotations

import random
from typing import Any

INTERESTING = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)
TOKENS = (
    b"nan",
    b"inf",
    b"-1e999",
    b"1e300",
    b"\n",
    b",",
    b";",
    b'"',
    b"\0",
    b"\xff\xfe",
    b"=cmd|' /C calc'!A0",
    b"%",
    b"1_0",
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 10**30, 0.5, -0.0, 1e308, float("nan"), float("inf")),
    *("", "x", "sine", "linear", "../../etc/passwd", "\x1b[2J", "\0", "a" * 10_000, [], {}, [1, 2, 3], [[]], {"a": 1}),
    *([12000] * 3, [1] * 5000, {"mixture": []}, {"mixture": ["sine"] * 5000}, {"table": {}}),
)


def mutated(content: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    """The content with one to sixteen changes. others: whole files, of which a piece may be spliced in."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
        place = chance.randrange(len(data)) if data else 0
        match chance.randrange(10):
            case 0 | 1 if data:
                data[place] ^= 1 << chance.randrange(8)
            case 2 if data:
                data[place] = chance.randrange(256)
            case 3:
                width = chance.choice((1, 2, 4, 8))
                data[place : place + width] = (chance.choice(INTERESTING) % 256**width).to_bytes(width, "little")
            case 4:
                width = chance.randrange(1, 64)
                data[place : place + width] = chance.choice((b"\0", b"\xff")) * width
            case 5 if data:
                source = chance.randrange(len(data))
                data[place : place + 32] = data[source : source + 32]
            case 6:
                del data[place : place + chance.randrange(1, 200)]
            case 7:
                data[place:place] = chance.choice(TOKENS) * chance.choice((1, 1, 1, 100))
            case 8:
                del data[place:]
            case _:
                other = chance.choice(others)
                start = chance.randrange(len(other))
                data[place : place + 256] = other[start : start + 256]
    return bytes(data)


def forged(settings: Any, chance: random.Random) -> Any:
    """Settings in which one value at any depth is another, missing, or doubled."""
    if isinstance(settings, dict) and settings and chance.random() < 0.85:
        key = chance.choice(sorted(settings, key=str))
        if chance.random() < 0.1:
            return {k: v for k, v in settings.items() if k != key}
        return {**settings, key: forged(settings[key], chance)}
    if isinstance(settings, list | tuple) and settings and chance.random() < 0.7:
        place = chance.randrange(len(settings))
        return [*settings[:place], forged(settings[place], chance), *settings[place + chance.choice((0, 1, 1, 1)) :]]
    return chance.choice(VALUES)
