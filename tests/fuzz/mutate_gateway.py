#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""100,000 mutated datagrams inside a DTLS session and as many outside of one: no process of the gateway ends, memory
stays flat, and a sensor is served as before. In a build with sanitizers a leak or a wild access ends a process too."""
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
from harness import BUILD, GatewayCase, main  # noqa: E402
from harness.process import run  # noqa: E402

COUNT = int(os.environ.get("TG_MUTATIONS", "100000"))
GROWTH_KB = 4096  # for what is remembered of answered messages, and the allocator
SESSIONS_KB = 64 * 96  # for the sessions that a run outside of one leaves behind, one of each peer


def pss_kb(pid):
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise AssertionError(f"no PSS of process {pid}")


SANITIZERS = "#define TG_SANITIZERS 1" in (BUILD / "config.h").read_text(encoding="utf-8")


class Mutated(GatewayCase):
    # What strangers make it say is bounded. Sanitizers call what the sandbox does not allow.
    allowed = [r"\d+ lines (of the log )?left out$", *(["this kernel has no seccomp"] if SANITIZERS else [])]

    def pids(self):
        return [self.gateway.process.pid, self.gateway.pid("field"), self.gateway.pid("cloud")]

    def mutate(self, inside, outside):
        code, out, err = run([BUILD / "tests/fuzz/mutate", "--server", f"127.0.0.1:{self.coap_port}",
                              "--keys", self.keys_file, "--inside", str(inside), "--outside", str(outside)],
                             deadline_s=900, check=False)
        self.assertEqual(code, 0, f"the gateway is dead: {err}{out}")
        return json.loads(out)

    def attack(self, inside, outside):
        self.keys_file = self.folder / "keys"
        self.keys_file.write_text(f"fuzz {self.gateway.add_psk('fuzz').hex()}\n", encoding="ascii")
        sensor = self.psk_sensor("honest")
        before = self.pids()
        self.mutate(inside // 2, outside // 2)
        sizes = [pss_kb(pid) for pid in before]
        print(json.dumps(self.mutate(inside // 2, outside // 2)))
        self.assertEqual(self.pids(), before, "a process has ended")
        counters = self.gateway.endpoint("field")["counters"]
        print({name: value for name, value in counters.items() if value}, self.gateway.outbox()["ledger"])
        most = GROWTH_KB + (SESSIONS_KB if outside else 0)
        for size, pid in zip(sizes, before):
            if not SANITIZERS:
                self.assertLess(pss_kb(pid) - size, most, "memory grows")
        self.assertEqual(sensor.post("t", "still here").code, "2.04")
        self.subscriber.wait_for(1, lambda message: message.payload == "still here")
        self.wait_drained()

    def tearDown(self):
        super().tearDown()
        self.assertEqual([line for line in self.gateway.lines.all() if "Sanitizer" in line], [])

    def test_inside_of_a_session(self):
        self.attack(COUNT, 0)

    def test_outside_of_a_session(self):
        self.attack(0, COUNT)


if __name__ == "__main__":
    main()
