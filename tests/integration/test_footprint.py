# SPDX-License-Identifier: Apache-2.0
"""A small machine has room for it: the memory of core, coap and mqtt when nothing happens, and the time to READY."""
import re
import time
import unittest

from harness import SANITIZED, GatewayCase, main

MEMORY_KB = 20 * 1024  # core, coap and mqtt together
READY_S = 0.3
STARTS = 5


def pss_kb(pid):
    """The memory of a process, with its share of what it has in common with others."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        return int(re.search(r"^Pss:\s+(\d+) kB$", rollup.read(), re.MULTILINE).group(1))


@unittest.skipIf(SANITIZED, "a build with sanitizers is neither small nor fast")
class Footprint(GatewayCase):
    def test_idle_memory(self):
        sensor = self.psk_sensor("pump-1")
        self.assertEqual(sensor.post("t", "1").code, "2.04")
        self.wait_drained()
        pids = {"core": self.gateway.process.pid, "field": self.gateway.pid("field"), "cloud": self.gateway.pid("cloud")}
        sizes = {name: pss_kb(pid) for name, pid in pids.items()}
        print("idle memory (PSS):", ", ".join(f"{name} {size:,} kB" for name, size in sizes.items()))
        self.assertLessEqual(sum(sizes.values()), MEMORY_KB, sizes)

    def test_start(self):
        """The shortest of some starts: what takes the others longer is the rest of the machine."""
        taken = []
        for _ in range(STARTS):
            self.assertEqual(self.gateway.stop(), 0)
            begin = time.monotonic()
            self.gateway.start()
            taken.append(time.monotonic() - begin)
            self.wait_link("cloud")
        print("start to READY:", ", ".join(f"{seconds * 1000:.0f} ms" for seconds in taken))
        self.assertLess(min(taken), READY_S)


if __name__ == "__main__":
    main()
