#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The load generator keeps to CoAP's rules when network and server are bad, and its record and figures are true: proved
against the program `echo`, which notes what it answered with 2.04."""
import getpass
import json
import os
import re
import secrets
import socket
import subprocess
import tempfile
import unittest
from collections import defaultdict
from pathlib import Path

BUILD = Path(os.environ.get("TG_BUILD", "."))
SENSORS = 20


class Echo:
    def __init__(self, *options):
        self._child = subprocess.Popen([BUILD / "tests/bench/echo", *map(str, options)], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, encoding="ascii")
        self.server = re.search(r"127.0.0.1:\d+", self._child.stdout.readline()).group()

    def end(self):
        self._child.terminate()
        self._child.stdout.close()
        return self._child.wait(30)


class Tools(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tidegate-tools-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.keys, self.record, self.answered = (self.folder / name for name in ("keys", "record", "answered"))
        self.keys.write_text("".join(f"s{n:03} {secrets.token_hex(16)}\n" for n in range(SENSORS)), encoding="ascii")
        self.security = ["--keys", self.keys]

    def echo(self, *options):
        security = [*self.security, "--count", SENSORS] if self.security else []
        echo = Echo(*security, "--record", self.answered, *options)
        self.addCleanup(lambda: self.assertEqual(echo.end(), 0))
        return echo

    def tool(self, name, *arguments):
        done = subprocess.run([BUILD / "tests/bench" / name, *map(str, arguments)], stdin=subprocess.DEVNULL,
                              capture_output=True, encoding="ascii", timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def load(self, echo, *arguments):
        security = self.security or ["--plain"]
        summary = self.tool("loadgen", "--server", echo.server, *security, "--sensors", SENSORS, "--record", self.record,
                            *arguments)
        self.assertEqual(summary["strange"], 0)
        return summary

    def assert_record_is_true(self, echo, summary, complete):
        """Each sensor's readings are in the record once and in order, and the server answered each of them."""
        self.assertEqual(echo.end(), 0)
        answered = set(line.strip() for line in self.answered.read_text(encoding="ascii").splitlines())
        lines = self.record.read_text(encoding="ascii").splitlines()
        numbers = defaultdict(list)
        for line in lines:
            self.assertIn(line, answered)
            name, number = line.split()
            numbers[name].append(int(number))
        self.assertEqual(len(lines), summary["acknowledged"])
        for name, found in numbers.items():
            self.assertEqual(found, sorted(set(found)), name)
            if complete:
                self.assertEqual(found, list(range(1, complete + 1)), name)

    def test_good_network(self):
        echo = self.echo()
        summary = self.load(echo, "--count", 500, "--idle", 0)
        self.assertEqual(summary["cipher"], "PSK-AES128-CCM8")
        self.assertEqual((summary["sent"], summary["retransmitted"], summary["separate"]), (SENSORS * 500, 0, 0))
        self.assert_record_is_true(echo, summary, 500)

    def test_separate_responses(self):
        echo = self.echo("--separate")
        summary = self.load(echo, "--count", 100)
        self.assertEqual(summary["separate"], SENSORS * 100)
        self.assert_record_is_true(echo, summary, 100)

    def test_bad_network(self):
        """Lost datagrams, separate responses, refusals and ended sessions at once."""
        echo = self.echo("--drop", 5, "--separate", "--end", 20, "--refuse", 2)
        summary = self.load(echo, "--count", 30, "--ack-timeout", 0.02, "--response-timeout", 0.5, "--seconds", 40)
        self.assertGreater(summary["retransmitted"], 0)
        self.assertGreater(summary["sessions_lost"], 0)
        self.assertGreater(summary["refused"]["5.03"], 0)
        self.assertGreater(summary["handshakes"], SENSORS)
        self.assert_record_is_true(echo, summary, 30)

    def test_refusals_are_counted_only(self):
        echo = self.echo("--refuse", 50)
        summary = self.load(echo, "--count", 100, "--refused", "count")
        self.assertEqual(summary["sent"], SENSORS * 100)
        self.assertEqual(summary["acknowledged"] + summary["refused"]["5.03"], SENSORS * 100)
        self.assert_record_is_true(echo, summary, None)

    def test_nobody_answers(self):
        echo = self.echo("--drop", 100)
        summary = self.load(echo, "--count", 1, "--connect-timeout", 0.5, "--seconds", 0.5)
        self.assertEqual((summary["connected"], summary["acknowledged"]), (0, 0))

    def test_plain(self):
        self.security = None
        echo = self.echo("--drop", 10)
        summary = self.load(echo, "--count", 100, "--ack-timeout", 0.02)
        self.assertGreater(summary["retransmitted"], 0)
        self.assertEqual(summary["handshakes"], 0)

    def test_rate(self):
        echo = self.echo()
        summary = self.load(echo, "--rate", 50, "--seconds", 2)
        self.assertAlmostEqual(summary["acknowledged"], SENSORS * 50 * 2, delta=SENSORS * 2)

    def test_handshakes(self):
        echo = self.echo()
        phase = self.load(echo, "--handshakes", 200, "--parallel", 8, "--count", 0)["handshake_phase"]
        self.assertEqual((phase["done"], phase["failed"]), (200, 0))
        self.assertGreater(phase["p99_ms"], 0)

    def test_flood(self):
        echo = self.echo()
        summary = self.tool("flood", "--server", echo.server, "--rate", 1000, "--seconds", 1)
        self.assertGreater(summary["sent"], 900)
        self.assertGreater(summary["answered"], 0.9 * summary["sent"])
        half = self.tool("flood", "--server", echo.server, "--rate", 500, "--seconds", 1, "--half-open", "--addresses", 999)
        self.assertEqual(half["half_opened"] > 0, True)

    def test_mutate_inside(self):
        echo = self.echo()
        done = subprocess.run([BUILD / "tests/fuzz/mutate", "--server", echo.server, "--keys", self.keys, "--inside", "2000",
                               "--outside", "0", "--seed", "5"], capture_output=True, encoding="ascii", timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        summary = json.loads(done.stdout)["inside"]
        self.assertGreaterEqual(summary["sent"], 2000)
        self.assertTrue(summary["alive"])

    def test_mutate_tells_a_dead_server(self):
        done = subprocess.run([BUILD / "tests/fuzz/mutate", "--server", "127.0.0.1:9", "--keys", self.keys, "--inside", "1",
                               "--connect-timeout", "1"], capture_output=True, encoding="ascii", timeout=60, check=False)
        self.assertNotEqual(done.returncode, 0)



class PipeTool(unittest.TestCase):
    """What goes in at a mosquitto and comes out of it again."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tidegate-tools-")
        self.addCleanup(folder.cleanup)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        file = Path(folder.name) / "mosquitto.conf"
        file.write_text(f"user {getpass.getuser()}\nlistener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n",
                        encoding="ascii")
        broker = subprocess.Popen(["mosquitto", "-c", file], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8")
        self.addCleanup(broker.stderr.close)
        self.addCleanup(broker.wait, 30)
        self.addCleanup(broker.terminate)
        for line in broker.stderr:
            if line.rstrip().endswith(" running"):
                break

    def pipe(self, *arguments):
        return subprocess.run([BUILD / "tests/bench/pipe", "--from", str(self.port), "--to", str(self.port), "--warm-up", "0",
                               "--seconds", "0.5", *arguments], capture_output=True, encoding="ascii", timeout=60, check=False)

    def test_what_arrives_is_counted(self):
        done = self.pipe("--window", "50", "--linger", "30")
        self.assertEqual(done.returncode, 0, done.stderr)
        summary = json.loads(done.stdout)
        self.assertGreater(summary["sent"], 100)
        self.assertEqual((summary["missing"], summary["repeated"], summary["acknowledged"]), (0, 0, summary["sent"]))
        self.assertAlmostEqual(summary["rate"], summary["counted"] / summary["seconds"], delta=1 + summary["rate"] / 100)

    def test_what_does_not_arrive_is_missing(self):
        done = self.pipe("--window", "50", "--linger", "0.5", "--topic", "elsewhere")
        self.assertEqual(done.returncode, 0, done.stderr)
        summary = json.loads(done.stdout)
        self.assertEqual((summary["sent"], summary["missing"], summary["counted"]), (50, 50, 0))


if __name__ == "__main__":
    unittest.main()
