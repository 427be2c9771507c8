#!/usr/bin/env python3
"""Measures Werkbuch's simulator beside SimPy, in one run on this machine, on the same line.

Ten stations in a row, exponential work of mean 1, five places between each two, a failure in fifty units of work,
repaired in five; the first station is never starved, what is done waits where there is no room. Its exact
throughput is 0.600, and both are held against it before their speed counts. They take turns; the median of the
rounds is shown, in parts a second on one core: what is an event differs from one simulator to the next.

Needs Python 3.9 and a release build of Werkbuch (--werkbuch names it). SimPy comes from PyPI into a virtual
environment, on the first run.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path

STATIONS, PLACES = 10, 5
MEAN, UP, REPAIR = 1.0, 50.0, 5.0
THROUGHPUT = 0.600
# The throughput of a run this long lies within three per cent of the exact one.
TOLERANCE = 0.03


def main():
    args = arguments()
    if args.inside:
        print(json.dumps(simpy_line(args.units, args.seed)))
        return 0
    binary = Path(args.werkbuch)
    if not binary.is_file():
        note(f"error: there is no {binary}\n  next: cargo build --release, or name it with --werkbuch")
        return 3
    python = environment(Path(args.environment))
    rows = {"werkbuch": [], "simpy": []}
    for number in range(args.rounds):
        note(f"round {number + 1} of {args.rounds}")
        rows["werkbuch"].append(werkbuch(binary, args.events))
        command = [python, __file__, "--inside", "--units", args.units, "--seed", number]
        rows["simpy"].append(json.loads(output(command)))
    for name, rounds in rows.items():
        found = statistics.mean(one["throughput"] for one in rounds)
        if abs(found - THROUGHPUT) > TOLERANCE * THROUGHPUT:
            note(f"error: {name} makes {found:.4f} parts in a unit of time, and {THROUGHPUT} is exact")
            return 1
    speeds = {name: statistics.median(one["parts_per_second"] for one in of) for name, of in rows.items()}
    events = statistics.median(one["events_per_second"] for one in rows["werkbuch"])
    answer = {
        "werkbuch_parts_per_second": round(speeds["werkbuch"]),
        "werkbuch_events_per_second": round(events),
        "simpy_parts_per_second": round(speeds["simpy"]),
        "simpy_events_per_second": round(
            statistics.median(one["events_per_second"] for one in rows["simpy"])
        ),
        "times_simpy": round(speeds["werkbuch"] / speeds["simpy"], 1),
        "rounds": args.rounds,
    }
    if args.output == "json":
        print(json.dumps(answer, indent=2))
    else:
        for name, value in answer.items():
            print(f"{name:28} {value}")
    return 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--werkbuch", default="target/release/werkbuch", help="the binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=5_000_000, help="of each of Werkbuch's runs")
    parser.add_argument("--units", type=float, default=5_000.0, help="units of time of a run of SimPy")
    parser.add_argument("--environment", default="target/simpy", help="where SimPy is installed")
    parser.add_argument("-o", "--output", choices=["table", "json"], default="table")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=1, help=argparse.SUPPRESS)
    return parser.parse_args()


def note(text):
    print(text, file=sys.stderr)


def output(command):
    return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE).stdout


def environment(folder):
    python = folder / "bin" / "python"
    if not python.exists():
        note(f"installing SimPy into {folder}")
        venv.create(folder, with_pip=True)
        output([python, "-m", "pip", "install", "-q", "simpy==4.1.2"])
    return python


def werkbuch(binary, events):
    """The middle one of the five runs of `bench sim`, on one core."""
    command = [binary, "bench", "sim", "--events", events, "--pairs", 2, "--machines", 60, "-q", "-o", "json"]
    found = json.loads(output(command))
    return {
        "parts_per_second": found["parts_per_second"],
        "events_per_second": found["events_per_second_per_core"],
        "throughput": found["throughput"],
    }


def simpy_line(units, seed):
    """The same line as processes of SimPy, with as little beside it as can be."""
    import simpy

    chance = random.Random(seed)
    env = simpy.Environment()
    stores = [simpy.Store(env, capacity=PLACES) for _ in range(STATIONS - 1)]
    made = [0]

    def station(number):
        left = chance.expovariate(1 / UP)
        while True:
            part = (yield stores[number - 1].get()) if number else number
            work = chance.expovariate(1 / MEAN)
            while left < work:
                yield env.timeout(left)
                work -= left
                yield env.timeout(chance.expovariate(1 / REPAIR))
                left = chance.expovariate(1 / UP)
            yield env.timeout(work)
            left -= work
            if number + 1 < STATIONS:
                yield stores[number].put(part)
            else:
                made[0] += 1

    for number in range(STATIONS):
        env.process(station(number))
    steps = 0
    env.run(until=units / 10)
    made[0], begin = 0, time.process_time()
    while env.peek() < units * 1.1:
        env.step()
        steps += 1
    seconds = time.process_time() - begin
    return {
        "parts_per_second": made[0] / seconds,
        "events_per_second": steps / seconds,
        "throughput": made[0] / units,
    }


if __name__ == "__main__":
    sys.exit(main())
