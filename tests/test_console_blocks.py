"""The checker of examples notices what is wrong with a page."""

from __future__ import annotations

from pathlib import Path

import pytest
from console_blocks import Page

PAGE = """\
<!-- file: words.txt -->
```text
joy
```

<!-- run: embedded -->
```console
$ cat words.txt
joy
$ echo two && echo three
two
three
```

<!-- run: embedded fails -->
```console
$ echo wrong >&2; exit 2
wrong
```

```python
x = 1 + 1
print(x)  # 2
```
"""


def page(folder: Path, text: str) -> Page:
    path = folder / "page.md"
    path.write_text(text, "utf-8")
    return Page(path)


def test_a_page_that_is_right(tmp_path: Path) -> None:
    right = page(tmp_path, PAGE)
    assert right.unmarked() == 0
    assert right.differences("embedded", tmp_path) == []
    assert right.python_differences() == []
    assert right.rewritten() == PAGE


@pytest.mark.parametrize(("old", "new"), [("joy\n$", "grief\n$"), ("three\n```", "four\n```")])
def test_other_output_is_noticed_and_mended(tmp_path: Path, old: str, new: str) -> None:
    wrong = page(tmp_path, PAGE.replace(old, new))
    assert len(wrong.differences("embedded", tmp_path)) == 1
    assert wrong.rewritten() == PAGE


def test_other_python_output_is_noticed_and_mended(tmp_path: Path) -> None:
    wrong = page(tmp_path, PAGE.replace("# 2", "# 3"))
    assert wrong.python_differences()
    assert wrong.rewritten() == PAGE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("exit 2", "exit 1"),
        ("exit 2", "exit 0"),
        ("cat words.txt\n", "cat words.txt; false | cat\n"),
    ],
)
def test_a_command_that_ends_otherwise_is_an_error(tmp_path: Path, old: str, new: str) -> None:
    wrong = page(tmp_path, PAGE.replace(old, new))
    with pytest.raises(AssertionError, match="exits with"):
        wrong.differences("embedded", tmp_path)


@pytest.mark.parametrize("mark", ["", "<!-- run: nowhere -->\n", "<!-- run: embedded badly -->\n"])
def test_blocks_must_say_how_they_run(tmp_path: Path, mark: str) -> None:
    assert page(tmp_path, PAGE.replace("<!-- run: embedded -->\n", mark)).unmarked() == 1
