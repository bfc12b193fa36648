"""Where the built programs are, and how they are run."""

import os
import pathlib
import subprocess

TIMEOUT = 60


def path(name):
    """`name` is "server/dislodged" or "cli/dislodge"."""
    build = os.environ.get("DISLODGE_BUILD")
    if not build:
        raise RuntimeError("DISLODGE_BUILD names no build folder")
    return str(pathlib.Path(build) / name)


def run(name, *arguments, given="", check=True, **options):
    """Runs it to its end; returns the CompletedProcess with text output."""
    done = subprocess.run([path(name), *map(str, arguments)], input=given, text=True,
                          capture_output=True, timeout=TIMEOUT, check=False, **options)
    if check and done.returncode:
        raise AssertionError(f"{name} {arguments} ended with {done.returncode}: {done.stderr}")
    return done
