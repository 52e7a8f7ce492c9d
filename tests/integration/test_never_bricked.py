# SPDX-License-Identifier: Apache-2.0
"""Whatever is wrong with certificates, keys or the clock: the gateway starts, takes readings in from devices that can prove who they
are, keeps them, says what is wrong, and recovers by itself once it is put right. Nothing is reloaded or restarted by hand."""
import os
import shutil
import time

from harness import FakeClock, GatewayCase, main, wait_until

GARBAGE = b"\x00\xff this is no certificate\n" * 50


class Bricks(GatewayCase):
    """Certificates, keys and anchors of both endpoints lie in a folder of the case's own; `broken` says which of them are not good at
    the start."""

    links = []
    broken = {}  # file: what is in its place, see put()
    allowed = [r"certificate|trust|key|link is down|broker|the clock |handshake with .* failed|goes on with its old settings|is gone;"
               r"|TLS cannot be set up|no broker is connected to|credentials not taken over|(server|file) is "]

    def configuration(self, **changes):
        self.files = self.folder / "pki"
        self.files.mkdir(exist_ok=True)
        for name in ("gateway.crt", "gateway.key", "devices-ca.crt", "cloud.crt", "cloud.key", "cloud-ca.crt"):
            if not (self.files / name).exists():
                self.put(name)
        for name, content in self.broken.items():
            self.put(name, content)
        return super().configuration(
            field={"certificate": self.files / "gateway.crt", "key": self.files / "gateway.key",
                   "trust": self.files / "devices-ca.crt"},
            cloud={"certificate": self.files / "cloud.crt", "key": self.files / "cloud.key",
                   "trust": self.files / "cloud-ca.crt"}, **changes)

    def put(self, name, content=True):
        """Puts a file into its place: the good one (True), none (None), bytes, or another of the authority's (a name)."""
        path, fresh = self.files / name, self.files / f"{name}.new"
        if content is None:
            path.unlink(missing_ok=True)
            return
        if isinstance(content, bytes):
            fresh.write_bytes(content)
        else:
            shutil.copy(self.pki.folder / (name if content is True else content), fresh)
        fresh.chmod(0o600)
        os.replace(fresh, path)

    def mend(self):
        for name in self.broken:
            self.put(name)

    def problems(self):
        return "\n".join(self.gateway.status()["problems"])

    def wait_problem(self, words):
        wait_until(lambda: words in self.problems(), f"status says '{words}'")

    def assert_takes_readings(self, sensor, count=3):
        """They are taken in, acknowledged and, without a link, held."""
        for number in range(count):
            self.assertEqual(sensor.post("t", f"{time.monotonic()} {number}").code, "2.04")

    def assert_all_arrive(self, count):
        self.wait_link("cloud")
        self.subscriber.wait_for(count)
        ledger = self.wait_drained()
        self.assertEqual((ledger["accepted"], ledger["delivered"]), (count, count), ledger)
        self.assert_balanced()

    def wait_well(self):
        wait_until(lambda: self.gateway.status()["problems"] == [], "all is well again")


class Field(Bricks):
    """The endpoint that sensors connect to: those with a key never notice."""

    def check(self, words):
        pump = self.psk_sensor("pump-1")
        valve = self.certificate_sensor("valve-2")
        self.wait_problem(words)
        self.assert_takes_readings(pump)
        self.assertEqual(valve.post("t", "nobody is there for it", wait_s=2).code, "")
        self.mend()
        # A question is not counted, however often it is asked.
        wait_until(lambda: valve.request("get", ".well-known/core", wait_s=3).code == "2.05", "the certificate is taken in")
        self.assertEqual(valve.post("t", "again").code, "2.04")
        self.wait_well()
        self.assert_takes_readings(pump)
        self.assert_all_arrive(7)


class FieldCertificateMissing(Field):
    broken = {"gateway.crt": None}

    def test(self):
        self.check("cannot be read")


class FieldCertificateGarbage(Field):
    broken = {"gateway.crt": GARBAGE}

    def test(self):
        self.check("holds no certificate")


class FieldKeyOfAnother(Field):
    broken = {"gateway.key": "cloud.key"}

    def test(self):
        self.check("is not the key of the certificate")


class FieldKeyGarbage(Field):
    broken = {"gateway.key": GARBAGE}

    def test(self):
        self.check("holds no private key")


class FieldTrustMissing(Field):
    broken = {"devices-ca.crt": None}

    def test(self):
        self.check("cannot be read")


class FieldTrustExpired(Field):
    broken = {"devices-ca.crt": "devices-ca-old.crt"}

    def configuration(self, **changes):
        self.pki.expired_authority("devices-ca-old", "devices-ca")
        return super().configuration(**changes)

    def test(self):
        self.check("no longer lets in devices with certificates issued under")


