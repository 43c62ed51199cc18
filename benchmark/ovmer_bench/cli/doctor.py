"""``ovmer doctor``: whether the harness can run our tasks, and the way out where it cannot."""

from __future__ import annotations

import sys

import click

from ..console import say
from ..harness.setup import diagnose


@click.command("doctor")
def command() -> None:
    """Check what `lm_eval --tasks ovmer` depends on; exit code 1 where it cannot work."""
    findings = diagnose()
    for finding in findings:
        say(f"{'ok     ' if finding.ok else 'problem'} {finding.text}")
        if finding.way_out:
            say(f"        {finding.way_out}")
    sys.exit(0 if all(finding.ok for finding in findings) else 1)
