# SPDX-License-Identifier: Apache-2.0
"""OSCORE (RFC 8613) to a device that is libcoap's own server: whatever is killed at random moments, no sequence number comes twice."""
import json
import os
import random
import selectors
import signal
import socket
import sys
import threading
import time
import unittest

from harness import GatewayCase, main, wait_until
from harness.gateway import BUILD, Groups
from harness.process import Lines, Process
from test_coap_client import CoapClient, listens, two_free_ports

HAS_OSCORE = "#define HAVE_DECL_COAP_NEW_CLIENT_SESSION_OSCORE 1" in (BUILD / "config.h").read_text(encoding="ascii")
SECRET = "0102030405060708090a0b0c0d0e0f10"
ROUNDS = 10
OPTION_OSCORE = 9


def partial_iv(datagram):
    """Of the OSCORE option of a message; None where it has none."""
    at, number = 4 + (datagram[0] & 15), 0
    while at < len(datagram) and datagram[at] != 0xFF:
        parts, at = [datagram[at] >> 4, datagram[at] & 15], at + 1
        for i, part in enumerate(parts):
            if part == 13:
                parts[i], at = datagram[at] + 13, at + 1
            elif part == 14:
                parts[i], at = int.from_bytes(datagram[at:at + 2], "big") + 269, at + 2
        number += parts[0]
        if number == OPTION_OSCORE and parts[1] > 0 and datagram[at] & 7:
            return int.from_bytes(datagram[at + 1:at + 1 + (datagram[at] & 7)], "big")
        at += parts[1]
    return None


class Relay:
    """On the way between the gateway and the device: keeps each protected request by its Partial IV."""

    def __init__(self, port):
        self.front, self.back = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.front.bind(("127.0.0.1", 0))
        self.back.connect(("127.0.0.1", port))
        self.port = self.front.getsockname()[1]
        self.seen = {}  # partial IV: the datagrams with it
        self.unprotected = []
        self.client = None
        self.closing = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        selector = selectors.DefaultSelector()
        for end in self.front, self.back:
            selector.register(end, selectors.EVENT_READ)
        while not self.closing:
            for key, _ in selector.select(0.1):
                try:
                    self.pass_on(key.fileobj)
                except ConnectionRefusedError:
                    pass

    def pass_on(self, end):
        if end is self.back:
            self.front.sendto(self.back.recv(2048), self.client)
            return
        datagram, self.client = self.front.recvfrom(2048)
        number = partial_iv(datagram)
        if number is not None:
            self.seen.setdefault(number, set()).add(datagram)
        elif datagram[1] != 0:
            self.unprotected.append(datagram)
        self.back.send(datagram)

    def close(self):
        self.closing = True
        self.thread.join()
        self.front.close()
        self.back.close()


@unittest.skipUnless(HAS_OSCORE, "this libcoap has no OSCORE (that of Debian 13 has)")
class Oscore(GatewayCase):
    allowed = [r'(session|no session) with "meter-3"', r"meters", r"cloud"]
    settings = {"limits": {"restart_min_ms": 10, "restart_max_ms": 100}}

    def configuration(self, **changes):
        if not hasattr(self, "port"):
            self.port = two_free_ports()
            self.relay = Relay(self.port)
            self.addCleanup(self.relay.close)
        settings = super().configuration(**changes)
        cloud = settings["endpoints"][1]
        self.contexts = self.folder / "meters.oscore"
        self.write_context(SECRET)
        settings["endpoints"] = Groups([
            {"name": "meters", "adapter": "coap_client", "devices": [f"meter-3 coap://127.0.0.1:{self.relay.port}"],
             "oscore": str(self.contexts), "observe": ["meter-3 /time"], "poll": ["meter-3 /example_data 1"],
             "ack_timeout_ms": 1000, "retransmissions": 2, "backoff_min_ms": 100, "backoff_max_s": 1},
            cloud,
        ])
        settings["routes"] = Groups([
            {"name": "telemetry", "from": "meters", "match": "/{path}", "to": "cloud", "address": "up/{device}/{path}"},
        ])
        return settings

    def write_context(self, secret):
        self.contexts.touch(mode=0o600)
        self.contexts.write_text(
            f"[meter-3]\nmaster_secret = {secret}\nsender_id = 01\nrecipient_id = 02\n", encoding="ascii")

    def prepare(self):
        self.random = random.Random(time.time_ns())
        conf = self.folder / "device.oscore"
        conf.write_text(f'master_secret,hex,"{SECRET}"\nsender_id,hex,"02"\nrecipient_id,hex,"01"\n', encoding="ascii")
        device = Process(["coap-server-openssl", "-A", "127.0.0.1", "-p", str(self.port), "-k", "key", "-E", str(conf)],
                         Lines())
        self.addCleanup(device.kill)
        wait_until(lambda: listens(self.port + 1), "the device listens")

    def enrol(self):
        self.gateway.ctl("device", "add", "meter-3", "--enrol-only", "--endpoint", "meters")

    def pid(self):
        return wait_until(lambda: self.gateway.pid("meters"), "the process runs")

    def readings(self):
        return len([m for m in self.subscriber.messages() if m.topic == "up/meter-3/time"])

    def wait_for_more(self, more=2):
        count = self.readings() + more
        wait_until(lambda: self.readings() >= count, "more readings", 60)

    def assert_no_number_twice(self):
        self.assertEqual({n: len(d) for n, d in self.relay.seen.items() if len(d) > 1}, {})
        self.assertEqual(self.relay.unprotected, [])
        return max(self.relay.seen)


