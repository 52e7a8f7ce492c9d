# SPDX-License-Identifier: Apache-2.0
"""A flood of handshakes that nobody means, as fast as one processor can send them, while sensors do their work. What is asserted
here does not depend on the speed of the machine; `make bench` (part flood) measures the rest."""
import re
import unittest

from harness import BUILD, SANITIZED, GatewayCase, Load, main, wait_until
from harness.process import Lines, Process

SENSORS = 50
RATE = 10  # readings a second and sensor
FLOOD_S = 6
MEMORY_KB = 4 * 1024  # what may stay: buffers of the kernel's making, and what the allocator keeps for next time


def pss_kb(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return int(re.search(r"^Pss:\s+(\d+) kB$", rollup.read(), re.MULTILINE).group(1))


@unittest.skipIf(SANITIZED, "a build with sanitizers is neither small nor fast")
class Flood(GatewayCase):
    settings = {"field": {"handshake_s": 5}}
    allowed = [r"handshake with .* failed", r"wrote too much", r"left out"]

    def counter(self, name):
        return self.gateway.endpoint("field")["counters"][name]

    def flood(self, *options):
        """Returns what was sent and answered."""
        lines = Lines()
        process = Process([BUILD / "tests/bench/flood", "--server", f"127.0.0.1:{self.coap_port}", "--seconds", str(FLOOD_S),
                           *map(str, options)], lines)
        self.assertEqual(process.wait(120), 0)
        process.wait_lines()
        return lines.all()[-1]

    def load(self, keys, *options):
        return Load(self.folder, self.coap_port, keys, "--rate", RATE, "--ack-timeout", 5, "--linger", 60, *options)

    def go_through(self, *flood_options):
        keys = self.keys(SENSORS)
        self.load(keys, "--count", 20).start().wait(120)  # warm
        pid = self.gateway.pid("field")
        before = pss_kb(pid)
        load = self.load(keys, "--first", 1000).start()
        print("flood:", self.flood(*flood_options))
        summary = load.stop()
        print("readings:", {key: summary[key] for key in ("acknowledged", "retransmitted", "latency_ms")})
        self.assertEqual((summary["sessions_lost"], summary["unanswered"], summary["strange"]), (0, 0, 0), summary)
        self.assertEqual(summary["acknowledged"], summary["sent"], summary)
        self.assertFalse(summary["refused"], summary)
        self.wait_for_readings_of(load.acknowledged(), 120)
        wait_until(lambda: self.counter("half_open") == 0, "all that was begun is forgotten", 60)
        print(f"memory: {before} kB before, {pss_kb(pid)} kB afterwards")
        wait_until(lambda: pss_kb(pid) - before < MEMORY_KB, "memory is back to where it was", 60)
        self.assertEqual(self.gateway.pid("field"), pid)
        self.assertEqual(self.psk_sensor("honest").post("t", "still works").code, "2.04")

    def test_without_cookies(self):
        """From forged addresses, so to speak: nobody reads the answers."""
        self.go_through("--rate", 1000000, "--ports", 16)

    def test_with_cookies(self):
        """From many addresses that are their own."""
        self.go_through("--rate", 1000000, "--half-open")


if __name__ == "__main__":
    main()
