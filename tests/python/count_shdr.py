#!/usr/bin/env python3
"""Counts what a recording of an MTConnect adapter (SHDR) holds, by logic of its own.

Usage: count_shdr.py TABLE.json FILE...

TABLE.json maps keys to categories. Prints one JSON object: for each file its counts, to be compared
with those of the importer. Standard library only. The rules are written down in the documentation
of the gateway's module `source::shdr`; here they are worked out over the whole file at once.
"""

import calendar
import json
import re
import sys
import zlib

DAY = 24 * 3600 * 10**9
# 1980-01-01 and 2100-01-01, in nanoseconds since 1970: outside of them a clock was never set.
PLAUSIBLE = (315_532_800 * 1_000_000_000, 4_102_444_800 * 1_000_000_000)
MINUTE = 60 * 10**9
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)
NOT_FINITE = re.compile(r"[+-]?(inf|infinity|nan)\Z", re.IGNORECASE)
STAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)(?:@.*)?\Z", re.ASCII
)
LEVELS = {"NORMAL", "WARNING", "FAULT", "UNAVAILABLE"}


def read_lines(path):
    """The lines of a file with their terminators, and whether its compressed data are damaged."""
    data = open(path, "rb").read()
    if data[:2] != b"\x1f\x8b":
        return split(data), False
    text, damaged = b"", False
    while data:
        inflate = zlib.decompressobj(wbits=31)
        try:
            text += inflate.decompress(data)
        except zlib.error:
            damaged = True
            break
        if not inflate.eof:
            damaged = True
            break
        data = inflate.unused_data
    return split(text), damaged


def split(data):
    parts = data.split(b"\n")
    lines = [part + b"\n" for part in parts[:-1]]
    return lines + [parts[-1]] if parts[-1] else lines


def nanoseconds(stamp):
    found = STAMP.match(stamp.strip())
    if not found:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    if not (1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]):
        return None
    if hour > 23 or minute > 59 or second > 59:
        return None
    total = calendar.timegm((year, month, day, hour, minute, second)) * 10**9
    total += int(((found[7] or "") + "0" * 9)[:9])
    if found[8] != "Z":
        sign = 1 if found[8][0] == "+" else -1
        total -= sign * (int(found[8][1:3]) * 3600 + int(found[8][4:6]) * 60) * 10**9
    return total if -(2**63) <= total < 2**63 else None


class Table:
    def __init__(self, table):
        self.table = table

    def category(self, key):
        for name in (key, key.split(":", 1)[-1] if ":" in key else key):
            if name in self.table:
                return name, self.table[name]
        if is_command(bare(key)) or re.search("_asset_(chg|rem|count)$", bare(key)):
            return None, "ignore"
        return None, "unmapped"


def bare(key):
    device, colon, rest = key.partition(":")
    return rest if colon and device and rest else key


def is_command(key):
    return len(key) > 2 and key[0] == "@" == key[-1]


def pairs(text, table):
    """The observations of what follows a line's time: (key, list of values), and if all was read."""
    fields = text.split("|")
    if is_command(bare(fields[0].strip())):
        return [(fields[0].strip(), [""])] + [(f.strip(), [""]) for f in fields[2:3]], True, True
    found, first = [], True
    while fields:
        key = fields.pop(0).strip()
        if not fields:
            return found, key == "" and not first, False
        width = 1
        if table.category(key)[1] == "condition" and (first or len(fields) >= 5):
            width = min(5, len(fields))
        found.append((key, fields[:width]))
        del fields[:width]
        first = False
    return found, True, False


def scan(lines, table, counts):
    """First pass: items in order, each ("line", ...) or ("lost", number of first line)."""
    items, body, run = [], None, None
    for number, raw in enumerate(lines, 1):
        counts["lines"] += 1
        if len(raw) > 1024 * 1024:
            if body:
                items.append(("lost",))
                body = None
            items.append(("lost",))
            run = None
            continue
        try:
            content = raw.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            content = None
        stamp = content.split("|", 1)[0] if content is not None and "|" in content else None
        time = nanoseconds(stamp.split("@")[0]) if stamp is not None else None
        if body:
            if content == body:
                body = None
                continue
            if time is None:
                continue
            items.append(("lost",))
            body = None
        if content is not None and not content.strip():
            continue
        if content is not None and content.startswith("*") and "|" not in content:
            continue
        if time is None:
            if run and run[0] == number - 1 and run[1] < 10000:
                run = (number, run[1] + 1)
            else:
                items.append(("lost",))
                run = (number, 1)
            continue
        run = None
        rest = content.split("|", 1)[1]
        observations, whole, asset = pairs(rest, table)
        last = rest.split("|")[-1]
        if asset and re.match("--multiline--.", last):
            body = last
        items.append(("line", number, time, content, observations, whole, asset))
    if body:
        items.append(("lost",))
    return items