class Readings(Oscore):
    def test_readings_arrive_at_the_broker(self):
        self.enrol()
        self.wait_for_more(3)
        self.assertIn("AES-CCM-16-64-128", json.dumps(self.gateway.ctl("sessions")))
        self.assertEqual(self.gateway.endpoint("meters")["counters"]["refused_messages"], 0)
        self.assertLess(self.assert_no_number_twice(), 1024)


class Kills(Oscore):
    def rounds(self, kill):
        self.enrol()
        for _ in range(ROUNDS):
            self.wait_for_more(1)
            time.sleep(self.random.uniform(0, 1))  # the random moment
            kill()
        self.wait_for_more()
        print(f"{len(self.relay.seen)} numbers up to {self.assert_no_number_twice()}", file=sys.stderr)

    def test_of_the_endpoint(self):
        def kill():
            pid = self.pid()
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: self.gateway.pid("meters") not in (None, pid), "it runs again")
        self.rounds(kill)
        self.assertGreater(max(self.relay.seen), 1024 * ROUNDS)

    def test_of_the_core(self):
        def kill():
            self.gateway.kill()
            self.gateway.start()
        self.rounds(kill)

    def test_of_both(self):
        def kill():
            pid = self.pid()
            first, second = self.random.sample((lambda: os.kill(pid, signal.SIGKILL), self.gateway.kill), 2)
            first()
            second()
            self.gateway.start()
        self.rounds(kill)


class Loss(Oscore):
    allowed = Oscore.allowed + [r"notes", r"meter-3"]

    def said(self):
        return "\n".join(self.gateway.lines.all()).count("the numbers that it has used were lost")

    def damage(self):
        """Whole: a log beside the file would put it right again."""
        for path in self.gateway.state.glob("notes.db*"):
            path.write_bytes(b"this is no database" * 100)

    def loss_is_over(self):
        """Its note comes last; the core alone may open the file as a database."""
        return any(b"oscore-loss" in path.read_bytes() for path in self.gateway.state.glob("notes.db*"))

    def test_an_endpoint_that_outlives_the_loss_goes_on(self):
        """It tells the new file what it knows, and its next life goes on from there."""
        self.enrol()
        self.wait_for_more()
        pid = self.pid()
        self.gateway.kill()
        self.damage()
        self.gateway.start()
        self.wait_for_more()
        self.assertEqual(self.pid(), pid)
        wait_until(self.loss_is_over, "all is kept anew")
        self.gateway.kill()
        os.kill(pid, signal.SIGKILL)
        self.gateway.start()
        self.wait_for_more()
        self.assertEqual(self.said(), 0)
        self.assertGreaterEqual(self.assert_no_number_twice(), 1024)

    def test_a_context_whose_numbers_are_lost_is_left_alone(self):
        self.enrol()
        self.wait_for_more()
        self.assertEqual(self.gateway.stop(), 0)
        self.damage()
        before = set(self.relay.seen)
        self.gateway.start()
        wait_until(self.said, "it is said")
        self.assertEqual(self.gateway.stop(), 0)
        said = self.said()
        self.gateway.start()
        wait_until(lambda: self.said() > said, "it is said again")
        self.assertEqual(set(self.relay.seen), before)
        self.write_context("ff" + SECRET)
        self.gateway.ctl("reload")
        wait_until(lambda: set(self.relay.seen) != before or any(len(d) > 1 for d in self.relay.seen.values()),
                   "other keys are used")


@unittest.skipIf(HAS_OSCORE, "this libcoap has OSCORE")
class Absent(CoapClient):
    def configuration(self, **changes):
        contexts = self.folder / "meters.oscore"
        contexts.touch(mode=0o600)
        self.meters = {"oscore": str(contexts)}
        return super().configuration(**changes)

    def test_the_check_says_so(self):
        code, said = self.gateway.check()
        self.assertEqual(code, 0, said)
        self.assertIn('endpoint "meters": "oscore": a library that adapter coap_client was built with is too old', said)


if __name__ == "__main__":
    main()
