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
    allowed = [r"cloud", r"store", r"full", r"refus", r"last time seen cannot be kept"]
    settings = {"store": {"reserve_bytes": 2 * KIB * KIB}}

    def configuration(self, **changes):
        """The state folder is made a small file system of its own before the gateway starts."""
        state = self.folder / "gateway" / "state"
        state.mkdir(parents=True)
        code, _, problem = run(["mount", "-t", "tmpfs", "-o", "size=12m,mode=700", "tidegate-test", state], check=False)
        if code:
            self.skipTest(f"no right to mount a small file system: the full disk was NOT tested ({problem.strip()})")
        self.addCleanup(run, ["umount", "-l", state])
        return super().configuration(**changes)

    def test_full(self):
        late = self.psk_sensor("late")
        load = Load(self.folder, self.coap_port, self.keys(20), "--payload", 1000, "--refused", "count").start()
        self.subscriber.wait_for(100)
        self.broker.stop()
        wait_until(lambda: self.refused() > 100, "full is said in honest words")
        self.assert_balanced()
        reply = late.post("t", "x" * 900)
        self.assertEqual(reply.code, "5.03", reply)
        self.assertGreaterEqual(int(reply.options["Max-Age"]), 1)
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
    """What waits is kept in two files: one of them may be damaged without losing a message."""

    allowed = [r"cloud", r"outbox", r"store", r"damaged"]

    def setUp(self):
        super().setUp()
        self.broker.stop()
        self.load = Load(self.folder, self.coap_port, self.keys(20), "--count", 100).start()
        self.summary = self.load.wait()
        self.held = self.gateway.outbox()["held_disk"]
        self.assertGreater(self.held, 1000)
        self.assertEqual(self.gateway.stop(), 0)

    def overwrite(self, pattern, where=slice(None)):
        files = list(self.gateway.state.glob(pattern))
        self.assertTrue(files, f"no {pattern} in {list(self.gateway.state.iterdir())}")
        for file in files:
            content = bytearray(file.read_bytes())
            content[where] = random.Random(1).randbytes(len(content[where]))
            file.write_bytes(content)

    def assert_loud(self):
        aside = [file for file in self.gateway.state.iterdir() if "corrupt" in file.name]
        self.assertTrue(aside, f"the damaged file is kept: {list(self.gateway.state.iterdir())}")
        self.assertTrue(self.gateway.status()["problems"], "the operator is told")
        self.assertTrue([line for line in self.gateway.complaints() if line.startswith("error: ")], "so is the log")

    def assert_nothing_is_lost(self):
        self.gateway.start()
        self.assert_loud()
        self.assertEqual(self.gateway.outbox()["ledger"]["held"], self.held)
        self.broker.start()
        self.assert_promises(self.load, self.summary)
        self.wait_drained()

    def test_garbage_in_the_store(self):
        self.overwrite("outbox.db*")
        self.assert_nothing_is_lost()

    def test_garbage_in_the_mirror(self):
        self.overwrite("outbox-mirror.db*")
        self.assert_nothing_is_lost()

    def test_damage_in_the_middle(self):
        size = (self.gateway.state / "outbox.db").stat().st_size
        self.overwrite("outbox.db", slice(size // 2, size // 2 + 8 * KIB))
        self.assert_nothing_is_lost()

    def test_garbage_in_both(self):
        """Nothing can be saved, but the gateway starts, says so, and works."""
        self.overwrite("outbox*.db*")
        self.gateway.start()
        self.assert_loud()
        self.broker.start()
        sensor = self.psk_sensor("pump-1")
        self.assertEqual(sensor.post("t", "afterwards").code, "2.04")
        self.subscriber.wait_for(1, lambda m: m.payload == "afterwards")
        self.wait_drained()


if __name__ == "__main__":
    main()