def sessions_of(lines):
    """Which of the lines with a time begin a session."""
    begins, opening, keys, growing, top, before = [], set(), set(), False, 0, None
    for _, _, time, content, observations, _, _ in lines:
        new = before is None or (time < before and content in opening)
        before = time
        if new:
            opening, keys, growing, top = set(), set(), True, time
        if growing:
            names = [key for key, _ in observations]
            if top - time > DAY or any(name in keys for name in names):
                growing = False
            else:
                keys.update(names)
                opening.add(content)
                top = max(top, time)
        begins.append(new)
    return begins


def times_of(lines, begins):
    """For each line with a time: its observed time and whether its own is not believed."""
    result, highest = [], None
    for at, line in enumerate(lines):
        time = line[2]
        if begins[at]:
            highest = None
        following = []
        for next_at in range(at + 1, min(at + 65, len(lines))):
            if begins[next_at]:
                break
            following.append(lines[next_at][2])
        ahead = bool(following) and time - max(following) > DAY
        behind = highest is not None and highest - time > DAY
        if ahead or behind or not PLAUSIBLE[0] <= time < PLAUSIBLE[1]:
            result.append((highest if highest is not None else min(following or [time]), True))
        else:
            highest = time if highest is None else max(highest, time)
            result.append((time, False))
    return result


def fault(category, values):
    """Why an observation is refused, or nothing."""
    text = values[0]
    word = text.strip().upper()
    if category in ("sample", "override", "counter"):
        if word in ("", "UNAVAILABLE"):
            return None
        if NOT_FINITE.match(word):
            return "NOT_FINITE"
        if not NUMBER.match(word):
            return "NOT_A_NUMBER"
        if float(word) in (float("inf"), float("-inf")):
            return "NOT_FINITE"
        if category == "counter":
            number = float(word)
            whole = re.match(r"\+?\d+\Z", word) and int(word) < 2**64
            if not whole and (number < 0 or number > 2**53 or number != int(number)):
                return "OUT_OF_RANGE"
        return None
    if category == "availability":
        return None if word in ("AVAILABLE", "UNAVAILABLE") else "UNKNOWN_VALUE"
    size = [len(value.encode()) for value in values]
    if category == "condition":
        if word not in LEVELS:
            return "UNKNOWN_VALUE"
        long = any(n > 256 for n in size[1:3]) or any(n > 16384 for n in size[4:])
        return "TEXT_TOO_LONG" if long else None
    limit = 256 if category in ("state", "mode", "tool") else 16384
    unavailable = category in ("program", "tool", "text") and word == "UNAVAILABLE"
    return "TEXT_TOO_LONG" if size[0] > limit and not unavailable else None


class Tally:
    """Second pass: what becomes of each observation."""

    def __init__(self, table, counts):
        self.table, self.counts = table, counts
        self.before, self.window, self.items = {}, None, set()
        self.open_gap = None

    def item(self, item, timing):
        if item[0] == "lost":
            self.counts["gaps"] += 1
            self.open_gap, self.before = None, {}
            return
        _, number, _, _, observations, whole, asset = item
        faults = not whole
        for key, values in observations:
            faults |= self.observation(key, values, asset, timing)
        if faults:
            if self.open_gap is None or self.open_gap != number - 1:
                self.counts["gaps"] += 1
            self.open_gap, self.before = number, {}

    def observation(self, key, values, asset, timing):
        counts = self.counts
        counts["observations"] += 1
        name, category = (None, "ignore") if asset else self.table.category(key)
        if category in ("ignore", "unmapped"):
            counts["ignored"] += 1
            return False
        said = (values + [""] * 5)[:5]
        if self.before.get(name) == said:
            counts["unchanged"] += 1
            return False
        reason = fault(category, values)
        if reason:
            counts["refused"][reason] = counts["refused"].get(reason, 0) + 1
            return True
        self.open_gap = None
        self.before[name] = said
        observed, suspect = timing
        if category == "sample":
            counts["sampled"] += 1
            counts["suspect_samples"] += suspect
            window = observed // MINUTE
            full = name not in self.items and len(self.items) >= 200
            if self.window != window or full:
                counts["batches"] += 1
                self.window, self.items = window, set()
            self.items.add(name)
        else:
            counts["events"] += 1
            counts["suspect_clock"] += suspect
        return False


def count(path, table):
    names = ("lines observations events unchanged sampled batches ignored gaps sessions "
             "suspect_clock suspect_samples").split()
    counts = {name: 0 for name in names}
    counts["refused"] = {}
    raw, damaged = read_lines(path)
    tail = raw.pop() if damaged and raw and not raw[-1].endswith(b"\n") else None
    items = scan(raw, table, counts)
    if damaged:
        counts["lines"] += tail is not None
        items.append(("lost",))
    lines = [item for item in items if item[0] == "line"]
    begins = sessions_of(lines)
    counts["sessions"] = sum(begins)
    timings = iter(times_of(lines, begins))
    tally = Tally(table, counts)
    for item in items:
        tally.item(item, next(timings) if item[0] == "line" else None)
    return counts


def main():
    table = Table(json.load(open(sys.argv[1], encoding="utf-8")))
    print(json.dumps({path: count(path, table) for path in sys.argv[2:]}))


if __name__ == "__main__":
    main()
