# SPDX-License-Identifier: Apache-2.0
"""The gateway as client of devices that are CoAP servers: libcoap's example servers, a broker and its clients, none of them ours."""
import json
import os
import random
import re
import socket
import subprocess

from harness import GatewayCase, main, wait_until
from harness.gateway import Groups
from harness.process import Lines, Process, claim

KEY = "a key of sixteen bytes and more"


def two_free_ports():
    """libcoap's server takes the one above for DTLS."""
    for _ in range(1000):
        port = random.randrange(20000, 31998, 2)
        if not (claim(port) and claim(port + 1)):
            continue
        try:
            for number in port, port + 1:
                for kind in socket.SOCK_DGRAM, socket.SOCK_STREAM:
                    with socket.socket(socket.AF_INET, kind) as probe:
                        probe.bind(("127.0.0.1", number))
            return port
        except OSError:
            continue
    raise AssertionError("no two free ports")


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """A device: /time changes each second, /example_data is what was put there last."""

    def __init__(self, flavour="openssl"):
        self.port = two_free_ports()
        self.host = "127.0.0.1"
        self.program = f"coap-server-{flavour}"
        self.process = None

    def start(self, *more):
        self.process = Process([self.program, "-A", "127.0.0.1", "-p", str(self.port), "-k", KEY, *more], Lines())
        wait_until(lambda: listens(self.port + 1), "the device listens")

    def stop(self):
        self.process.kill()

    @property
    def uri(self):
        return f"coaps://{self.host}:{self.port + 1}"


class CoapClient(GatewayCase):
    meters = {}
    flavour = "openssl"
    host = "127.0.0.1"
    allowed = [r'(session|no session) with "meter-3"']

    def prepare(self):
        self.device.start()
        self.addCleanup(self.device.stop)

    def configuration(self, **changes):
        self.device = Server(self.flavour)
        self.device.host = self.host
        settings = super().configuration(**changes)
        cloud = settings["endpoints"][1]
        settings["endpoints"] = Groups([
            {"name": "meters", "adapter": "coap_client", "devices": [f"meter-3 {self.device.uri}"],
             "ack_timeout_ms": 1000, "retransmissions": 2, "backoff_min_ms": 100, "backoff_max_s": 1, **self.meters},
            cloud,
        ])
        settings["routes"] = Groups([
            {"name": "telemetry", "from": "meters", "match": "/{path}", "to": "cloud", "address": "up/{device}/{path}"},
            {"name": "commands", "from": "cloud", "match": "down/{device}/{path}", "to": "meters", "address": "/{path}",
             "response": "answer/{device}/{path}"},
        ])
        return settings

    def enrol(self):
        path = self.folder / "devices.csv"
        path.write_text(f"name,endpoint,key\nmeter-3,meters,{KEY.encode().hex()}\n", encoding="ascii")
        code, _, err = self.gateway.say("device", "import", str(path))
        self.assertEqual(code, 0, err)

    def arrived(self, topic):
        return [m for m in self.subscriber.messages() if m.topic == topic]

    def wait_arrived(self, topic, count=1):
        wait_until(lambda: len(self.arrived(topic)) >= count, f"{count} messages at {topic}")
        return self.arrived(topic)

    def publish(self, topic, payload, method):
        subprocess.run([
            "mosquitto_pub", "-V", "5", "-h", "127.0.0.1", "-p", str(self.broker.port), "-q", "1", "-t", topic, "-m", payload,
            "-D", "publish", "user-property", "method", method, "--cafile", self.pki.certificate("cloud-ca"),
            "--cert", self.pki.certificate("subscriber"), "--key", self.pki.key("subscriber"),
        ], check=True, timeout=30)


class Readings(CoapClient):
    meters = {"observe": ["meter-3 /time"], "poll": ["meter-3 /example_data 1"], "revalidate": False}

    def test_observed_and_polled_resources_arrive_at_the_broker(self):
        self.enrol()
        times = self.wait_arrived("up/meter-3/time", 3)
        self.assertTrue(all(re.search(r"\d\d:\d\d:\d\d", m.payload) for m in times), times)
        self.assertEqual({m.device for m in times}, {"meter-3"})
        self.assertGreater(len(set(m.payload for m in times)), 1)
        self.wait_arrived("up/meter-3/example_data", 2)
        sessions = self.gateway.ctl("sessions")
        self.assertIn("meter-3", json.dumps(sessions))

    def test_a_device_that_restarts_is_observed_again(self):
        self.enrol()
        self.wait_arrived("up/meter-3/time", 2)
        self.device.stop()
        wait_until(lambda: "meter-3" not in json.dumps(self.gateway.ctl("sessions")), "the session is over")
        before = len(self.arrived("up/meter-3/time"))
        self.device.start()
        self.wait_arrived("up/meter-3/time", before + 2)

    def test_a_revoked_device_is_left_at_once(self):
        self.enrol()
        self.wait_arrived("up/meter-3/time", 2)
        self.gateway.ctl("device", "revoke", "meter-3")
        wait_until(lambda: "meter-3" not in json.dumps(self.gateway.ctl("sessions")), "the session is over")


class ReadingsGnuTls(CoapClient):
    flavour = "gnutls"
    meters = {"discover": ["*"], "discover_poll_s": 1}

    def test_discovered_resources_arrive_at_the_broker(self):
        self.enrol()
        self.wait_arrived("up/meter-3/time", 3)
        self.wait_arrived("up/meter-3/async")


class Named(CoapClient):
    """Behind the sandbox a name is looked up in a thread."""
    host = "localhost"
    meters = {"poll": ["meter-3 /time 1"]}

    def test_a_device_is_found_by_its_name(self):
        self.enrol()
        self.wait_arrived("up/meter-3/time")


class Commands(CoapClient):
    def test_commands_reach_the_device_and_their_answers_the_broker(self):
        self.enrol()
        payload = "x" * 3000
        self.publish("down/meter-3/example_data", payload, "PUT")
        self.wait_arrived("answer/meter-3/example_data")
        self.publish("down/meter-3/example_data", "", "GET")
        answers = self.wait_arrived("answer/meter-3/example_data", 2)
        self.assertEqual(answers[1].payload, payload)

    def test_a_command_waits_for_a_device_that_is_away(self):
        self.enrol()
        self.device.stop()
        self.publish("down/meter-3/example_data", "late", "PUT")
        wait_until(lambda: self.gateway.endpoint("meters")["counters"].get("commands_later", 0) > 0, "it has to wait")
        self.assertEqual(self.arrived("answer/meter-3/example_data"), [])
        self.device.start()
        self.wait_arrived("answer/meter-3/example_data")
        self.publish("down/meter-3/example_data", "", "GET")
        self.assertEqual(self.wait_arrived("answer/meter-3/example_data", 2)[1].payload, "late")


if __name__ == "__main__":
    os.environ.setdefault("TMPDIR", "/tmp")
    main()
