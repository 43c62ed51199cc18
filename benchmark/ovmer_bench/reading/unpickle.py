"""Reads pickles of NumPy arrays, scalars and plain containers; nothing in them can run.

``pickle.loads`` calls whatever a pickle names. Restricting the names is not enough: NumPy's
own ``dtype`` and ``ndarray`` can be driven to read any memory by the state that a pickle hands
them. So this reader calls nothing that a pickle names. It walks the opcodes
(:func:`pickletools.genops`, which only decodes), builds plain values itself, and understands
the few names that stand for arrays, dtypes, scalars, sets and bytes; any other name is
refused. What comes out is bounded in size, depth and number of values, and has no cycles.
"""

from __future__ import annotations

import pickletools
import re
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from ..errors import InputError
from .bounds import array_from_bytes, check_size, count_items, shown

MAX_OPCODES = 5_000_000

_NAMES = {
    **{f"{module}.multiarray._reconstruct": "array" for module in ("numpy.core", "numpy._core")},
    **{f"{module}.multiarray.scalar": "scalar" for module in ("numpy.core", "numpy._core")},
    **{f"{module}.numeric._frombuffer": "frombuffer" for module in ("numpy.core", "numpy._core")},
    **{"numpy.ndarray": "ndarray", "numpy.dtype": "dtype", "_codecs.encode": "encode"},
    **{f"{module}.{kind}": kind for module in ("builtins", "__builtin__") for kind in ("set",)},
    **{f"{module}.frozenset": "set" for module in ("builtins", "__builtin__")},
    **{f"{module}.bytes": "bytes" for module in ("builtins", "__builtin__")},
    "collections.OrderedDict": "dict",
}
_ACCEPTED = "NumPy arrays, scalars and dtypes, plain containers, text, numbers"
_DTYPE = re.compile(r"[<>|=]?(?:[bBhHiIlLqQefd]|[biuf][1248]|b1|f16|c8|c16|[SU]\d{1,9}|O8?)")
_SCALAR_TYPES = (str, bytes, int, float, np.generic, type(None))
_DAMAGE = (
    *(ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError),
    *(ArithmeticError, RecursionError, MemoryError),
)


def load_array(data: bytes) -> np.ndarray[Any, Any]:
    """The one array in a pickle, as ``numpy.save`` writes object arrays.

    Raises:
        InputError: a name that is not accepted, a damaged pickle, or one that would grow
            without bound. No file is named; the caller knows it.
    """
    try:
        value, length = _Machine(data).run()
    except InputError:
        raise
    except _DAMAGE as error:
        raise InputError(f"damaged pickle: {type(error).__name__}: {str(error)[:200]}") from None
    if not isinstance(value, np.ndarray):
        raise InputError(f"pickle holds {type(value).__name__}, not an array")
    if length != len(data):
        raise InputError(f"{len(data) - length} bytes behind the end of a pickle")
    check_size(value)
    return value


class _Name:
    """A name of the table above; it stands for something, and can do nothing."""

    __slots__ = ("meaning",)

    def __init__(self, meaning: str) -> None:
        self.meaning = meaning


class _Shell:
    """An array or dtype that a pickle has announced and not described yet."""

    __slots__ = ("code", "value")

    def __init__(self, code: str | None) -> None:
        self.code = code
        self.value: object = None


_MARK = object()


