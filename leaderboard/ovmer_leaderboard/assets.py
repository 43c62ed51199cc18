"""Style, scripts and the table library: the files a site needs besides its pages."""

from __future__ import annotations

import re
from importlib.metadata import distribution
from importlib.resources import files

from ovmer_bench.errors import InputError

OWN = ("site.css", "site.js", "compare.js", "icon.svg")
TABLES = "datatables.js"
LICENCES = "THIRD_PARTY.txt"
_EXPORTS = re.compile(r"export\s*\{([^{}]*)\}\s*;?")


def asset_files() -> dict[str, bytes]:
    """Name -> content of everything that goes into the site's ``assets`` folder.

    Raises:
        InputError: the installed ``itables`` ships no table library of a known form.
    """
    own = files(__package__) / "static"
    found = {name: (own / name).read_bytes() for name in OWN}
    found[TABLES] = _table_library().encode("utf-8")
    found[LICENCES] = _licences().encode("utf-8")
    return found


def _table_library() -> str:
    """DataTables (datatables.net) as ``itables`` ships it, made a classic script.

    The package holds an ECMAScript module, and a browser loads no module from ``file://``.
    The module imports nothing, so that its body in a function is the same program.
    """
    try:
        source = (files("itables") / "html" / "dt_bundle.js").read_text(encoding="utf-8")
    except (ModuleNotFoundError, FileNotFoundError):
        source = ""
    exports = _EXPORTS.findall(source)
    names = dict(_exported(item) for item in exports[0].split(",")) if len(exports) == 1 else {}
    if "default" not in names or re.search(r"^import\b|import\.meta", source, re.MULTILINE):
        raise InputError(
            "the table library inside the package itables is missing, or not of a known form",
            accepted="itables 2.9",
            hint="Install ovmer-bench[leaderboard].",
        )
    body = _EXPORTS.sub(f"window.DataTable={names['default']};", source)
    return f'(()=>{{"use strict";{body}\n}})();\n'


def _exported(item: str) -> tuple[str, str]:
    """``a as b`` -> (b, a)."""
    inner, _, outer = item.strip().partition(" as ")
    return outer or inner, inner


def _licences() -> str:
    package = distribution("itables")
    texts = [
        file.read_text(encoding="utf-8")
        for file in package.files or []
        if "licenses" in file.parts or file.name == "LICENSE"
    ]
    head = (
        f"{TABLES} holds DataTables (https://datatables.net, MIT), jQuery (https://jquery.com,\n"
        f"MIT) and other libraries named in the file, as shipped by itables {package.version}\n"
        "(https://itables.org, MIT), whose licence follows.\n"
    )
    return "\n".join([head, *sorted(texts)])
