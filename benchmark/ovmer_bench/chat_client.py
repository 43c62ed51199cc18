"""A client of the OpenAI chat-completions protocol: greedy answers, tried again where it helps."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import ChatError

if TYPE_CHECKING:
    import httpx

MAX_REPLY_BYTES = 4_000_000
_LONGEST_PAUSE = 30.0
_ENDPOINT = "/chat/completions"

Messages = Sequence[Mapping[str, str]]


class _PassingError(Exception):
    """A failure that another attempt may mend."""

    def __init__(self, message: str, hint: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.hint, self.wait = hint, wait


@dataclass(frozen=True)
class ChatClient:
    """How a model behind a server is asked. Use it as ``with client.session() as ask``.

    Attributes:
        base_url: address up to and without ``/chat/completions``.
        model: name by which the server knows the model.
        api_key: sent as bearer token; never shown.
        max_tokens: of an answer.
        seed: sent along where given.
        timeout: seconds for one whole reply.
        retries: further attempts after a passing failure (429, 5xx, timeout, broken reply).
        backoff: seconds before the first further attempt; doubles each time.
        whole: whether an answer that is cut off, or holds no text, is a failure.
        patient: whether a server that cannot be reached is tried again as well.

    Raises:
        ChatError: ``base_url`` is no address.
    """

    base_url: str
    model: str
    api_key: str | None = field(default=None, repr=False)
    max_tokens: int = 256
    seed: int | None = None
    timeout: float = 60.0
    retries: int = 4
    backoff: float = 1.0
    whole: bool = True
    patient: bool = False

    def __post_init__(self) -> None:
        if not re.match(r"https?://[^/\s]", self.base_url):
            raise ChatError(
                f"{self.base_url!r} is no server address",
                accepted="http://HOST:PORT/v1 or https://HOST/v1",
            )

    @property
    def url(self) -> str:
        """The address that is asked."""
        return self.base_url.rstrip("/").removesuffix(_ENDPOINT) + _ENDPOINT

    @contextmanager
    def session(self) -> Iterator[ChatSession]:
        """Connections that are kept open while they are used; several threads may ask."""
        import httpx

        headers = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        with httpx.Client(timeout=self.timeout, headers=headers) as connections:
            yield ChatSession(self, connections)


@dataclass(frozen=True)
class ChatSession:
    """A :class:`ChatClient` with its connections."""

    client: ChatClient
    connections: httpx.Client

    def __call__(self, messages: Messages) -> str:
        """The model's answer to a chat.

        Raises:
            ChatError: no usable answer; says what to do next.
        """
        client = self.client
        for attempt in range(client.retries + 1):
            try:
                return self._attempt(messages)
            except _PassingError as failure:
                if attempt == client.retries:
                    tries = f" ({attempt + 1} attempts)" if attempt else ""
                    raise self._failed(f"{failure}{tries}", failure.hint) from None
                pause = max(client.backoff * 2**attempt, failure.wait)
                time.sleep(min(pause, _LONGEST_PAUSE))
        raise ChatError("the number of retries is negative", accepted="0 or more")

    def _attempt(self, messages: Messages) -> str:
        """One request. Raises _PassingError where another attempt may succeed."""
        import httpx

        client = self.client
        deadline = time.monotonic() + client.timeout
        try:
            with self.connections.stream("POST", client.url, json=self._body(messages)) as response:
                raw = bytearray()
                for chunk in response.iter_bytes():
                    raw += chunk
                    if time.monotonic() > deadline:
                        raise _PassingError("stalled", "Raise the timeout.")
                    if len(raw) > MAX_REPLY_BYTES:
                        raise self._failed(f"a reply of over {MAX_REPLY_BYTES} bytes")
        except httpx.TimeoutException:
            raise _PassingError(
                f"no answer within {client.timeout:g} s", "Raise the timeout, or check the server."
            ) from None
        except httpx.ConnectError as error:
            hint = "Start the server, or check the address."
            if client.patient:
                raise _PassingError(f"cannot connect: {error}", hint) from None
            raise self._failed(f"cannot connect: {error}", hint) from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _PassingError(f"the reply broke off: {error}", "Check the server.") from None
        except httpx.InvalidURL as error:
            raise self._failed(f"no server address: {error}") from None
        self._check_status(response, bytes(raw))
        return self._content(bytes(raw))

    def _body(self, messages: Messages) -> dict[str, Any]:
        client = self.client
        body: dict[str, Any] = {
            "model": client.model,
            "messages": list(messages),
            "temperature": 0,
            "max_tokens": client.max_tokens,
        }
        return body if client.seed is None else body | {"seed": client.seed}

    def _check_status(self, response: httpx.Response, raw: bytes) -> None:
        status = response.status_code
        if status == 200:
            return
        said = " ".join(raw[:300].decode("utf-8", "replace").split())
        message = f"status {status}: {said}" if said else f"status {status}"
        if status == 429 or status >= 500:
            after = response.headers.get("retry-after", "")
            wait = float(after) if re.fullmatch(r"\d{1,4}(\.\d{1,3})?", after) else 0.0
            raise _PassingError(message, "Try again later, or with fewer workers.", wait)
        if status in (401, 403):
            raise self._failed(message, "Give a valid API key.")
        if status == 404:
            raise self._failed(
                message,
                f"Check the address (it often ends in /v1) and the model {self.client.model!r}.",
            )
        raise self._failed(message, "Check that the server speaks the chat-completions protocol.")

    def _content(self, raw: bytes) -> str:
        try:
            reply = json.loads(raw)
            choice = reply["choices"][0]
            content = choice["message"]["content"]
        except (ValueError, LookupError, TypeError, RecursionError):
            raise _PassingError(
                "the reply is no chat completion", "Check the address (it often ends in /v1)."
            ) from None
        if not self.client.whole:
            return content if isinstance(content, str) else ""
        if choice.get("finish_reason") == "length":
            raise self._failed(
                f"the answer was cut off after {self.client.max_tokens} tokens",
                "Use a model that follows instructions, without thinking.",
            )
        if not isinstance(content, str):
            raise _PassingError("the reply holds no text", "Use a chat model.")
        return content

    def _failed(self, message: str, hint: str | None = None) -> ChatError:
        text = f"{self.client.url}: {message}"
        key = self.client.api_key
        return ChatError(text.replace(key, "***") if key else text, hint=hint)
