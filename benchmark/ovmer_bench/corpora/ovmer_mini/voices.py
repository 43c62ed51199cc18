"""Sounds the voice of a clip: two seconds at 16 kHz, by integer arithmetic alone.

A phase accumulator runs through one-period wave tables, harmonics of a glottal source shaped by
the resonances of a vowel; breath, bursts and the noise of the recording are added.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .draws import SINE_SIZE, Draws, sine_table
from .speech import N_SAMPLES, RATE, Speaker, Syllable, draw_speaker, draw_syllables
from .world import Latent, stream

Ints = NDArray[np.int64]

_CYCLE = 1 << 32
_STEP = 80  # samples between control points of tremor and jitter
_RESONANCES = (
    # a, e, i, o, u of a long vocal tract, Hz
    *((730, 1150, 2450), (500, 1800, 2500), (290, 2250, 3000), (480, 850, 2400), (310, 750, 2250)),
)
_BANDWIDTHS = (90, 120, 190)
_TRACTS = (100, 114)
_PITCHES = (80, 104, 136, 176, 228, 296, 384)  # Hz for which tables are made
_EFFORTS = (0, 1)  # soft, hard
_TABLE_PEAK = 1 << 12


def sound(latent: Latent, seed: int, split: str, index: int) -> NDArray[np.int16]:
    """The waveform of a clip, shape (32000,)."""
    draws = stream(seed, split, index, "voice")
    speaker = draw_speaker(draws)
    syllables = draw_syllables(latent, speaker, draws)
    spans = np.array([s.length for s in syllables], np.int64)
    phase = np.cumsum(_pitch(syllables, spans, draws) * (_CYCLE // (16 * RATE)))
    tone = _tone(syllables, spans, speaker, phase)
    tone -= tone * _spread(syllables, spans, "rough") * (phase >> 32 & 1) // 100
    noise = _noise(draws)
    breath = _spread(syllables, spans, "breath")
    voiced = (tone * (120 - breath) + noise * breath * 9) // 100
    voiced = voiced * _loudness(syllables, spans, draws) >> 12
    voiced += _bursts(syllables, noise)
    return _recorded(voiced, speaker, noise)


def _spread(syllables: Sequence[Syllable], spans: Ints, name: str) -> Ints:
    """A parameter of the manner, sample by sample."""
    return np.repeat(np.array([s.manner[name] for s in syllables], np.int64), spans)


def _lines(knots: Sequence[tuple[int, int]]) -> Ints:
    """Straight lines through (sample, value) points in order of time."""
    at = np.array([x for x, _ in knots], np.int64)
    values = np.array([y for _, y in knots], np.int64) << 16
    spans = np.diff(at)
    slopes = np.diff(values) // np.maximum(spans, 1)
    since = np.arange(at[-1], dtype=np.int64) - np.repeat(at[:-1], spans)
    line: Ints = np.repeat(values[:-1], spans) + np.repeat(slopes, spans) * since
    return line >> 16


def _pitch(syllables: Sequence[Syllable], spans: Ints, draws: Draws) -> Ints:
    """Pitch of every sample, 1/16 Hz, with tremor and jitter."""
    knots: list[tuple[int, int]] = []
    start = 0
    for s in syllables:
        knots += [(start, s.pitch), (start + s.sounding, s.pitch_end)]
        start += s.length
    knots.append((start, syllables[-1].pitch_end))
    pitch = _lines(knots)
    wave = _wobble(draws, hertz=7)
    tremor = wave * _spread(syllables, spans, "tremor") * 7 // 10_000
    points = N_SAMPLES // _STEP
    strays = draws.octets(points).astype(np.int64) - 128
    stray = np.repeat(strays, _STEP) * _spread(syllables, spans, "jitter") * 40 // 1000
    return pitch + (pitch * (tremor + stray) >> 10)


def _wobble(draws: Draws, hertz: int) -> Ints:
    """A slow wave, -1024..1024, of about ``hertz``."""
    period = RATE * 100 // (hertz * draws.between(85, 115))
    step = SINE_SIZE * _STEP // period
    points = np.arange(N_SAMPLES // _STEP, dtype=np.int64) * step + draws.below(SINE_SIZE)
    return np.repeat(sine_table()[points % SINE_SIZE].astype(np.int64) >> 4, _STEP)


def _tone(syllables: Sequence[Syllable], spans: Ints, speaker: Speaker, phase: Ints) -> Ints:
    """Voiced sound at full loudness: between soft and hard as the manner says."""
    tract = min(range(len(_TRACTS)), key=lambda i: abs(_TRACTS[i] - speaker.tract))
    rows = [tract * 1000 + s.vowel * 100 + _nearest_pitch(s.pitch // 16) for s in syllables]
    tables, place = _tables()
    at = (phase >> 22) & (SINE_SIZE - 1)
    row = np.repeat(np.array([place[r] for r in rows], np.int64) * SINE_SIZE, spans) + at
    soft, hard = tables[0].take(row), tables[1].take(row)
    bright = _spread(syllables, spans, "bright")
    return soft + (hard - soft) * bright // 100


def _nearest_pitch(hertz: int) -> int:
    return min(range(len(_PITCHES)), key=lambda i: abs(_PITCHES[i] - hertz))


@lru_cache(maxsize=1)
def _tables() -> tuple[tuple[Ints, Ints], dict[int, int]]:
    """One period of every vowel, tract and pitch, soft and hard; and where each begins."""
    places: dict[int, int] = {}
    rows: tuple[list[Ints], list[Ints]] = ([], [])
    for tract, percent in enumerate(_TRACTS):
        for vowel, resonances in enumerate(_RESONANCES):
            for number, pitch in enumerate(_PITCHES):
                places[tract * 1000 + vowel * 100 + number] = len(rows[0])
                for effort in _EFFORTS:
                    rows[effort].append(_period(resonances, percent, pitch, effort))
    return (np.concatenate(rows[0]), np.concatenate(rows[1])), places


def _period(resonances: Sequence[int], tract: int, pitch: int, effort: int) -> Ints:
    """One period of a vowel: harmonics up to 5 kHz, each as strong as source and tract say."""
    sine = sine_table().astype(np.int64)
    at = np.arange(SINE_SIZE, dtype=np.int64)
    total = np.zeros(SINE_SIZE, np.int64)
    for harmonic in range(1, 5000 // pitch + 1):
        strength = 1 << 20
        for resonance, width in zip(resonances, _BANDWIDTHS, strict=True):
            off = harmonic * pitch - resonance * tract // 100
            strength += (3 << 24) * width * width // (width * width + off * off) // 3
        # The source of a soft voice loses 12 dB an octave, that of a hard one 6.
        strength //= harmonic if effort else harmonic * harmonic
        total += sine[(at * harmonic + harmonic * harmonic * 37) % SINE_SIZE] * (strength >> 6)
    return total * _TABLE_PEAK // int(np.abs(total).max())


def _noise(draws: Draws) -> Ints:
    """White noise, -255..255."""
    octets = draws.octets(2 * N_SAMPLES).astype(np.int64)
    return octets[:N_SAMPLES] - octets[N_SAMPLES:]


def _loudness(syllables: Sequence[Syllable], spans: Ints, draws: Draws) -> Ints:
    """Envelope, 0..4096 for a plain voice at full level, with tremor."""
    knots = [(0, 0)]
    start = 0
    for s in syllables:
        level = s.manner["level"] * 34
        rise = min(RATE * s.manner["attack"] // 1000, s.sounding // 2)
        fade = min(max(rise, 400), s.sounding - rise)
        end = start + s.sounding
        knots += [(start, 0), (start + rise, level), (end - fade, level * 3 // 4), (end, 0)]
        start += s.length
    knots.append((start, 0))
    wave = _wobble(draws, hertz=7)
    return _lines(knots) * (1024 + wave * _spread(syllables, spans, "tremor") // 300) >> 10


def _bursts(syllables: Sequence[Syllable], noise: Ints) -> Ints:
    """Consonants: a breath of high-pitched noise where a syllable begins."""
    out = np.zeros(N_SAMPLES, np.int64)
    start = 0
    for s in syllables:
        n = min(480, s.sounding)
        strength = s.burst * s.manner["level"]
        high = np.diff(noise[start : start + n + 1])[:n]
        fade = np.arange(len(high), 0, -1, dtype=np.int64)
        out[start : start + len(high)] = high * fade * strength // (480 * 1800)
        start += s.length
    return out


def _recorded(voiced: Ints, speaker: Speaker, noise: Ints) -> NDArray[np.int16]:
    """Level, hiss and hum of the recording; to 16 bits."""
    hum_step = SINE_SIZE * speaker.hum_pitch * 256 // RATE
    at = np.arange(N_SAMPLES, dtype=np.int64) * hum_step >> 8
    hum = sine_table()[at & (SINE_SIZE - 1)].astype(np.int64) * speaker.hum >> 14
    hiss = noise[::-1] * speaker.hiss >> 5
    mixed = (voiced * speaker.gain * 5 >> 9) + hum + hiss
    sampled: NDArray[np.int16] = np.clip(mixed, -32768, 32767).astype(np.int16)
    return sampled
