#!/usr/bin/env python3
"""Measures Werkbuch beside PostgreSQL and NATS JetStream, in one run on this machine.

All report the same number of bytes over loopback to a server whose data lie in the same folder, and each
of them syncs before it acknowledges. They take turns; the median of the rounds is shown. Progress goes to
standard error, a table to standard output, or JSON with -o json.

Needs Python 3.9, a release build of Werkbuch, and PostgreSQL's server (on Debian: apt-get install
postgresql). The clients and the NATS server come from PyPI into a virtual environment, on the first run.
"""

import argparse
import contextlib
import datetime
import json
import os
import pwd
import shutil
import signal
import sys
import tempfile
from pathlib import Path

# Nothing is to be left beside the sources.
sys.dont_write_bytecode = True

from parts import figures, load, machine, places, table
from parts.failures import Failed, Missing

# How many of the events each one reports: those that take their time for an event get fewer.
SHARES = {
    "werkbuch-segments": 1.0,
    "werkbuch-sled": 1.0,
    "postgres-insert": 1.0,
    "postgres-copy": 1.0,
    "nats-blocks": 2.0,
    "nats-events": 0.02,
}
# The mean length of an event, where no Werkbuch is there to tell.
EVENT_BYTES = 60.0
EXIT_FAILED, EXIT_MISSING, EXIT_STOPPED = 1, 3, 130


def main():
    signal.signal(signal.SIGTERM, stop)
    try:
        args = arguments()
        if args.show:
            show(json.loads(Path(args.show).read_text()), args.output)
        elif args.check:
            return check(args)
        else:
            show(run(args), args.output)
    except Missing as missing:
        note(f"error: {missing}\n  next: {missing.hint}")
        return EXIT_MISSING
    except KeyError as lacking:
        note(f"error: the file has no {lacking}; it is to hold what an earlier run printed with -o json")
        return EXIT_FAILED
    except (Failed, OSError, ValueError) as failed:
        note(f"error: {failed}")
        return EXIT_FAILED
    except KeyboardInterrupt:
        note("stopped; all servers are ended")
        return EXIT_STOPPED
    return 0


def stop(*_):
    """Whoever asks this script to end wants what Ctrl-C does."""
    raise KeyboardInterrupt


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add(
        "-o",
        dest="output",
        choices=["table", "json", "markdown"],
        default="table",
        help="form of the answer",
    )
    add("--rounds", type=at_least(1), default=3, help="turns of each one (default: 3)")
    add(
        "--events",
        type=at_least(100),
        default=1_000_000,
        help="events that Werkbuch gets; the others get a fixed share of it (default: 1,000,000)",
    )
    add(
        "--singles",
        type=at_least(1),
        default=200,
        help="events that are sent by themselves afterwards (default: 200)",
    )
    add(
        "--only",
        type=peers,
        default=list(SHARES),
        metavar="A,B",
        help=f"only these of {', '.join(SHARES)}",
    )
    add(
        "--event-bytes",
        type=at_least(8),
        metavar="N",
        help="mean length of the peers' events (default: that of Werkbuch's)",
    )
    add(
        "--folder",
        default=tempfile.gettempdir(),
        metavar="DIR",
        help="where the data lie meanwhile (default: the folder for temporary files)",
    )
    add("--werkbuch", metavar="PATH", help="the binary (default: the release build, else the path)")
    add(
        "--postgres",
        metavar="DIR",
        help="the folder with initdb and postgres (default: the path, else Debian's)",
    )
    add(
        "--user",
        default=usual_user(),
        help="who runs PostgreSQL where this is root (default: postgres, else nobody)",
    )
    add(
        "--venv",
        default=str(places.target() / "peers"),
        metavar="DIR",
        help="the virtual environment (default: peers in cargo's target folder)",
    )
    add(
        "--install",
        action="store_true",
        help="install Debian's package of PostgreSQL where it is missing; needs root",
    )
    add("--check", action="store_true", help="only say what is there and what is missing")
    add("--show", metavar="FILE", help="show the figures in a file of JSON from an earlier run")
    return parser.parse_args()


def at_least(least):
    def number(text):
        value = int(text.replace(",", "").replace("_", ""))
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is less than {least}")
        return value

    return number


def peers(text):
    wanted = text.split(",")
    for name in wanted:
        if name not in SHARES:
            raise argparse.ArgumentTypeError(f'there is no "{name}"; there are {", ".join(SHARES)}')
    return [name for name in SHARES if name in wanted]


def usual_user():
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres").pw_name
    return "nobody"


def note(text):
    print(text, file=sys.stderr, flush=True)


def show(result, form):
    if form == "json":
        print(json.dumps(result, indent=2))
    else:
        print((table.markdown if form == "markdown" else table.text)(result), end="")


