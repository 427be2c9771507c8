"""Werkbuch: its own `bench ingest --path grpc`, a client and a server process on loopback."""

import json
import os
import shutil
import signal
import subprocess

from . import load, process
from .failures import Failed

# Its own figures, taken over under the same names.
SAME = (
    "events_per_second",
    "cpu_ns_per_event",
    "cpu_ns_client",
    "single_ack_p50_us",
    "single_ack_p99_us",
)
# A benchmark that takes longer than this hangs.
SECONDS_MAX = 300


def measure(binary, store, folder, figures, singles):
    """One run; the folder is gone afterwards."""
    command = [binary, "bench", "ingest", "--path", "grpc", "--store", store]
    command += ["--events", str(figures.events), "--singles", str(singles), "--rounds", "1"]
    command += ["--plants", str(load.PLANTS), "--batch", str(load.BATCH)]
    command += ["--window", str(load.WINDOW), "--data", folder, "-o", "json", "-q"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("WERKBUCH_")}
    said, log = folder.parent / "werkbuch.json", folder.parent / "werkbuch.log"
    try:
        with said.open("wb") as out, log.open("wb") as err:
            how = {"stdin": subprocess.DEVNULL, "env": environment, "start_new_session": True}
            bench = subprocess.Popen(command, stdout=out, stderr=err, **how)
            try:
                code = bench.wait(SECONDS_MAX)
            finally:
                if bench.poll() is None:
                    # It ends its server by itself.
                    bench.send_signal(signal.SIGTERM)
                    bench.wait(process.PATIENCE)
        if code != 0:
            raise Failed(f"werkbuch bench ended with {code}; it said:\n{process.tail(log)}")
        own = json.loads(said.read_text())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figures.values.update({name: own[name] for name in SAME})
    figures.values["stored_bytes_per_event"] = own["hot_bytes_per_event"]
    figures.values["sealed_bytes_per_event"] = own["sealed_bytes_per_event"]
    return own["reported_bytes_per_event"]
