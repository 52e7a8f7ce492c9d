# SPDX-License-Identifier: Apache-2.0
"""Boxes that come up in a state of their own: with a root that cannot be written, and with a clock that is wrong.

The clock of a container is that of the machine, which is not to be touched. So the service, its endpoints and what it runs at its first
start have a library preloaded by a drop-in that gives them another time of day (tests/integration/fake_clock.c); systemd and its
journal keep the right one. See plant.py for what this wants.
"""
import os
import struct
import time
from datetime import datetime, timezone
from pathlib import Path

from box import call, wait_until
from plant import WAITING, PlantCase, Sensor, main

SOURCE = Path(os.environ.get("TG_SOURCE", Path(__file__).resolve().parents[2]))
STATE = "/var/lib/tidegate"
DAY_S = 86400
NEAR_S = 600
# The service as it is, and every process of it with that library.
DROPIN = """[Service]
Environment=LD_PRELOAD=/srv/fake_clock.so FAKE_CLOCK=/srv/clock
ExecStart=
ExecStart=/usr/sbin/tidegated --endpoint-program /srv/endpoint
"""
ENDPOINT = """#!/bin/sh
LD_PRELOAD=/srv/fake_clock.so FAKE_CLOCK=/srv/clock exec /usr/libexec/tidegate/tidegate-endpoint "$@"
"""


