#!/usr/bin/env python3
"""Sums how long the machine of recordings (SHDR) was shown in each state, and tells it at random instants.

Usage: fold_shdr.py FROM_NS TO_NS INSTANTS FILES...

FILES are the recordings of one machine, separated by commas. Prints one JSON object: for each FILES the
nanoseconds of each state between the two times ("sums"), and for so many instants ("at") the time, the
state that is shown, and the one that the state signal says. Half of the instants are any, the others lie
at an observation or a nanosecond before it; the same on every run. The logic is its own: all observations
in a list, sorted by time, gone through once. Standard library only.
"""

import calendar
import gzip
import json
import os
import random
import re
import sys

STATES = {
    "ACTIVE": "EXECUTING", "READY": "IDLE", "PROGRAM_COMPLETED": "IDLE", "WAIT": "WAITING",
    "FEED_HOLD": "HELD", "INTERRUPTED": "HELD", "OPTIONAL_STOP": "HELD", "PROGRAM_STOPPED": "HELD",
    "PROGRAM_OPTIONAL_STOP": "HELD", "STOPPED": "STOPPED", "UNAVAILABLE": "UNAVAILABLE",
}
STATE_KEYS = {"execution", "pexecution", "Program_Status"}
LEVELS = {"NORMAL", "WARNING", "FAULT", "UNAVAILABLE"}
STAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?Z\Z")


def nanoseconds(stamp):
    found = STAMP.match(stamp)
    seconds = calendar.timegm(tuple(int(part) for part in found.groups()[:6]))
    return seconds * 10**9 + int(((found[7] or "") + "0" * 9)[:9])


def pairs(fields):
    """The observations of a line: (key, values). A condition has five values, all else has one."""
    if len(fields) >= 6 and fields[1].strip().upper() in LEVELS:
        return [(fields[0], fields[1:6])]
    if fields[0].startswith("@"):
        return []
    return [(key, [value]) for key, value in zip(fields[::2], fields[1::2])]


def observations(path):
    """What was said anew, in plant order: (time, key, values)."""
    said, before = [], {}
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines):
            stamp, *fields = line.rstrip("\r\n").split("|")
            for place, (key, values) in enumerate(pairs(fields) if len(fields) > 1 else []):
                if before.get(key) != values:
                    before[key] = values
                    said.append(((nanoseconds(stamp), number, place), key, values))
    said.sort(key=lambda one: one[0])
    return [(order[0], key, values) for order, key, values in said]


class Machine:
    """What the signal says, and for each item which codes are at fault."""

    def __init__(self):
        self.signal, self.faults = "UNAVAILABLE", {}

    def take(self, key, values):
        word = values[0].strip().upper()
        if key in STATE_KEYS:
            self.signal = STATES.get(word, "UNKNOWN")
        elif len(values) >= 5 and word in LEVELS:
            codes, code = self.faults.setdefault(key, set()), values[1]
            if code == "":
                codes.clear()
            codes.discard(code)
            if word == "FAULT":
                codes.add(code)

    def shown(self):
        if self.signal != "EXECUTING" and any(self.faults.values()):
            return "FAULTED"
        return self.signal


def fold(said, begin, end):
    machine, sums, since = Machine(), {}, begin
    for time, key, values in said:
        if time >= end:
            break
        if time > since:
            sums[machine.shown()] = sums.get(machine.shown(), 0) + time - since
            since = time
        machine.take(key, values)
    sums[machine.shown()] = sums.get(machine.shown(), 0) + end - since
    return sums


def instants(said, begin, end, count, name):
    chance = random.Random(name)
    moments = [time for time, key, _ in said if begin < time < end and key in STATE_KEYS]
    any_time = [chance.randrange(begin, end) for _ in range(count - count // 2)]
    near = [chance.choice(moments) - chance.randrange(2) for _ in range(count // 2)] if moments else []
    return sorted(any_time + near)


def look(said, times):
    """The states at times, which come in order."""
    machine, found, at = Machine(), [], 0
    for time in times:
        while at < len(said) and said[at][0] <= time:
            machine.take(*said[at][1:])
            at += 1
        found.append([time, machine.shown(), machine.signal])
    return found


def of(files, begin, end, count):
    said = sorted((one for path in files.split(",") for one in observations(path)), key=lambda one: one[0])
    # Nothing can be asked before the first word.
    first = max(begin, said[0][0])
    name = os.path.basename(files.split(",")[0])
    times = instants(said, first, end, count, name)
    return {"sums": fold(said, begin, end), "at": look(said, times)}


def main():
    begin, end, count = (int(argument) for argument in sys.argv[1:4])
    print(json.dumps({files: of(files, begin, end, count) for files in sys.argv[4:]}))


if __name__ == "__main__":
    main()
