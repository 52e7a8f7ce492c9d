# SPDX-License-Identifier: Apache-2.0
"""DDS through the real gateway: participants made with CycloneDDS's own tools, a domain of its own on the loopback interface."""
import json
import os
import random
import signal
import socket
import subprocess
import time

from harness import GatewayCase, main, wait_until
from harness.gateway import BUILD, Groups
from harness.process import Lines

DEADLINE_S = 60
PORTS = 12  # of one domain that participants of ours use


class Domain:
    """A number that no test on this machine uses at the same time, by the same mark as tests/adapter/dds_rig.c."""

    def __init__(self):
        for _ in range(200):
            self.number = random.randrange(1, 230)
            self._mark = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self._mark.bind(f"\0tidegate-test-dds-{self.number}")
                for port in range(PORTS):
                    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                        probe.bind(("127.0.0.1", 7410 + 250 * self.number + port))
                return
            except OSError:
                self._mark.close()
        raise AssertionError("no free domain")

    def close(self):
        self._mark.close()


class Peer:
    """tests/adapter/dds_peer.c: told what to do line by line."""

    def __init__(self, domain, role, topic, kind, *options):
        self.process = subprocess.Popen(
            [BUILD / "tests/adapter/dds_peer", str(domain.number), role, topic, kind, *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = Lines()
        self.lines.follow(self.process.stdout)
        self.expect("ready")

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def expect(self, line, count=1):
        self.lines.wait_for(lambda lines: sum(said == line for said in lines) >= count, f"a peer says {line}", DEADLINE_S)

    def do(self, line, answer):
        before = sum(said == answer for said in self.lines.all())
        self.say(line)
        self.expect(answer, before + 1)

    def samples(self):
        return [line for line in self.lines.all() if line.startswith("sample ")]

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()


class DdsCase(GatewayCase):
    """cell (dds) -> cloud (mqtt), field (coap) -> cell."""

    links = ["cloud", "cell"]
    cell = {}
    allowed = [r"is insecure", r"insecure = true"]

    def setUp(self):
        self.domain = Domain()
        self.addCleanup(self.domain.close)
        super().setUp()

    def configuration(self, **changes):
        settings = super().configuration(**changes)
        settings["endpoints"] = Groups([
            *settings["endpoints"],
            {"name": "cell", "adapter": "dds", "domain": self.domain.number, "interfaces": ["lo"],
             "peers": ["127.0.0.1"], "topics": ["T"], "insecure": True, **self.cell},
        ])
        settings["routes"] = Groups([
            {"name": "samples", "from": "cell", "match": "/{path}", "to": "cloud", "address": "up/{device}/{path}"},
            {"name": "down", "from": "field", "match": "/{topic}", "to": "cell", "address": "{topic}"},
        ])
        return settings

    def peer(self, *words):
        peer = Peer(self.domain, *words)
        self.addCleanup(peer.close)
        return peer

    def arrived(self):
        """The numbers of the readings that the cloud has, in order."""
        return [json.loads(m.payload)["data"]["seq"] for m in self.subscriber.messages() if m.topic.startswith("up/")]

    def wait_numbers(self, count):
        wait_until(lambda: len(set(self.arrived())) >= count, f"{count} readings arrive", DEADLINE_S)
        return self.arrived()


class Ways(DdsCase):
    def test_samples_go_to_the_cloud(self):
        writer = self.peer("write", "T", "Reading", "instances=3")
        writer.do("match 1", "matched")
        writer.do("write 0 100", "written")
        self.assertEqual(sorted(self.wait_numbers(100)), list(range(100)))
        message = self.subscriber.messages()[0]
        self.assertEqual((message.device, message.topic), ("cell", "up/cell/T/0"))
        payload = json.loads(message.payload)
        self.assertEqual(payload["state"], "alive")
        self.assertEqual(payload["key"], {"id": 0})
        self.assertIn("INSECURE", self.gateway.endpoint("cell")["detail"])
        self.wait_drained()

    def test_readings_of_devices_become_samples(self):
        reader = self.peer("read", "Set", "Reading")
        sensor = self.psk_sensor("meter-1")
        reading = json.dumps({"data": {"id": 4, "seq": 2, "value": 0.5, "scale": "KELVIN", "text": "from coap"}})
        self.assertEqual(sensor.post("Set", reading).code, "2.04")
        wait_until(lambda: reader.samples() == ["sample 4 2 0.5 1 from coap"], "the sample arrives", DEADLINE_S)
        wait_until(lambda: self.gateway.outbox("cell")["ledger"]["delivered"] == 1, "it is delivered", DEADLINE_S)


if __name__ == "__main__":
    main()
