#!/usr/bin/env python3
"""Sums how long the machine of a recording (SHDR, one observation a line) was shown in each state.

Usage: fold_shdr.py FROM_NS TO_NS FILE...

Prints one JSON object: for each file the nanoseconds of each state between the two times. The logic is
its own: all observations in a list, sorted by time and line, gone through once. Standard library only.
"""

import calendar
import gzip
import json
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


def observations(path):
    """What was said anew, in plant order: (time, key, values)."""
    said, before = [], {}
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines):
            stamp, key, *values = line.rstrip("\r\n").split("|")
            if before.get(key) != values:
                before[key] = values
                said.append((nanoseconds(stamp), number, key, values))
    said.sort(key=lambda one: one[:2])
    return [(time, key, values) for time, _, key, values in said]


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


def fold(path, begin, end):
    machine, sums, since = Machine(), {}, begin
    for time, key, values in observations(path):
        if time >= end:
            break
        if time > since:
            sums[machine.shown()] = sums.get(machine.shown(), 0) + time - since
            since = time
        machine.take(key, values)
    sums[machine.shown()] = sums.get(machine.shown(), 0) + end - since
    return sums


def main():
    begin, end = int(sys.argv[1]), int(sys.argv[2])
    print(json.dumps({path: fold(path, begin, end) for path in sys.argv[3:]}))


if __name__ == "__main__":
    main()
