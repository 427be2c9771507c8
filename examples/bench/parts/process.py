"""Servers as processes: started where they may write, measured through /proc, ended in any case."""

import contextlib
import os
import pwd
import signal
import socket
import subprocess
import time
from pathlib import Path

from .failures import Failed

PATIENCE = 60.0


def free_port():
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def as_user(name):
    """How Popen starts something as another user; nothing to do unless this one is root."""
    if os.geteuid() != 0:
        return {}
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        raise Failed(f'there is no user "{name}"; name one with --user') from None
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def running(command, log, gentle=signal.SIGTERM, **how):
    """A server that writes what it says to a file. It is in a session of its own, so that Ctrl-C reaches
    this script alone, which then ends it: gently first, after a while by force."""
    with open(log, "wb") as said:
        server = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
            **how,
        )
    try:
        yield server
    finally:
        if server.poll() is None:
            server.send_signal(gentle)
            try:
                server.wait(PATIENCE)
            except BaseException:
                server.kill()
                server.wait()
                raise


def until_ready(server, log, what, ready):
    """Waits until `ready` answers; what a server said instead is the error."""
    begin = time.monotonic()
    while True:
        answer = ready()
        if answer is not None:
            return answer
        ended = server.poll() is not None
        if ended or time.monotonic() - begin > PATIENCE:
            how = f"ended with {server.returncode}" if ended else "does not answer"
            raise Failed(f"{what} {how}; it said:\n{tail(log)}")
        time.sleep(0.05)


def listens(port):
    """Whether somebody takes connections on the port: True, or None."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return None


def tail(log, lines=12):
    """The last lines of a file."""
    text = Path(log).read_text(errors="replace")
    return "\n".join(text.splitlines()[-lines:])


def core_seconds(root):
    """For how long a process, those that it started and those that have ended were on a core, where the
    system tells; it counts in hundredths."""
    stats = {}
    for folder in Path("/proc").glob("[0-9]*"):
        # A process may end while it is looked at.
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name of the program may hold anything; what follows it does not.
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            stats[int(folder.name)] = (int(fields[1]), sum(map(int, fields[11:15])))
    if root not in stats:
        return None
    family = {root}
    while True:
        more = {pid for pid, (parent, _) in stats.items() if parent in family} - family
        if not more:
            break
        family |= more
    return sum(stats[pid][1] for pid in family) / os.sysconf("SC_CLK_TCK")


def bytes_below(folder):
    """How many bytes the files below a folder have."""
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