class _Machine:
    """The stack machine that pickles are written for, without the opcodes that call."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> tuple[object, int]:
        """The value of the pickle and the number of bytes it takes."""
        for count, (opcode, arg, place) in enumerate(pickletools.genops(self._data)):
            if count >= MAX_OPCODES:
                raise InputError(f"pickle of more than {MAX_OPCODES:,} steps")
            name = opcode.name
            if name in _PUSH:
                self._stack.append(_PUSH[name](arg))
            elif name == "STOP":
                value = self._pop()
                if self._stack:
                    raise ValueError("values left on the stack")
                return value, (place or 0) + 1
            elif name not in _IGNORED:
                step = _STEPS.get(name)
                if step is None:
                    _refuse(f"opcode {name}" if arg is None else f"opcode {name} {shown(arg)}")
                step(self, arg)
        raise ValueError("no end")

    def _pop(self) -> Any:
        value = self._stack.pop()
        if value is _MARK:
            raise ValueError("mark where a value should be")
        return _filled(value)

    def _pop_marked(self) -> list[Any]:
        start = len(self._stack) - 1
        while self._stack[start] is not _MARK:
            start -= 1
            if start < 0:
                raise IndexError("no mark")
        items = [_filled(item) for item in self._stack[start + 1 :]]
        del self._stack[start:]
        return items

    def _top(self, kind: type) -> Any:
        top = self._stack[-1]
        if type(top) is not kind:
            raise TypeError(f"{kind.__name__} expected")
        return top

    def mark(self, _: object) -> None:
        self._stack.append(_MARK)

    def pop(self, _: object) -> None:
        self._stack.pop()

    def pop_mark(self, _: object) -> None:
        self._pop_marked()

    def put(self, key: int | None) -> None:
        if self._stack[-1] is _MARK:
            raise ValueError("mark where a value should be")
        self._memo[len(self._memo) if key is None else key] = self._stack[-1]

    def get(self, key: int) -> None:
        self._stack.append(self._memo[key])

    def make_list(self, _: object) -> None:
        self._stack.append(self._pop_marked())

    def make_tuple(self, _: object) -> None:
        self._stack.append(tuple(self._pop_marked()))

    def make_short_tuple(self, length: int) -> None:
        items = [self._pop() for _ in range(length)]
        self._stack.append(tuple(reversed(items)))

    def make_dict(self, _: object) -> None:
        items = self._pop_marked()
        self._stack.append(_into({}, items))

    def make_set(self, _: object) -> None:
        self._stack.append(_set_of(self._pop_marked()))

    def append(self, _: object) -> None:
        item = self._pop()
        self._top(list).append(item)

    def extend(self, _: object) -> None:
        items = self._pop_marked()
        self._top(list).extend(items)

    def set_item(self, _: object) -> None:
        content, key = self._pop(), self._pop()
        _into(self._top(dict), [key, content])

    def set_items(self, _: object) -> None:
        items = self._pop_marked()
        _into(self._top(dict), items)

    def add_items(self, _: object) -> None:
        items = self._pop_marked()
        self._top(set).update(_set_of(items))

    def name(self, dotted: str | None) -> None:
        if dotted is None:
            attribute, module = self._pop(), self._pop()
            if not isinstance(attribute, str) or not isinstance(module, str):
                raise TypeError("a name that is no text")
            dotted = f"{module} {attribute}"
        dotted = ".".join(dotted.split(" ", 1))
        if dotted not in _NAMES:
            _refuse(shown(dotted))
        self._stack.append(_Name(_NAMES[dotted]))

    def call(self, _: object) -> None:
        arguments, name = self._pop(), self._pop()
        if not isinstance(name, _Name) or not isinstance(arguments, tuple):
            _refuse("a call of something that is no accepted name")
        self._stack.append(_MEANINGS[name.meaning](*arguments))

    def build(self, _: object) -> None:
        state, shell = self._pop(), self._stack[-1]
        if not isinstance(shell, _Shell) or shell.value is not None:
            _refuse("a state for something that is neither array nor dtype")
        shell.value = _dtype(shell.code, *state) if shell.code else _array(*state)
        self._stack[-1] = shell.value


def _filled(value: Any) -> Any:
    """``value``, or what an announced array or dtype turned out to be."""
    if not isinstance(value, _Shell):
        return value
    if value.value is None and value.code is not None:
        value.value = _dtype(value.code, 3, "|" if value.code == "O" else "=")
    if value.value is None:
        raise ValueError("array used before it was described")
    return value.value


def _into(target: dict[Any, Any], items: list[Any]) -> dict[Any, Any]:
    if len(items) % 2:
        raise ValueError("key without a value")
    for key, content in zip(items[::2], items[1::2], strict=True):
        target[_key(key)] = content
    return target


def _key(key: Any) -> Any:
    """Only scalars are hashed: hashing shared tuples can take for ever."""
    if not isinstance(key, _SCALAR_TYPES):
        raise TypeError(f"{type(key).__name__} as a key")
    return key


def _set_of(items: Any = ()) -> set[Any]:
    return {_key(item) for item in items}


def _ordered_dict(pairs: Any = ()) -> dict[Any, Any]:
    return {_key(key): content for key, content in pairs}


def _announce_array(kind: Any, _shape: Any, _typecode: Any) -> _Shell:
    if not isinstance(kind, _Name) or kind.meaning != "ndarray":
        raise TypeError("ndarray expected")
    return _Shell(None)


def _announce_dtype(code: Any, _align: Any = False, _copy: Any = True) -> _Shell:
    if not isinstance(code, str) or not _DTYPE.fullmatch(code):
        _refuse(f"dtype {shown(code)}")
    return _Shell(code)


def _dtype(
    code: str,
    _version: Any,
    end: Any,
    subarray: Any = None,
    names: Any = None,
    fields: Any = None,
    *_sizes: Any,
) -> np.dtype[Any]:
    """A dtype from its code and byte order alone; a state that says more is refused."""
    if subarray is not None or names is not None or fields is not None:
        _refuse("a structured dtype")
    if not isinstance(end, str) or end not in ("<", ">", "|", "="):
        raise ValueError("byte order expected")
    plain: np.dtype[Any] = np.dtype("O" if code.startswith("O") else code)
    return plain.newbyteorder(">" if end == ">" else "<") if end in "<>" else plain


def _array(
    _version: Any, shape: Any, dtype: Any, fortran: Any, content: Any
) -> np.ndarray[Any, Any]:
    """An array from the five parts of its pickled state."""
    if not isinstance(dtype, np.dtype):
        raise TypeError("dtype expected")
    if dtype.kind != "O":
        return _from_bytes(content, dtype, shape, "F" if fortran else "C")
    if not isinstance(content, list) or len(content) != count_items(shape):
        raise ValueError(f"an object array of shape {shown(shape)} with other content")
    flat = np.fromiter(content, dtype, count=len(content))
    shaped: np.ndarray[Any, Any] = flat.reshape(shape, order="F" if fortran else "C")
    return shaped


def _from_bytes(content: Any, dtype: Any, shape: Any, order: Any = "C") -> np.ndarray[Any, Any]:
    if not isinstance(dtype, np.dtype) or order not in ("C", "F"):
        raise TypeError("dtype and order expected")
    raw = content.encode("latin1") if isinstance(content, str) else content
    return array_from_bytes(raw, dtype, shape, fortran=order == "F")


def _scalar(dtype: Any, content: Any = b"") -> np.generic:
    scalar: np.generic = _from_bytes(content, dtype, (1,))[0]
    return scalar


def _encode(text: str, codec: str = "latin1") -> bytes:
    if codec not in ("latin1", "latin-1"):
        _refuse(f"codec {shown(codec)}")
    return text.encode("latin1")


def _bytes(content: Any = b"") -> bytes:
    if not isinstance(content, bytes):
        raise TypeError("bytes expected")
    return content


def _int(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > 63:
        raise InputError(f"pickle holds an integer of {value.bit_length():,} bits")
    return value


def _same(value: Any) -> Any:
    return value


def _refuse(what: str) -> NoReturn:
    raise InputError(
        f"refused: the file asks for {what}, which data does not need",
        accepted=_ACCEPTED,
        hint="Nothing in it was run. Do not open it with other tools unless you trust it.",
    )


_MEANINGS: dict[str, Callable[..., Any]] = {
    "array": _announce_array,
    "dtype": _announce_dtype,
    "scalar": _scalar,
    "frombuffer": _from_bytes,
    "encode": _encode,
    "bytes": _bytes,
    "set": _set_of,
    "dict": _ordered_dict,
}
_PUSH: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"), _int),
    **dict.fromkeys(("FLOAT", "BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING"), _same),
    **dict.fromkeys(("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"), _same),
    **dict.fromkeys(("SHORT_BINBYTES", "BINBYTES", "BINBYTES8"), _same),
    "BYTEARRAY8": bytes,
    "NONE": lambda _: None,
    "NEWTRUE": lambda _: True,
    "NEWFALSE": lambda _: False,
    "EMPTY_LIST": lambda _: [],
    "EMPTY_TUPLE": lambda _: (),
    "EMPTY_DICT": lambda _: {},
    "EMPTY_SET": lambda _: set(),
}
_IGNORED = frozenset({"PROTO", "FRAME"})
_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _Machine.put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Machine.get),
    **dict.fromkeys(("GLOBAL", "STACK_GLOBAL"), _Machine.name),
    **{"MARK": _Machine.mark, "POP": _Machine.pop, "POP_MARK": _Machine.pop_mark},
    **{"LIST": _Machine.make_list, "TUPLE": _Machine.make_tuple, "DICT": _Machine.make_dict},
    **{"TUPLE1": lambda m, _: m.make_short_tuple(1), "TUPLE2": lambda m, _: m.make_short_tuple(2)},
    **{"TUPLE3": lambda m, _: m.make_short_tuple(3), "FROZENSET": _Machine.make_set},
    **{"APPEND": _Machine.append, "APPENDS": _Machine.extend, "ADDITEMS": _Machine.add_items},
    **{"SETITEM": _Machine.set_item, "SETITEMS": _Machine.set_items},
    **{"REDUCE": _Machine.call, "BUILD": _Machine.build},
}