def needs(args):
    """What the wanted peers need, each with how it is found."""
    found = {}
    if any(name.startswith("werkbuch") for name in args.only):
        found["werkbuch"] = lambda: places.werkbuch(args.werkbuch)
    if any(name.startswith("postgres") for name in args.only):
        found["PostgreSQL"] = lambda: places.postgres(args.postgres)
    if set(args.only) - {"werkbuch-segments", "werkbuch-sled"}:
        found["Python packages"] = lambda: places.venv_python(args.venv)
    return found


def check(args):
    """Says of everything that is needed where it is, or how to get it."""
    code = 0
    for what, find in needs(args).items():
        try:
            print(f"{what}: {find()}")
        except Missing as missing:
            print(f"{what}: missing: {missing}\n  next: {missing.hint}")
            code = EXIT_MISSING
    return code


def run(args):
    wanted = needs(args)
    binary = wanted["werkbuch"]() if "werkbuch" in wanted else None
    programs = None
    if "PostgreSQL" in wanted:
        try:
            programs = wanted["PostgreSQL"]()
        except Missing:
            if not args.install or args.postgres:
                raise
            places.install_postgres(note)
            programs = wanted["PostgreSQL"]()
    if "Python packages" in wanted:
        enter_venv(args)
    # The folder must be open to the user of PostgreSQL; what is secret in it is not.
    folder = Path(tempfile.mkdtemp(prefix="werkbuch-peers-", dir=args.folder))
    try:
        folder.chmod(0o755)
        return measure(args, binary, programs, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def enter_venv(args):
    """Goes on in the virtual environment, which is made before if need be."""
    if Path(sys.prefix).resolve() == Path(args.venv).resolve():
        return
    try:
        python = places.venv_python(args.venv)
    except Missing:
        python = places.make_venv(args.venv, note)
    os.execv(python, [str(python), str(Path(__file__).resolve()), *sys.argv[1:]])


def measure(args, binary, programs, folder):
    result = {
        "date": datetime.date.today().isoformat(),
        "machine": machine.describe(folder),
        "versions": versions(args, binary, programs),
        "rounds": args.rounds,
        "plants": load.PLANTS,
        "batch": load.BATCH,
        "window": load.WINDOW,
        "event_bytes": args.event_bytes,
        "peers": {},
    }
    rounds = {name: [] for name in args.only}
    for number in range(1, args.rounds + 1):
        for name in args.only:
            one = figures.Figures(max(load.PLANTS, round(args.events * SHARES[name])))
            note(f"round {number} of {args.rounds}: {table.NAMES[name]}, {one.events:,} events")
            if name.startswith("werkbuch"):
                from parts import werkbuch

                store = name.partition("-")[2]
                mean = werkbuch.measure(binary, store, folder / "werkbuch", one, args.singles)
                result["event_bytes"] = result["event_bytes"] or mean
            else:
                result["event_bytes"] = result["event_bytes"] or EVENT_BYTES
                peer(args, name, programs, folder, one, result["event_bytes"])
            note(f"  {one.values['events_per_second']:,} events/s")
            rounds[name].append(one.values)
    for name, values in rounds.items():
        result["peers"][name] = {**figures.middle(values), "rounds": values}
        does = zip(table.NAMES, zip(*table.DOES.values()))
        result["peers"][name]["does"] = dict(zip(table.DOES, dict(does)[name]))
    return result


def peer(args, name, programs, folder, one, mean):
    """A run of PostgreSQL or NATS on a server of its own."""
    shares = load.shares(one.events, load.PLANTS)
    plants = [load.events(count, mean, seed) for seed, count in enumerate(shares)]
    singles = load.events(args.singles, mean, len(plants))
    if name.startswith("postgres"):
        from parts import postgres

        server = postgres.Postgres(programs, folder / "postgres", args.user)
        send = postgres.insert if name == "postgres-insert" else postgres.copy
    else:
        from parts import jetstream

        server = jetstream.JetStream(Path(sys.prefix) / "bin" / "nats-server", folder / "nats")
        send = jetstream.blocks if name == "nats-blocks" else jetstream.events
    with server.running():
        send(server, one, plants, singles)


def versions(args, binary, programs):
    """What is measured, in the words of the programs."""
    said = {}
    if binary:
        said["werkbuch"] = places.version([binary, "--version"])
    if programs:
        said["postgres"] = places.version([programs / "postgres", "--version"])
    if any(name.startswith("nats") for name in args.only):
        said["nats"] = places.version([Path(sys.prefix) / "bin" / "nats-server", "--version"])
    return said


if __name__ == "__main__":
    sys.exit(main())
