"""The figures for people: a table of them, and one of what each peer does in that time."""

NAMES = {
    "werkbuch-segments": "Werkbuch, segments",
    "werkbuch-sled": "Werkbuch, sled",
    "postgres-insert": "PostgreSQL, insert",
    "postgres-copy": "PostgreSQL, COPY",
    "nats-blocks": "NATS, 64 KiB blocks",
    "nats-events": "NATS, single events",
}
COLUMNS = (
    ("events", "events"),
    ("events/s", "events_per_second"),
    ("lowest", "events_per_second_min"),
    ("highest", "events_per_second_max"),
    ("core ns/event", "cpu_ns_per_event"),
    ("client ns/event", "cpu_ns_client"),
    ("stored B/event", "stored_bytes_per_event"),
    ("ack p50 us", "single_ack_p50_us"),
    ("ack p99 us", "single_ack_p99_us"),
    ("bare p50 us", "bare_round_trip_p50_us"),
)
# How it is asked, and what is done before the acknowledgement. The order of a row is that of NAMES.
DOES = {
    "unanswered at once, of each plant": (
        "16 batches",
        "16 batches",
        "1 batch",
        "16 batches",
        "16 blocks",
        "256 events",
    ),
    "synced to disk before the acknowledgement": ("yes",) * 6,
    "each event checked: form, kinds, machine known": ("yes", "yes", "no", "no", "no", "no"),
    "one gapless order for each plant": (
        "yes",
        "yes",
        "yes, by version",
        "by the client",
        "of blocks",
        "yes",
    ),
    "a repeat is known by the source's own number": (
        "for ever",
        "for ever",
        "for ever, batch refused",
        "for ever, batch refused",
        "2 minutes, block",
        "2 minutes",
    ),
    "hashed into a Merkle tree": ("yes", "yes", "no", "no", "no", "no"),
    "folded into the state of the machines": ("yes", "yes", "no", "no", "no", "no"),
    "what can be asked at once": (
        "machines, events",
        "machines, events",
        "rows",
        "rows",
        "whole blocks",
        "events",
    ),
}
NOTES = (
    "Core time is that of the server's processes until the last acknowledgement; what they owe the disk"
    " then (sealing, checkpoints) is not in it. Medians of the rounds; lowest and highest are rates.",
    "Werkbuch's client is a program in Rust, the peers' is Python: `client` says what it takes of the same"
    " cores, `bare` what a question takes there and back that stores nothing.",
    "Werkbuch's events are those of its benchmark; the peers store bytes by chance of the same length"
    " (mean {event_bytes} B), with position and the source's number beside them.",
    "Stored is what lies on the disk after the run: of PostgreSQL the table with both indexes, without its"
    " write-ahead log; of Werkbuch what is not sealed yet (the JSON has both, and the sealed form).",
)


def text(result):
    """Both tables and the notes, for a terminal."""
    return _whole(result, _plain)


def markdown(result):
    """The same for a Markdown file."""
    return _whole(result, _markdown)


def _whole(result, form):
    peers = [peer for peer in NAMES if peer in result["peers"]]
    figures = [["", *(title for title, _ in COLUMNS)]]
    for peer in peers:
        values = result["peers"][peer]
        figures.append([NAMES[peer], *(_shown(values.get(key)) for _, key in COLUMNS)])
    places = [list(NAMES).index(peer) for peer in peers]
    does = [["in that time", *(NAMES[peer] for peer in peers)]]
    for what, answers in DOES.items():
        does.append([what, *(answers[place] for place in places)])
    notes = [note.format(event_bytes=_shown(result["event_bytes"])) for note in NOTES]
    return "\n\n".join([_machine(result), form(figures), form(does), *notes]) + "\n"


def _machine(result):
    machine, versions = result["machine"], result["versions"]
    parts = [
        result["date"],
        f"{machine['cores']} cores ({machine['processor'] or 'unknown'})",
        f"{_shown(machine['memory_gib'])} GiB",
        machine["system"],
        f"{machine['file_system'] or 'unknown file system'}",
        f"load before the run {_shown(machine['load'])}",
    ]
    return (
        f"{', '.join(parts)}.\n{'; '.join(versions.values())}.\nRounds: {result['rounds']};"
        f" {result['plants']} plants, batches of {result['batch']:,} events."
    )


def _shown(value):
    if value is None:
        return "n/a"
    if isinstance(value, float) and (value >= 100 or value.is_integer()):
        value = round(value)
    return f"{value:,}"


def _plain(rows):
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _markdown(rows):
    head, *rest = rows
    lines = [head, ["---"] * len(head), *rest]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