def seconds(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class ReadOnly(PlantCase):
    """Nothing can be written but the state folder, which is a disk of its own, and what is in memory."""

    def boot_read_only(self):
        self.state.mkdir(exist_ok=True)
        self.box.power_off()
        self.box.boot("--read-only", "--tmpfs=/var/log:mode=755", "--tmpfs=/var/tmp:mode=1777", "--tmpfs=/tmp:mode=1777",
                      f"--bind={self.state}:{STATE}", f"--bind={self.broker}:/var/lib/mosquitto",
                      f"--tmpfs=/var/lib/systemd:mode=755")
        code, said = self.box.run("touch", "/etc/written", "/usr/written", "/var/lib/written", check=False)
        self.assertNotEqual(code, 0)
        self.assertEqual(said.count("Read-only file system"), 3, said)
        self.assertEqual(self.box.shell("systemctl is-active tidegate").strip(), "active", self.story())

    def test_01_installed_while_it_could_be_written(self):
        type(self).state, type(self).broker = self.folder / "state", self.folder / "broker"
        self.box.publish(self.packages)
        self.box.apt("install", "tidegate")
        self.begin_main_job()
        self.assert_works("first")

    def test_02_goes_on_with_a_root_that_cannot(self):
        self.box.run("systemctl", "stop", "tidegate", "mosquitto")
        call("cp", "-a", f"{self.box.root}{STATE}", self.state)
        call("cp", "-a", f"{self.box.root}/var/lib/mosquitto", self.broker)
        self.boot_read_only()
        self.subscribe()
        self.wait_links()
        self.assert_works("read-only")
        endpoints = self.endpoint_pids()
        self.box.run("systemctl", "restart", "tidegate")
        self.wait_links()
        self.assertEqual(self.endpoint_pids(), endpoints)
        self.assert_works("restarted")
        self.box.run("systemctl", "reload", "tidegate")
        self.assert_works("reloaded")
        self.assertEqual(self.status()["problems"], [])
        self.assert_quiet_since(None, *WAITING)

    def test_03_keeps_readings_over_a_power_cut(self):
        self.box.run("systemctl", "stop", "mosquitto")
        wait_until(lambda: self.status()["endpoints"][1]["link"] != "up", "the link is down")
        for number in range(5):
            self.assertEqual(self.sensor.post(f"held-{number}"), "2.04")
        self.box.power_off(hard=True)
        self.boot_read_only()
        self.subscribe()
        for number in range(5):
            self.arrived(f"held-{number}")
        self.wait_links()
        self.assert_quiet_since(None, "cloud", "broker")

    def test_04_begins_anew_where_the_disk_is_a_new_one(self):
        self.box.power_off()
        type(self).state = self.folder / "another-state"
        self.boot_read_only()
        self.subscribe()
        self.wait_links()
        type(self).sensor = Sensor(self.box, "pump-1")
        self.assert_works("anew")
        self.assertEqual(self.box.shell(f"ls {STATE}/identity").split(), ["devices-ca.crt", "gateway.crt", "gateway.key"])
        self.assert_quiet_since(None)


class Clock(PlantCase):
    """A box without a clock of its own, from its very first start."""

    certificate_days = 7300

    def put_clock(self):
        library = self.folder / "fake_clock.so"
        call(*os.environ.get("CC", "cc").split(), "-shared", "-fPIC", "-o", library, SOURCE / "tests/integration/fake_clock.c")
        call("cp", library, self.box.root / "srv/fake_clock.so")
        self.box.write("/srv/endpoint", ENDPOINT, 0o755)
        for unit in ("tidegate.service", "tidegate-clock@.service"):
            self.box.write(f"/etc/systemd/system/{unit}.d/clock.conf", DROPIN if unit == "tidegate.service" else
                           "".join(DROPIN.splitlines(keepends=True)[:2]))
        (self.box.root / "srv/clock").write_bytes(bytes(16))
        self.box.run("systemctl", "daemon-reload")

    def set_clock(self, moment, synchronised=False):
        """It says this from now on, and goes on from there."""
        moment = seconds(moment) if isinstance(moment, str) else moment
        with open(self.box.root / "srv/clock", "r+b") as file:
            file.write(struct.pack("=qq", round(moment - time.time()), synchronised))

    def reboot_at(self, moment, synchronised=False):
        self.box.power_off(hard=True)
        self.set_clock(moment, synchronised)
        self.box.boot()
        self.assertEqual(self.box.shell("systemctl is-active tidegate").strip(), "active", self.story())
        self.subscribe()

    def assert_time(self, moment, state):
        wait_until(lambda: self.status()["clock"]["state"] == state, f"the clock is '{state}': {self.status()['clock']}")
        self.assertLess(abs(seconds(self.status()["clock"]["time"]) - moment), NEAR_S, self.status()["clock"])

    def wait_certificates(self, state):
        def all_so():
            text = self.box.run("tidegatectl", "--json", "certs", check=False)[1]
            return state in text
        wait_until(all_so, f"a certificate is '{state}'")

    def assert_well(self, *allowed):
        self.wait_links()
        wait_until(lambda: self.status()["problems"] == [], "no problem is left")
        self.assertTrue(self.status()["ledger"]["balanced"])
        self.assert_quiet_since(None, r"the clock ", r"(certificate|trust|server|authority|file) is ", *allowed)

    def test_01_the_very_first_start_is_in_1970(self):
        """What it makes for itself then is good today."""
        self.put_clock()
        self.set_clock(60)
        self.box.publish(self.packages)
        self.box.apt("install", "tidegate")
        self.assertEqual(self.status()["state"], "running")
        self.assertIn("notBefore=Jan  1 00:0", self.box.shell(f"openssl x509 -noout -startdate -in {STATE}/identity/gateway.crt"))
        self.box.shell(f"openssl x509 -noout -checkend {29 * 365 * DAY_S} -in {STATE}/identity/gateway.crt")
        self.begin_main_job(links=False)
        self.assertEqual(self.status()["clock"]["state"], "behind")
        held = [f"in-1970-{number}" for number in range(5)]
        for text in held:
            self.assertEqual(self.sensor.post(text), "2.04")
        self.set_clock(time.time(), synchronised=True)
        self.assert_time(time.time(), "synchronised")
        for text in held:
            self.arrived(text)
        self.assert_well("cloud", "TLS|broker|handshake")

    def test_02_each_boot_is_in_1970(self):
        for moment in (5, 3600):
            self.reboot_at(moment)
            self.assert_time(time.time(), "behind")
            self.wait_links()
            self.assert_works(f"booted in 1970, at {moment}")
            self.set_clock(time.time(), synchronised=True)
            self.assert_time(time.time(), "synchronised")
            self.assert_works(f"told the truth after {moment}")
            self.assert_well()

    def test_03_over_the_end_of_32_bits(self):
        """A clock that a time server confirms: seconds before 2038-01-19T03:14:08Z, and on."""
        moment = 2**31 - 20
        self.reboot_at(moment, synchronised=True)
        self.assert_time(moment, "synchronised")
        self.wait_links()
        self.assert_works("before")
        wait_until(lambda: seconds(self.status()["clock"]["time"]) > 2**31 + 5, "the 32 bits are over")
        self.assert_works("after")
        for restart in ("restart", "reload"):
            self.box.run("systemctl", restart, "tidegate")
            self.wait_links()
            self.assert_works(restart)
        self.assert_well(*WAITING)
        self.reboot_at("2044-02-29T12:00:00Z", synchronised=True)
        self.assert_time(seconds("2044-02-29T12:00:00Z"), "synchronised")
        self.wait_links()
        self.assert_works("a leap day")
        self.assert_well()

    def test_04_when_every_certificate_has_expired(self):
        """2107 is beyond 32 bits without a sign too, and a time server said so. Who has a key is taken in, and what he sends is kept.
        Back goes the clock by an operator's word alone."""
        self.reboot_at("2107-01-01T00:00:00Z", synchronised=True)
        self.assert_time(seconds("2107-01-01T00:00:00Z"), "synchronised")
        self.wait_certificates("expired")
        held = [f"in-2107-{number}" for number in range(5)]
        for text in held:
            self.assertEqual(self.sensor.post(text), "2.04")
        self.set_clock(time.time(), synchronised=True)
        self.assert_time(seconds("2107-01-01T00:00:00Z"), "behind")
        self.assertEqual(self.sensor.post("still kept"), "2.04")
        self.box.run("tidegatectl", "clock", "accept")
        self.assert_time(time.time(), "synchronised")
        for text in (*held, "still kept"):
            self.arrived(text)
        self.assert_well("cloud", "TLS|broker|handshake")

    def test_05_a_clock_that_nobody_confirms_is_not_believed(self):
        self.reboot_at("2099-05-04T00:00:00Z")
        self.assert_time(time.time(), "ahead")
        self.wait_links()
        self.assert_works("not in 2099")
        self.set_clock(time.time(), synchronised=True)
        self.assert_time(time.time(), "synchronised")
        self.assert_well()


if __name__ == "__main__":
    main(ReadOnly, Clock)
