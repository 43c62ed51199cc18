"""Draws the face of a clip: eight small RGB frames, by integer arithmetic alone.

Coordinates are in 1/16 pixel, relative to the middle of the head. A shape is a *depth*: how far
inside it each pixel lies; a pixel is covered in proportion over one pixel around depth 0, which
keeps edges smooth. Feelings never look here: what moves is in :mod:`.expressions`; everything
drawn in :class:`_Person` and :class:`_Scene` is a nuisance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .draws import Draws
from .expressions import N_FRAMES, motion
from .world import Latent, stream

SIZE = 64
UNIT = 16
OPAQUE = 128

Ints = NDArray[np.int32]
Colour = tuple[int, int, int]
Motion = dict[str, Ints]
Window = tuple[slice, slice]

_SKINS: Sequence[Colour] = (
    *((244, 212, 186), (232, 190, 158), (214, 166, 128)),
    *((186, 134, 98), (150, 102, 72), (112, 76, 56)),
)
_HAIRS: Sequence[Colour] = (
    *((38, 30, 28), (78, 52, 36), (128, 84, 48), (196, 156, 92), (150, 62, 36), (168, 166, 164)),
)
_CLOTHES: Sequence[Colour] = (
    *((64, 88, 132), (136, 60, 64), (70, 112, 84), (96, 84, 120), (190, 170, 120), (60, 62, 70)),
)
_WALLS: Sequence[Colour] = (
    *((196, 206, 214), (168, 186, 170), (206, 190, 166), (150, 158, 182), (190, 164, 170)),
    *((112, 124, 132), (226, 222, 210), (128, 112, 104)),
)
_IRISES: Sequence[Colour] = ((70, 46, 30), (52, 84, 116), (66, 96, 62), (40, 32, 28))


@dataclass(frozen=True)
class _Person:
    """Who is seen: shape and colours of one face."""

    half_width: int
    half_height: int
    eye_apart: int
    eye_width: int
    eye_height: int
    brow_thick: int
    mouth_width: int
    nose: int
    skin: Colour
    hair: Colour
    iris: Colour
    clothes: Colour
    long_hair: bool
    fringe: int
    glasses: bool


@dataclass(frozen=True)
class _Scene:
    """Where and how it is seen: place in the picture, wall, light, noise."""

    x: int
    y: int
    wall: Colour
    wall_to: Colour
    stripes: int
    light_x: int
    light_y: int
    gain: int
    warmth: int
    noise: int


def draw_frames(latent: Latent, seed: int, split: str, index: int) -> NDArray[np.uint8]:
    """The frames of a clip, shape (8, 64, 64, 3)."""
    draws = stream(seed, split, index, "face")
    person, scene = _person(draws), _scene(draws)
    move = motion(latent, draws)
    canvas = _Canvas(scene, move)
    _body(canvas, person)
    skin = _tinted(person.skin, move["flush"])
    _head(canvas, person, skin)
    _cheeks(canvas, person, move)
    _eyes(canvas, person, move, skin)
    _brows(canvas, person, move)
    _nose(canvas, person, move)
    _mouth(canvas, person, move)
    return _developed(canvas.image, scene, draws)


def _person(draws: Draws) -> _Person:
    return _Person(
        half_width=draws.between(290, 340),
        half_height=draws.between(370, 410),
        eye_apart=draws.between(128, 152),
        eye_width=draws.between(74, 90),
        eye_height=draws.between(38, 48),
        brow_thick=draws.between(13, 22),
        mouth_width=draws.between(116, 146),
        nose=draws.between(70, 96),
        skin=draws.pick(_SKINS),
        hair=draws.pick(_HAIRS),
        iris=draws.pick(_IRISES),
        clothes=draws.pick(_CLOTHES),
        long_hair=draws.chance(45),
        fringe=draws.between(-300, -230),
        glasses=draws.chance(15),
    )


def _scene(draws: Draws) -> _Scene:
    return _Scene(
        x=512 + draws.spread(30),
        y=536 + draws.spread(24),
        wall=draws.pick(_WALLS),
        wall_to=draws.pick(_WALLS),
        stripes=draws.pick((0, 0, 3, 4)),
        light_x=draws.spread(44),
        light_y=draws.spread(30),
        gain=draws.between(205, 285),
        warmth=draws.spread(16),
        noise=draws.between(4, 12),
    )


class _Canvas:
    """The picture in planes (3, 8, 64, 64), and the coordinates of the head in every frame."""

    def __init__(self, scene: _Scene, move: Motion) -> None:
        at = np.arange(SIZE, dtype=np.int32) * UNIT + UNIT // 2
        self.image: NDArray[np.int16] = np.empty((3, N_FRAMES, SIZE, SIZE), np.int16)
        self._paper(scene)
        turn, nod = _column(move["turn"]), _column(move["nod"])
        dx = at[None, None, :] - scene.x - turn // 3
        dy = at[None, :, None] - scene.y - nod // 3
        roll = _column(move["roll"])
        # Rolls about the chin, and the face moves farther over the head than the head itself.
        low = dy - 400
        self.u = dx + (roll * low >> 8)
        self.v = dy - (roll * dx >> 8)
        self.face_x = turn * 2 // 3
        self.face_y = nod * 2 // 3
        self.scene = scene

    def _paper(self, scene: _Scene) -> None:
        down = np.arange(SIZE, dtype=np.int32)[:, None]
        across = np.arange(SIZE, dtype=np.int32)[None, :]
        for plane, (a, b) in enumerate(zip(scene.wall, scene.wall_to, strict=True)):
            shade = a + ((b - a) * down >> 7)
            if scene.stripes:
                shade = shade - 14 * ((across >> scene.stripes) & 1)
            self.image[plane] = shade

    def part(self, x: int, y: int, half_x: int, half_y: int) -> tuple[Window, Ints, Ints]:
        """A window around a point of the face, and coordinates relative to the point, which at
        rest is ``(x, y)`` from the middle of the head."""
        reach = 3 * UNIT
        cols = _span(self.scene.x + x, half_x + reach + 3 * UNIT)
        rows = _span(self.scene.y + y, half_y + reach + 4 * UNIT)
        u = self.u[:, rows, cols] - self.face_x - x
        v = self.v[:, rows, cols] - self.face_y - y
        return (rows, cols), u, v

    def paint(
        self,
        depth: Ints,
        colour: Sequence[int | Ints],
        window: Window = (slice(None), slice(None)),
        percent: int | Ints = 100,
    ) -> None:
        """Cover what lies inside with a colour, ``percent`` of it."""
        cover = np.clip(depth * 8 + 64, 0, OPAQUE)
        if not isinstance(percent, int) or percent != 100:
            cover = cover * np.minimum(percent, 100) // 100
        # A difference of colours times OPAQUE just fits into 16 bits, which are fast.
        thin = cover.astype(np.int16)
        rows, cols = window
        for plane, value in enumerate(colour):
            part = self.image[plane, :, rows, cols]
            part += (np.asarray(value, np.int16) - part) * thin >> 7


def _span(middle: int, half: int) -> slice:
    return slice(max((middle - half) // UNIT, 0), min((middle + half) // UNIT + 1, SIZE))


def _column(values: Ints) -> Ints:
    return values[:, None, None]


def _ellipse(u: Ints, v: Ints, a: int | Ints, b: int | Ints) -> Ints:
    """Depth inside an ellipse with half axes ``a`` and ``b``, near enough at its edge."""
    nu = u * (65536 // a) >> 8
    nv = v * (65536 // b) >> 8
    # Shifted in two steps: far outside a small shape the product would leave 32 bits.
    return (65536 - nu * nu - nv * nv >> 5) * np.minimum(a, b) >> 12


def _darker(colour: Sequence[int | Ints], part: int) -> tuple[int | Ints, ...]:
    return tuple(value * part >> 8 for value in colour)


def _tinted(skin: Colour, flush: Ints) -> tuple[Ints, ...]:
    """Skin with blood in it (positive) or drained of it (negative), frame by frame."""
    red, green, blue = skin
    pale = np.maximum(-flush, 0)
    blood = np.maximum(flush, 0)
    planes = (
        red + (blood >> 1) + (pale >> 2),
        green - (blood * 3 >> 2) + (pale >> 1),
        blue - (blood * 3 >> 2) + (pale * 3 >> 2),
    )
    return tuple(_column(np.clip(plane, 0, 255)) for plane in planes)


def _body(canvas: _Canvas, person: _Person) -> None:
    u, v = canvas.u, canvas.v
    if person.long_hair:
        depth = _ellipse(u, v - 60, person.half_width + 78, person.half_height + 92)
        canvas.paint(depth, _darker(person.hair, 220))
    window, u, v = canvas.part(0, 460, 600, 160)
    canvas.paint(_ellipse(u, v - 120, 420, 190), person.clothes, window)
    neck = np.minimum(120 - np.abs(u), 60 - v)
    canvas.paint(neck, _darker(person.skin, 205), window)


def _head(canvas: _Canvas, person: _Person, skin: Sequence[Ints]) -> None:
    u, v = canvas.u, canvas.v
    if not person.long_hair:
        for side in (-1, 1):
            depth = _ellipse(u - side * person.half_width, v - 10, 40, 74)
            canvas.paint(depth, _darker(skin, 225))
    head = _ellipse(u, v, person.half_width, person.half_height)
    canvas.paint(head, skin)
    crown = _ellipse(u, v + 50, person.half_width + 26, person.half_height + 20)
    fringe = person.fringe + canvas.face_y // 2 + (u * u >> 10) - v
    canvas.paint(np.minimum(crown, fringe), person.hair)


def _cheeks(canvas: _Canvas, person: _Person, move: Motion) -> None:
    raised = _column(np.maximum(move["cheek"], 0))
    if not raised.any():
        return
    red, green, blue = person.skin
    blush = (min(red + 24, 255), green * 200 >> 8, blue * 200 >> 8)
    for side in (-1, 1):
        window, u, v = canvas.part(side * 176, 92, 80, 60)
        canvas.paint(_ellipse(u, v + raised // 8, 76, 52), blush, window, raised)


def _eyes(canvas: _Canvas, person: _Person, move: Motion, skin: Sequence[Ints]) -> None:
    a = person.eye_width
    up = _column(person.eye_height * move["open"] // 100)
    low = _column(person.eye_height * (100 - move["squint"]) // 140) * np.minimum(up, 40) // 40
    for side in (-1, 1):
        window, u, v = canvas.part(side * person.eye_apart, -60, a, 110)
        n = np.clip(u * (65536 // a) >> 8, -256, 256)
        bulge = 256 - (n * n >> 8)
        upper, lower = -(up * bulge >> 8), low * bulge >> 8
        ends = a - np.abs(u)
        eye = np.minimum(np.minimum(v - upper, lower - v), ends)
        shade = np.minimum(ends + 10, v - upper + 44) - np.maximum(v - lower, 0) * 4
        canvas.paint(shade, _darker(skin, 226), window, 58)
        canvas.paint(eye, (248, 246, 242), window)
        x, y = u - _column(move["gaze_x"]), v - _column(move["gaze_y"] - 6)
        iris = np.minimum(_ellipse(x, y, 40, 40), eye)
        canvas.paint(iris, person.iris, window)
        canvas.paint(np.minimum(_ellipse(x, y, 19, 19), eye), (14, 12, 14), window)
        lid = np.minimum(15 - np.abs(v - upper + 8), ends + 8)
        canvas.paint(lid, _darker(person.hair, 110), window)
        canvas.paint(np.minimum(7 - np.abs(v - lower - 5), ends - 6), _darker(skin, 150), window)
        if person.glasses:
            ring = 9 - np.abs(_ellipse(u, v, a + 34, 104))
            canvas.paint(ring, (42, 40, 46), window)


def _brows(canvas: _Canvas, person: _Person, move: Motion) -> None:
    colour = _darker(person.hair, 150)
    half = person.eye_width + 12
    for side in (-1, 1):
        window, u, v = canvas.part(side * person.eye_apart, -150, half, 110)
        n = np.clip(u * (65536 // half) >> 8, -300, 300)
        inner = _column(move["inner"]) * (256 - side * n) >> 9
        lift = _column(move["brow"] + side * move["lop"]) + inner
        arch = 16 * (n * n >> 8) >> 8
        line = v + lift - arch
        depth = np.minimum(person.brow_thick - np.abs(line), half - np.abs(u))
        canvas.paint(depth, colour, window)


def _nose(canvas: _Canvas, person: _Person, move: Motion) -> None:
    shade = _darker(person.skin, 170)
    wrinkle = _column(np.maximum(move["wrinkle"], 0))
    window, u, v = canvas.part(0, 60, 90, 150)
    up = wrinkle * 22 // 100
    tip = v - person.nose + up
    canvas.paint(np.minimum(9 - np.abs(tip + (u * u >> 7) - 12), 46 - np.abs(u)), shade, window)
    side = np.minimum(7 - np.abs(u - 26 - (v >> 3)), np.minimum(v + 60, person.nose - 30 - v))
    canvas.paint(side, shade, window, 47)
    if not wrinkle.any():
        return
    crease = _darker(person.skin, 120)
    strength = wrinkle * 90 // 100
    for y in (-116, -84, -52):
        fold = np.minimum(8 - np.abs(v - y + (np.abs(u) >> 2)), 40 - np.abs(u))
        canvas.paint(fold, crease, window, strength)
    for side in (-1, 1):
        window, u, v = canvas.part(side * 112, 120, 50, 60)
        fold = np.minimum(9 - np.abs(u - side * (v >> 1)), 50 - np.abs(v))
        canvas.paint(fold, crease, window, strength)


def _mouth(canvas: _Canvas, person: _Person, move: Motion) -> None:
    half = _column(person.mouth_width * move["width"] // 100)
    corner, skew = _column(move["corner"]), _column(move["skew"])
    gape = _column(np.maximum(move["gape"], 0))
    lips = 20 - _column(move["press"]) * 12 // 100
    window, u, v = canvas.part(0, 196, 200, 150)
    n = np.clip((u * (65536 // half)) >> 8, -256, 256)
    bend = n * n >> 8
    # The corners go up by two thirds of the way, the middle of the lips down by the rest.
    middle = (corner * (256 - 3 * bend) >> 8) // 3 - (skew * n >> 8)
    upper = middle - (gape * (256 - bend) >> 9)
    lower = middle + (gape * (256 - bend) >> 8)
    ends = half - np.abs(u)
    outside = np.minimum(np.minimum(v - upper + lips, lower - v + lips), ends + 8)
    red, green, blue = person.skin
    canvas.paint(outside, ((red * 3 + 150) >> 2, green * 140 >> 8, blue * 140 >> 8), window)
    line = np.minimum(8 - np.abs(v - middle), ends)
    inside = np.minimum(np.minimum(v - upper, lower - v), ends)
    dark = np.maximum(line, np.where(gape > 5, inside, -UNIT))
    canvas.paint(dark, (62, 22, 26), window)
    teeth = np.minimum(inside - 3, upper + 44 - v)
    canvas.paint(teeth, (244, 240, 232), window, _column(np.maximum(move["teeth"], 0)))


def _developed(image: NDArray[np.int16], scene: _Scene, draws: Draws) -> NDArray[np.uint8]:
    """Light, colour of the light and noise of the sensor; to bytes."""
    across = np.arange(SIZE, dtype=np.int32)[None, :] - SIZE // 2
    down = np.arange(SIZE, dtype=np.int32)[:, None] - SIZE // 2
    light = scene.gain + (scene.light_x * across + scene.light_y * down >> 5)
    noise = draws.octets(3 * N_FRAMES * SIZE * SIZE).reshape(3, N_FRAMES, SIZE, SIZE)
    out = np.empty((N_FRAMES, SIZE, SIZE, 3), np.uint8)
    for plane, warm in enumerate((scene.warmth, 0, -scene.warmth)):
        lit = image[plane] * ((light + warm) >> 2).astype(np.int16) >> 6
        # The two halves of a random byte add up to something like a bell.
        grain = noise[plane].astype(np.int16)
        bell = (grain & 15) + (grain >> 4) - 15
        lit += bell * np.int16(scene.noise) >> 3
        out[..., plane] = np.clip(lit, 0, 255)
    return out
