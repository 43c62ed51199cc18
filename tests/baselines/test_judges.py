"""Judges and Bradley-Terry: a real server, a real (tiny) local model, exact properties."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affectgpt_rl.rewards import perception_reward
from affectgpt_rl.rewards.bradley_terry import better_half, strengths
from affectgpt_rl.rewards.judges import Comparison, GoldJudge, LocalJudge, ServerJudge
from hypothesis import given, settings
from hypothesis import strategies as st
from ovmer_bench import OvmerError

steady = settings(deadline=None, max_examples=80)
HAPPY_OR_ANGRY = Comparison("He feels happy.", "He feels furious.", ("glad",))


# --- Bradley-Terry -------------------------------------------------------------------------


def test_two_players_by_hand() -> None:
    wins = np.array([[0.0, 3.0], [1.0, 0.0]])
    # The likelihood is greatest where 1 wins with probability 3/4: log odds log 3.
    difference = float(np.diff(strengths(wins, prior=1e-12))[0])
    assert difference == pytest.approx(-np.log(3), abs=1e-6)


def test_strengths_solve_the_likelihood_equations() -> None:
    wins = np.array([[0, 2, 5, 1], [1, 0, 2, 4], [0, 1, 0, 3], [2, 0, 1, 0]], float)
    s, games = strengths(wins), wins + 0.1
    np.fill_diagonal(games, 0)
    expected = (games + games.T) / (1 + np.exp(s[None, :] - s[:, None]))
    assert expected.sum(1) == pytest.approx(games.sum(1), abs=1e-6)
    assert s.sum() == pytest.approx(0, abs=1e-9)


@steady
@given(st.integers(0, 8), st.randoms(use_true_random=False))
def test_strengths_are_finite_and_follow_the_players(n: int, rng: Any) -> None:
    wins = np.array([[rng.choice([0, 0.5, 1]) for _ in range(n)] for _ in range(n)]).reshape(n, n)
    found = strengths(wins)
    assert np.isfinite(found).all()
    order = rng.sample(range(n), n)
    assert strengths(wins[np.ix_(order, order)]) == pytest.approx(found[order], abs=1e-6)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),
        ([3.0], [0]),
        ([1.0, 2.0], [0, 1]),
        ([1.0, 2.0, 3.0], [0, 0, 1]),
        ([1.0, 1.0], [0.5, 0.5]),
        ([0.0, 1.0, 1.0, 1.0], [0, 2 / 3, 2 / 3, 2 / 3]),
        ([0.0, 0.0, 0.0, 1.0], [1 / 3, 1 / 3, 1 / 3, 1]),
        ([4.0, 3.0, 2.0, 1.0], [1, 1, 0, 0]),
    ],
)
def test_the_better_half_by_hand(values: list[float], expected: list[float]) -> None:
    assert better_half(np.array(values)) == pytest.approx(expected)


# --- Without a model -----------------------------------------------------------------------


def test_the_judge_without_a_model_goes_by_gold() -> None:
    tie = Comparison("He waits.", "She stands.", ("glad",))
    assert GoldJudge()([HAPPY_OR_ANGRY, HAPPY_OR_ANGRY.swapped(), tie]) == [1, 0, 0.5]


# --- A server ------------------------------------------------------------------------------


class Server(ThreadingHTTPServer):
    """A chat server that answers as ``reply`` says, and keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.reply: Any = lambda text: "A" if text.index("happy") < text.index("furious") else "B"
        self.failures: list[int] = []
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.bodies.append(body)
        self.server.keys.append(self.headers.get("Authorization"))
        status = self.server.failures.pop(0) if self.server.failures else 200
        reply = self.server.reply(body["messages"][0]["content"])
        said = reply if isinstance(reply, dict) else {"choices": [{"message": {"content": reply}}]}
        raw = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def test_a_server_is_asked_once_in_either_order(server: Server) -> None:
    judge = ServerJudge(server.url, "m", api_key="k")
    assert judge([HAPPY_OR_ANGRY, HAPPY_OR_ANGRY.swapped(), HAPPY_OR_ANGRY]) == [1, 0, 1]
    assert len(server.bodies) == 2
    assert set(server.keys) == {"Bearer k"}
    assert "glad" in server.bodies[0]["messages"][0]["content"]


def test_a_judge_that_favours_a_place_prefers_nothing(server: Server) -> None:
    server.reply = lambda text: "A"
    assert ServerJudge(server.url, "m")([HAPPY_OR_ANGRY]) == [0.5]
    server.reply = lambda text: "I cannot tell."
    assert ServerJudge(server.url, "m")([HAPPY_OR_ANGRY]) == [0.5]


def test_the_reward_goes_through_the_server(server: Server) -> None:
    texts = [f"<think>{t}</think><answer>x</answer>" for t in (HAPPY_OR_ANGRY.second,
                                                             HAPPY_OR_ANGRY.first)]  # fmt: skip
    judge = ServerJudge(server.url, "m")
    assert perception_reward(texts, [["glad"]] * 2, judge=judge) == [0, 1]


def test_passing_failures_are_tried_again(server: Server) -> None:
    server.failures = [503, 429]
    judge = ServerJudge(server.url, "m", backoff=0.01, workers=1)
    assert judge([HAPPY_OR_ANGRY]) == [1]
    assert len(server.bodies) == 4


@pytest.mark.parametrize(("failures", "asked"), [([401] * 9, 1), ([500] * 9, 3)])
def test_a_server_that_refuses_ends_in_one_line(
    server: Server, failures: list[int], asked: int
) -> None:
    server.failures = failures
    judge = ServerJudge(server.url, "m", api_key="secret", backoff=0.01, workers=1, retries=2)
    with pytest.raises(OvmerError, match=f"status {failures[0]}") as caught:
        judge([HAPPY_OR_ANGRY])
    assert "secret" not in str(caught.value)
    assert len(server.bodies) >= asked


def test_replies_of_another_kind_and_bad_addresses_are_refused(server: Server) -> None:
    server.reply = lambda text: {"error": "no"}
    with pytest.raises(OvmerError, match="no chat completion"):
        ServerJudge(server.url, "m", backoff=0.01)([HAPPY_OR_ANGRY])
    with pytest.raises(OvmerError, match="no server address"):
        ServerJudge("localhost:8000", "m")
    with pytest.raises(OvmerError, match="gave no answer"):
        ServerJudge("http://[::1/v1", "m", retries=0)([HAPPY_OR_ANGRY])
    with pytest.raises(OvmerError, match="gave no answer"):
        ServerJudge("http://127.0.0.1:9/v1", "m", retries=0)([HAPPY_OR_ANGRY])


# --- A local model -------------------------------------------------------------------------


@pytest.mark.train
def test_a_local_model_gives_a_consistent_preference(tmp_path: Path) -> None:
    from tiny_policy import save_text_model

    save_text_model(tmp_path)
    judge = LocalJudge(tmp_path, device="cpu")
    first, second, same = judge(
        [HAPPY_OR_ANGRY, HAPPY_OR_ANGRY.swapped(), Comparison("a", "a", ("glad",))]
    )
    assert 0 < first < 1
    assert first != 0.5
    assert first + second == pytest.approx(1)
    assert same == pytest.approx(0.5)
    assert LocalJudge(tmp_path, device="cpu")([HAPPY_OR_ANGRY]) == [first]


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OvmerError, match=r"config\.json"):
        LocalJudge(tmp_path)
