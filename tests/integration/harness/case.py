# SPDX-License-Identifier: Apache-2.0
"""The frame of a test case: a gateway between real parts, and the checks that every case ends with."""
import re
import shutil
import socket
import sys
import tempfile
import unittest
from pathlib import Path

from .broker import Broker
from .device import Device
from .gateway import SANITIZED, Gateway, configuration
from .pki import Pki
from .process import free_port, wait_until
from .sensors import Sensor, reading_of


class GatewayCase(unittest.TestCase):
    """Starts broker, subscriber and gateway. A case changes what it needs by the attributes below."""

    pki = None  # made once for all cases of a file
    settings = {}  # for configuration()
    allowed = []  # the warnings and errors that belong to this case, as regular expressions
    subscriber_qos = 1
    links = ["cloud"]  # what is up before a case begins

    @classmethod
    def setUpClass(cls):
        cls.root = Path(tempfile.mkdtemp(prefix="tidegate-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.root, ignore_errors=True)
        cls.pki = Pki(cls.root / "pki")

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(dir=self.root))
        self.coap_port = free_port(socket.SOCK_DGRAM)
        self.broker = Broker(self.folder, self.pki)
        self.addCleanup(self.broker.close)
        self.broker.start()
        self.subscriber = self.broker.subscribe(qos=self.subscriber_qos)
        self.gateway = Gateway(self.folder / "gateway", self.configuration())
        self.addCleanup(self.gateway.close)
        self.prepare()
        self.gateway.start()
        for name in self.links:
            self.wait_link(name)

    def prepare(self):
        """What a case does before the gateway starts for the first time."""

    def configuration(self, **changes):
        return configuration(self.pki, self.coap_port, [self.broker.port], **{**self.settings, **changes})

    def tearDown(self):
        """Whatever a case did: the ledger balances, the end is clean, and the log holds nothing unexpected."""
        if self.gateway.is_running():
            self.assert_balanced()
            self.assertEqual(self.gateway.stop(), 0, "tidegated did not end well")
        self.assert_log_is_clean()

    def run(self, result=None):
        """Shows what the gateway, the broker and its subscribers said behind a case that failed."""
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before and hasattr(self, "gateway"):
            print(f"---- the log of the gateway in {self.id()}:", *self.gateway.lines.all()[-100:], sep="\n", file=sys.stderr)
            print("---- the broker and its subscribers:", *self.broker.story()[-100:], sep="\n", file=sys.stderr)

    def wait_link(self, name):
        wait_until(lambda: self.gateway.endpoint(name)["link"] == "up", f"the link of '{name}' is up")

    def assert_balanced(self):
        status = self.gateway.status()
        for box in status["outboxes"] + status["mailboxes"]:
            ledger = box["ledger"]
            there = ledger["delivered"] + ledger["held"] + sum(ledger["dropped"].values())
            self.assertTrue(ledger["balanced"], ledger)
            self.assertEqual(ledger["accepted"], there, ledger)

    def assert_log_is_clean(self):
        # A build with sanitizers does without the filter of system calls, and says so.
        allowed = self.allowed + (["no seccomp"] if SANITIZED else [])
        unexpected = [
            line for line in self.gateway.complaints() if not any(re.search(pattern, line) for pattern in allowed)
        ]
        self.assertEqual(unexpected, [], "warnings or errors that nobody expected")

    def wait_drained(self, deadline_s=30):
        """Waits until nothing is held, and returns the ledger of the outbox to the cloud."""
        def drained():
            ledger = self.gateway.outbox()["ledger"]
            return ledger if ledger["held"] == 0 else None
        return wait_until(drained, "the outbox is empty", deadline_s)

    def psk_sensor(self, name, endpoint=None):
        return Sensor(name, self.coap_port, key=self.gateway.add_text_psk(name, endpoint))

    def psk_device(self, name, *options):
        """Enrolled now, and connected when this returns; `options` are those of tests/integration/device."""
        device = Device(name, self.coap_port, self.gateway.add_psk(name), *options)
        self.addCleanup(device.close)
        return device.start()

    def certificate_sensor(self, name, **leaf):
        self.pki.leaf(name, **leaf)
        self.gateway.add_certificate(name)
        return Sensor(name, self.coap_port, pki=self.pki)

    def keys(self, count, prefix="sensor-"):
        """Enrols sensors for the load generator."""
        names = [f"{prefix}{n:02}" for n in range(1, count + 1)]
        return {name: self.gateway.add_psk(name) for name in names}

    def assert_promises(self, load, summary):
        """Every acknowledged reading arrived; a repeat has the same id; each device's readings are in order."""
        acknowledged = load.acknowledged()
        self.assertTrue(acknowledged, "no reading was acknowledged: the case proves nothing")
        arrived = self.wait_for_readings_of(acknowledged)
        ids = {message.id for message in arrived}
        # A sensor that got no answer sends its reading again, as a new message.
        again = len(ids) - len({reading_of(message) for message in arrived})
        self.assertLessEqual(again, summary["unanswered"] + summary["sessions_lost"], "repeats under a new id")
        self.assert_order(arrived)

    def wait_for_readings_of(self, acknowledged, deadline_s=60):
        wanted = set(acknowledged)

        def all_here():
            arrived = {reading_of(message) for message in self.subscriber.messages()}
            return not wanted - arrived
        try:
            wait_until(all_here, "every acknowledged reading arrived", deadline_s)
        except AssertionError:
            missing = sorted(wanted - {reading_of(message) for message in self.subscriber.messages()})
            self.fail(f"LOST: {len(missing)} acknowledged readings did not arrive: {missing[:10]}; "
                      f"the cloud's counters: {self.gateway.endpoint('cloud')['counters']}")
        return self.subscriber.messages()

    def assert_order(self, messages):
        """What came first of each id is in order; repeats may come later."""
        seen, last = set(), {}
        for message in messages:
            if message.id in seen:
                continue
            seen.add(message.id)
            name, number = reading_of(message)
            self.assertGreaterEqual(number, last.get(name, 0), f"{name}: {number} came behind {last.get(name)}")
            last[name] = number


def main():
    """Runs the cases of the calling file; where all of them are skipped, says so in automake's way."""
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    result = program.result
    if result.wasSuccessful() and result.skipped and len(result.skipped) == result.testsRun:
        print(f"SKIPPED: {result.skipped[0][1]}")
        sys.exit(77)
    sys.exit(0 if result.wasSuccessful() else 1)
