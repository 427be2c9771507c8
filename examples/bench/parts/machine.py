"""What the figures were measured on."""

import os
import platform
from pathlib import Path


def describe(folder):
    """The machine, and the file system of the folder with the data."""
    return {
        "cores": os.cpu_count(),
        "processor": _field("/proc/cpuinfo", "model name"),
        "memory_gib": _memory_gib(),
        "system": f"{platform.system()} {platform.release()}",
        "file_system": _file_system(folder),
        "load": _load(),
    }


def _load():
    """How many processes wanted a core in the last minute before the run."""
    try:
        return round(os.getloadavg()[0], 2)
    except OSError:
        return None


def _field(path, name):
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return None
    values = (line.partition(":")[2].strip() for line in lines if line.startswith(name))
    return next(values, None)


def _memory_gib():
    kib = _field("/proc/meminfo", "MemTotal")
    return round(int(kib.split()[0]) / 1024**2) if kib else None


def _file_system(folder):
    """The kind of the file system whose mount point is nearest above the folder."""
    try:
        mounts = Path("/proc/mounts").read_text().splitlines()
    except OSError:
        return None
    folder, best = Path(folder).resolve(), None
    for mount in mounts:
        point, kind = mount.split()[1:3]
        if folder.is_relative_to(point) and (best is None or len(point) >= len(best[0])):
            best = (point, kind)
    return best and best[1]
