"""The parts of peers.py that need no server: python3 -m unittest discover examples/bench."""

import sys
import tempfile
import unittest
from pathlib import Path

from parts import figures, load, machine, process, table
from parts.failures import Failed


class Load(unittest.TestCase):
    def test_events_have_their_number_and_mean_length(self):
        events = load.events(20_000, 50.5, seed=1)
        self.assertEqual(len(events), 20_000)
        self.assertAlmostEqual(sum(map(len, events)) / len(events), 50.5, delta=1)
        self.assertEqual((min(map(len, events)), max(map(len, events))), (25, 76))
        self.assertEqual(events, load.events(20_000, 50.5, seed=1))
        self.assertNotEqual(events, load.events(20_000, 50.5, seed=2))
        self.assertEqual(load.events(0, 50.5, seed=1), [])

    def test_shares_are_all_of_it(self):
        self.assertEqual(load.shares(11, 4), [3, 3, 3, 2])

    def test_chunks_keep_the_order(self):
        self.assertEqual(load.chunks([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]])

    def test_copy_has_the_form_of_its_manual(self):
        row = "0005 00000004 00000002 00000008 0000000000000007 00000004 00000001"
        row += "00000008 0000000000000007 00000003 616263"
        second = row.replace("0000000000000007", "0000000000000008")
        second = second.replace("00000003 616263", "00000000")
        whole = "5047434f50590aff0d0a00 00000000 00000000" + row + second + "ffff"
        self.assertEqual(load.copy_rows(2, 7, [b"abc", b""]), bytes.fromhex(whole))

    def test_an_array_has_its_binary_form(self):
        whole = "00000001 00000000 00000011 00000002 00000001 00000002 6162 00000000"
        self.assertEqual(load.array([b"ab", b""]), bytes.fromhex(whole))

    def test_blocks_hold_all_events_and_are_no_larger_than_allowed(self):
        events = load.events(500, 60, seed=3)
        blocks = load.blocks(events, limit=1_000)
        self.assertLessEqual(max(map(len, blocks)), 1_000)
        # But for the last one they are full: the next event would not fit.
        self.assertGreater(min(map(len, blocks[:-1])), 1_000 - 4 - 90)
        found, rest = [], b"".join(blocks)
        while rest:
            end = 4 + int.from_bytes(rest[:4], "big")
            found.append(rest[4:end])
            rest = rest[end:]
        self.assertEqual(found, events)

    def test_ranks_are_the_nearest(self):
        sample = list(range(200, 0, -1))
        ranks = [load.percentile(sample, percent) for percent in (50, 99, 100, 0)]
        self.assertEqual(ranks, [100, 198, 200, 1])
        self.assertIsNone(load.percentile([], 50))


class Measured(unittest.TestCase):
    def test_what_nobody_measured_is_no_zero(self):
        one = figures.Figures(1_000)
        one.took(0.5)
        one.core(2.0, 2.0)
        one.acks([], [])
        self.assertEqual(one.values["events_per_second"], 2_000)
        for key in ("cpu_ns_per_event", "single_ack_p50_us", "sealed_bytes_per_event"):
            self.assertIsNone(one.values[key], key)
        one.core(2.0, 2.5)
        self.assertEqual(one.values["cpu_ns_per_event"], 500_000)

    def test_the_middle_is_of_the_rounds_that_have_a_figure(self):
        rounds = []
        for rate, core in ((100, 5.0), (900, None), (300, 9.0)):
            values = dict.fromkeys(figures.KEYS)
            values.update(events=1_000, events_per_second=rate, cpu_ns_per_event=core)
            rounds.append(values)
        values = figures.middle(rounds)
        self.assertEqual(values["events_per_second"], 300)
        self.assertEqual(values["cpu_ns_per_event"], 7.0)
        self.assertIsNone(values["single_ack_p99_us"])
        self.assertEqual(values["events_per_second_min"], 100)
        self.assertEqual(values["events_per_second_max"], 900)

    def test_every_row_says_something_of_every_peer(self):
        for what, answers in table.DOES.items():
            self.assertEqual(len(answers), len(table.NAMES), what)

    def test_the_file_system_is_that_of_the_nearest_mount(self):
        self.assertIn("cores", machine.describe("/"))
        if Path("/proc/mounts").exists():
            self.assertEqual(machine.describe("/proc")["file_system"], "proc")


class Processes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = Path(folder.name) / "log"

    def python(self, program):
        return process.running([sys.executable, "-c", program], self.log)

    def test_a_server_ends_whatever_happens(self):
        with self.assertRaises(KeyboardInterrupt):
            with self.python("import time; time.sleep(600)") as server:
                raise KeyboardInterrupt
        self.assertIsNotNone(server.returncode)

    def test_one_that_does_not_start_says_why(self):
        with self.assertRaisesRegex(Failed, "ended with 3; it said:\nno room"):
            with self.python("import sys; print('no room'); sys.exit(3)") as server:
                process.until_ready(server, self.log, "the server", lambda: None)

    @unittest.skipUnless(Path("/proc/self/stat").exists(), "there is no /proc")
    def test_core_time_is_that_of_the_whole_family(self):
        burn = "import time\nwhile time.process_time() < 0.3: pass\n"
        family = f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {burn!r}])\n"
        family += "print('done', flush=True); time.sleep(600)"
        with self.python(family) as server:
            done = lambda: "done" in self.log.read_text() or None
            process.until_ready(server, self.log, "the family", done)
            self.assertGreater(process.core_seconds(server.pid), 0.25)
        self.assertIsNone(process.core_seconds(server.pid))


if __name__ == "__main__":
    unittest.main()