class FieldCertificateExpired(Bricks):
    """Served all the same: it is the device's decision whether to take it."""

    broken = {"gateway.crt": "gateway-old.crt", "gateway.key": "gateway-old.key"}

    def configuration(self, **changes):
        self.pki.expired_leaf("gateway-old")
        return super().configuration(**changes)

    def test(self):
        pump = self.psk_sensor("pump-1")
        self.wait_problem("devices that check who endpoint \"field\" is can no longer connect to it")
        self.assert_takes_readings(pump)
        self.mend()
        self.wait_well()
        self.assertEqual(self.certificate_sensor("valve-2").post("t", "1").code, "2.04")
        self.assert_all_arrive(4)


class Cloud(Bricks):
    """The endpoint that connects to the broker: readings are kept until it can."""

    def check(self, words):
        pump = self.psk_sensor("pump-1")
        self.wait_problem(words)
        self.assertNotEqual(self.gateway.endpoint("cloud")["link"], "up")
        self.assert_takes_readings(pump)
        self.assertEqual(self.gateway.outbox()["ledger"]["held"], 3)
        self.assertEqual(self.gateway.endpoint("cloud")["restarts"], 0)
        self.mend()
        self.wait_well()
        self.assert_all_arrive(3)


class CloudCertificateMissing(Cloud):
    broken = {"cloud.crt": None}

    def test(self):
        self.check("cannot be read")


class CloudCertificateGarbage(Cloud):
    broken = {"cloud.crt": GARBAGE}

    def test(self):
        self.check("holds no certificate")


class CloudKeyMissing(Cloud):
    broken = {"cloud.key": None}

    def test(self):
        self.check("cannot be read")


class CloudKeyOfAnother(Cloud):
    broken = {"cloud.key": "gateway.key"}

    def test(self):
        self.check("is not the key of the certificate")


class CloudTrustGarbage(Cloud):
    broken = {"cloud-ca.crt": GARBAGE}

    def test(self):
        self.check("holds no certificate")


class CloudCertificateExpired(Cloud):
    broken = {"cloud.crt": "cloud-old.crt", "cloud.key": "cloud-old.key"}

    def configuration(self, **changes):
        self.pki.expired_leaf("cloud-old", "cloud-ca")
        return super().configuration(**changes)

    def test(self):
        self.check('endpoint "cloud" can no longer log in: certificate "CN=cloud-old" expired')


class CloudTrustExpired(Cloud):
    """The authority was renewed with the same key, and the box still has its old certificate."""

    broken = {"cloud-ca.crt": "cloud-ca-old.crt"}

    def configuration(self, **changes):
        self.pki.expired_authority("cloud-ca-old", "cloud-ca")
        return super().configuration(**changes)

    def test(self):
        self.check("no longer accepts servers with certificates issued under")


class Everything(Cloud):
    """Nothing at all is left."""

    broken = {name: None for name in ("gateway.crt", "gateway.key", "devices-ca.crt", "cloud.crt", "cloud.key", "cloud-ca.crt")}

    def test(self):
        self.check("cannot be read")


class Clocks(Bricks):
    """A box that has never seen the right time: the build date is older than its certificates."""

    moment = 0

    def prepare(self):
        self.clock = FakeClock(self.folder, self.gateway)
        self.clock.set(self.moment)

    def check(self):
        pump = self.psk_sensor("pump-1")
        self.gateway.lines.wait_line(r"the clock says .* using 20")
        self.wait_problem("is not believed")
        self.assert_takes_readings(pump)
        self.clock.right(synchronised=True)
        self.wait_well()
        self.assertEqual(self.certificate_sensor("valve-2").post("t", "1").code, "2.04")
        self.assert_all_arrive(4)


class Clock1970(Clocks):
    moment = 100

    def test(self):
        self.check()


class Clock2099(Clocks):
    moment = "2099-01-01"

    def test(self):
        self.check()


class ClockWhileRunning(Clocks):
    """The right time was known, and held messages are not thrown away by a clock that runs wild."""

    links = ["cloud"]

    def prepare(self):
        self.clock = FakeClock(self.folder, self.gateway)

    def test(self):
        pump = self.psk_sensor("pump-1")
        self.broker.stop()
        self.assert_takes_readings(pump)
        for moment in (100, "2099-01-01"):
            self.clock.set(moment)
            self.wait_problem("is not believed")
            self.assert_takes_readings(pump)
            self.assertEqual(self.gateway.stop(), 0)
            self.gateway.start()
        self.broker.start_with_subscribers()
        self.assert_all_arrive(9)
        self.clock.right(synchronised=True)
        self.wait_well()


if __name__ == "__main__":
    main()
