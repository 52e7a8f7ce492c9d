# SPDX-License-Identifier: Apache-2.0
"""The programs of packages that are installed here, without a systemd: for a root whose programs are run by qemu-user, as
packaging/cross makes it. Wants root, a broker and clients, and no /proc: qemu-user has a thread of its own there, and an endpoint that
sees a second thread does not shut its sandbox.

What qemu-user cannot do is not seen here: it knows neither Landlock nor seccomp, so that each endpoint says that its sandbox lacks
those layers; and speed, memory and the services of systemd are those of another machine.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PLACES = {"tidegated": "/usr/sbin/tidegated", "tidegatectl": "/usr/bin/tidegatectl"} | {
    name: f"/usr/libexec/tidegate/{name}" for name in ("tidegate-endpoint", "tidegate-renew")}
ADAPTERS = ["amqp", "coap", "coap_client", "dds", "hypercat", "hypercat_client", "loopback", "mqtt"]
# The harness looks for the programs in a build folder.
BUILD = Path(tempfile.mkdtemp(prefix="tidegate-installed-"))
os.environ["TG_BUILD"] = str(BUILD)
(BUILD / "config.h").write_text("", encoding="ascii")
for name, place in PLACES.items():
    (BUILD / name).symlink_to(place)
(BUILD / ".libs").symlink_to(next(Path("/usr/lib").glob("*/tidegate/adapters")))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
from harness import GatewayCase  # pylint: disable=wrong-import-position


def tearDownModule():
    shutil.rmtree(BUILD)


def run(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


class Programs(unittest.TestCase):
    def test_each_says_its_version(self):
        version = run("dpkg-query", "-W", "-f", "${Version}", "tidegate").stdout
        for program in ("tidegated", "tidegatectl"):
            result = run(program, "--version")
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertIn(re.match(r"[\d.]+", version)[0], result.stdout)

    def test_each_adapter_brings_its_settings(self):
        result = run("tidegated", "--schema-man")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for adapter in ADAPTERS:
            self.assertIn(f".Ss endpoints with adapter {adapter}\n", result.stdout)

    def test_the_configuration_as_delivered_is_good(self):
        run("install", "-d", "-o", "tidegate", "-g", "tidegate", "-m", "700", "/run/tidegate", "/var/lib/tidegate")
        made = run("runuser", "-u", "tidegate", "--", "/usr/libexec/tidegate/tidegate-identity")
        self.assertEqual(made.returncode, 0, made)
        checked = run("runuser", "-u", "tidegate", "--", "tidegated", "--check")
        self.assertEqual(checked.returncode, 0, checked)


class MainJob(GatewayCase):
    """Sensors with libcoap's client over DTLS, a mosquitto broker over TLS; both are this machine's, the gateway is not."""

    allowed = ["this kernel has no landlock", "this kernel has no seccomp"]

    def test_settings_with_their_defaults(self):
        code, text, problems = self.gateway.say("config", "--defaults")
        self.assertEqual((code, problems), (0, ""))
        for adapter in ("coap", "mqtt"):
            self.assertIn(f'adapter = "{adapter}"', text)

    def test_readings_of_both_kinds_of_sensors_arrive(self):
        for sensor in (self.psk_sensor("pump-1"), self.certificate_sensor("valve-2")):
            reply = sensor.post("temperature", "21.5")
            self.assertEqual(reply.code, "2.04", reply)
            message = self.subscriber.wait_for(1, lambda m, name=sensor.name: m.device == name)[0]
            self.assertEqual((message.topic, message.payload), (f"plant-7/hall-3/{sensor.name}/temperature", "21.5"))
        self.assertEqual(self.wait_drained()["delivered"], 2)


class Outage(GatewayCase):
    allowed = MainJob.allowed + [r"cloud: "]

    def test_readings_outlast_an_outage_and_a_kill(self):
        sensor = self.psk_sensor("pump-1")
        wanted = [f"held {number}" for number in range(5)]
        self.broker.stop()
        for text in wanted:
            self.assertEqual(sensor.post("t", text).code, "2.04")
        self.gateway.kill()
        self.gateway.start()
        self.broker.start()
        arrived = self.subscriber.wait_for(len(wanted), deadline_s=120)
        self.assertEqual(list(dict.fromkeys(message.payload for message in arrived)), wanted)
        self.wait_drained()


if __name__ == "__main__":
    unittest.main(verbosity=2)
