# SPDX-License-Identifier: Apache-2.0
"""The store: not touched while the link is healthy, full, and damaged."""
import hashlib
import random

from harness import GatewayCase, Load, main, wait_until
from harness.process import run

KIB = 1024


class HealthyLink(GatewayCase):
    # A busy test machine must not look like a slow broker.
    settings = {"outbox": {"hold_ms": 20000}}

    def fingerprint(self):
        """All of the outbox's files, with their contents and times."""
        files = sorted(self.gateway.state.glob("outbox*"))
        return [(f.name, f.stat().st_mtime_ns, hashlib.sha256(f.read_bytes()).hexdigest()) for f in files]

    def test_10000_readings_write_nothing(self):
        keys = self.keys(20)
        before = self.fingerprint()
        load = Load(self.folder, self.coap_port, keys, "--count", 500).start()
        summary = load.wait()
        self.assertEqual(summary["acknowledged"], 10000, summary)
        self.assert_promises(load, summary)
        self.assertEqual(self.fingerprint(), before)
        self.assertEqual(self.gateway.status()["store"]["commits"], 0)


class FullDisk(GatewayCase):
    allowed = [r"cloud", r"store", r"full", r"refus"]
    settings = {"outbox": {"disk_bytes": 1024 * KIB * KIB}}

    def configuration(self, **changes):
        """The state folder is made a small file system of its own before the gateway starts."""
        state = self.folder / "gateway" / "state"
        state.mkdir(parents=True)
        code, _, problem = run(["mount", "-t", "tmpfs", "-o", "size=4m", "tidegate-test", state], check=False)
        if code:
            self.skipTest(f"no right to mount a small file system: the full disk was NOT tested ({problem.strip()})")
        self.addCleanup(run, ["umount", "-l", state])
        return super().configuration(**changes)

    def test_full(self):
        keys = self.keys(20)
        load = Load(self.folder, self.coap_port, keys, "--payload", 1000, "--refused", "count").start()
        self.subscriber.wait_for(100)
        self.broker.stop()
        wait_until(lambda: self.refused() > 100, "full is said in honest words")
        self.assert_balanced()
        self.broker.start()
        accepted = self.gateway.outbox()["ledger"]["accepted"]
        wait_until(lambda: self.gateway.outbox()["ledger"]["accepted"] > accepted + 100, "readings are taken again")
        summary = load.stop()
        self.assertGreater(summary["refused"].get("5.03", 0), 100, summary)
        self.assert_promises(load, summary)
        self.wait_drained()

    def refused(self):
        return self.gateway.status()["ledger"]["refused"].get("full", 0)


class DamagedStore(GatewayCase):
    allowed = [r"cloud", r"outbox\.db", r"store", r"set aside", r"damaged", r"salvage"]

    def fill_and_stop(self):
        self.broker.stop()
        load = Load(self.folder, self.coap_port, self.keys(20), "--count", 100).start()
        load.wait()
        held = self.gateway.outbox()["held_disk"]
        self.assertGreater(held, 1000)
        self.assertEqual(self.gateway.stop(), 0)
        return held

    def assert_works(self):
        aside = [f for f in self.gateway.state.iterdir() if f.name.startswith("outbox.db.")]
        self.assertTrue(aside, f"the damaged file is kept: {list(self.gateway.state.iterdir())}")
        self.assertTrue(self.gateway.status()["problems"], "the operator is told")
        self.assertTrue(self.gateway.complaints(), "the log is loud about it")
        self.broker.start()
        sensor = self.psk_sensor("pump-1")
        self.assertEqual(sensor.post("t", "afterwards").code, "2.04")
        self.subscriber.wait_for(1, lambda m: m.payload == "afterwards")
        self.wait_drained()

    def test_garbage_instead_of_the_file(self):
        self.fill_and_stop()
        garbage = random.Random(1).randbytes(256 * KIB)
        for file in self.gateway.state.glob("outbox.db*"):
            file.write_bytes(garbage)
        self.gateway.start()
        self.assert_works()

    def test_damage_in_the_middle(self):
        """What can still be read comes back."""
        held = self.fill_and_stop()
        file = self.gateway.state / "outbox.db"
        content = bytearray(file.read_bytes())
        middle = len(content) // 2 // 4096 * 4096
        content[middle:middle + 4096] = random.Random(2).randbytes(4096)
        file.write_bytes(content)
        self.gateway.start()
        store = self.gateway.status()["store"]
        if store["set_aside"]:
            self.assertGreater(store["salvaged"], held // 2)
            self.assert_works()
        else:  # a page that nothing used
            self.broker.start()
            self.wait_drained()
        self.assertGreater(len({m.id for m in self.subscriber.messages()}), held // 2)


if __name__ == "__main__":
    main()
