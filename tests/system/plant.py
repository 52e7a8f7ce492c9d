# SPDX-License-Identifier: Apache-2.0
"""What the tests of the package have in common: a box with the gateway, a broker and a subscriber in it, sensors that send, and newer
versions of the package.

Wants root, mmdebstrap and systemd-nspawn, and the packages that packaging/build-deb has made (TG_PACKAGES names their folder).
TG_SYSTEM_ROOT can name a root made before, which saves the minute that it takes; it is copied and left as it is.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

from authority import make_certificates
from box import Box, call, wait_until
from roots import make_root

RELEASE = os.environ.get("TG_SYSTEM_RELEASE", "bookworm")
PACKAGES = Path(os.environ.get("TG_PACKAGES") or Path(os.environ.get("TG_BUILD", "build")) / "packages")
BROKER = """
listener 8883 127.0.0.1
cafile /srv/pki/cloud-ca.crt
certfile /srv/pki/broker.crt
keyfile /srv/pki/broker.key
require_certificate true
use_identity_as_username true
allow_anonymous false
max_inflight_messages 0
max_queued_messages 0
"""
CONFIGURATION = """
gateway: { name = "hall-3"; site = "plant-7"; };
endpoints: (
  { name = "field"; adapter = "coap"; listen = [ "coaps://[::]:5684" ];
    certificate = "/var/lib/tidegate/identity/gateway.crt"; key = "/var/lib/tidegate/identity/gateway.key";
    trust = "/var/lib/tidegate/identity/devices-ca.crt"; },
  { name = "cloud"; adapter = "mqtt"; broker = [ "mqtts://localhost:8883" ];
    certificate = "pki/cloud.crt"; key = "pki/cloud.key"; trust = "pki/cloud-ca.crt"; }
);
routes: (
  { name = "telemetry"; from = "field"; match = "/{path}"; to = "cloud"; address = "{site}/{gateway}/{device}/{path}"; }
);
"""
ANSWER = re.compile(r"^v:1 t:(?:ACK|CON|NON) c:([1-5]\.\d\d) ", re.MULTILINE)
# What the machine does by itself, in any box.
NOT_OURS = r"^/(var/(log|cache|lib/(dpkg|apt|systemd|mosquitto)|backups|spool)|run|tmp|proc|sys|dev|srv|var/tmp)(/|$)|^/etc/(passwd|group|g?shadow)-?$|^/etc/(mtab|\.pwd\.lock)$"
# What systemd says where endpoints wait for the next core; and where that was killed.
WAITING = ["remains running after unit stopped", "[Ff]ound left-over process", "This usually indicates unclean termination"]
KILLED = [*WAITING, "Main process exited, code=killed", "Failed with result 'signal'"]
# What systemd may say in a container on a machine with control groups of both versions.
OF_THE_CONTAINER = r"^Failed to attach \d+ to compat systemd cgroup"


class Sensor:
    """A device with a pre-shared key, in the box; one call of libcoap's client is one DTLS session and one request."""

    def __init__(self, box, name):
        self.box, self.name = box, name
        key = bytes.fromhex(json.loads(box.shell(f"tidegatectl --json device add {name} --psk --endpoint field"))["key"])
        while 0 in key or key.endswith(b"\n"):  # the client takes its key as a text
            key = bytes.fromhex(json.loads(box.shell(f"tidegatectl --json device rotate {name} --now"))["key"])
        self._key = "".join(f"\\{byte:03o}" for byte in key)

    def post(self, text, wait_s=20):
        """The code of the answer; "" where none came."""
        said = self.box.shell(
            f"coap-client-openssl -v 6 -m post -B {wait_s} -u {self.name} -k \"$(printf '{self._key}')\" "
            f"-e '{text}' coaps://127.0.0.1/temperature 2>&1", check=False)
        found = ANSWER.findall(said)
        return found[-1] if found else ""


class Heart(threading.Thread):
    """A sensor that sends once a second until it is told to stop, and remembers what was acknowledged."""

    def __init__(self, sensor, word):
        super().__init__(daemon=True)
        self._sensor, self._word, self._over = sensor, word, threading.Event()
        self.sent, self.acknowledged = 0, []

    def run(self):
        while not self._over.is_set():
            self.sent += 1
            text = f"{self._word}-{self.sent}"
            if self._sensor.post(text, wait_s=10) == "2.04":
                self.acknowledged.append(text)
            self._over.wait(1)

    def wait_beats(self, count):
        before = len(self.acknowledged)
        wait_until(lambda: len(self.acknowledged) >= before + count, f"{count} more readings are acknowledged")

    def end(self):
        self._over.set()
        self.join(60)


class PlantCase(unittest.TestCase):
    """One life of a box, told in the order of the names."""

    configuration = CONFIGURATION
    # The packages of adapters that belong to this life.
    adapters = ()
    certificate_days = 2

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="tidegate-system-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.packages = sorted(PACKAGES.glob("tidegate_*.deb"))
        if len(cls.packages) != 1:
            raise unittest.SkipTest(f"not one package of tidegate in {PACKAGES}: packaging/build-deb makes it")
        cls.packages += [path for name in cls.adapters for path in sorted(PACKAGES.glob(f"{name}_*.deb"))]
        if len(cls.packages) != 1 + len(cls.adapters):
            raise unittest.SkipTest(f"not one package each of {', '.join(cls.adapters)} in {PACKAGES}")
        root = cls.folder / "box"
        base = os.environ.get("TG_SYSTEM_ROOT")
        if base:
            call("cp", "-a", base, root)
        else:
            make_root(root, RELEASE, [path for path in PACKAGES.glob("tidegate*_*.deb") if "-dbgsym_" not in path.name])
        cls.box = Box(root)
        cls.addClassCleanup(cls.box.power_off)
        cls.box.prepare()
        cls.pki = cls.folder / "pki"
        make_certificates(cls.pki, cls.certificate_days)
        cls.version = call("dpkg-deb", "-f", cls.packages[0], "Version")[1].strip()
        cls.subscriber = None
        cls.received, cls.subscriber_said = [], []
        cls.sensor = None
        cls.box.boot()
        cls.files_before = cls.list_files()

    def run(self, result=None):
        """Shows what the gateway and systemd said behind a step that failed."""
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(f"---- the journal of the gateway in {self.id()}:", self.story(), sep="\n", file=sys.stderr)

    def story(self):
        try:
            return self.box.shell("journalctl -b -n 150 --no-pager -u 'tidegate*'; journalctl -b -n 30 --no-pager -u mosquitto", check=False)
        except (OSError, subprocess.SubprocessError, TypeError) as problem:
            return f"it cannot be read ({problem})"

    @classmethod
    def list_files(cls):
        found = cls.box.shell("find / -xdev -print").splitlines()
        return {path for path in found if not re.search(NOT_OURS, path)}

    def status(self):
        """What the gateway says about itself, as soon as there is one that does."""
        def ask():
            text = self.box.run("tidegatectl", "--json", "status", check=False)[1]
            return json.loads(text) if text.startswith("{") else None
        return wait_until(ask, "the gateway says how it is")

    def wait_links(self):
        def all_up():
            endpoints = [each for each in self.status()["endpoints"] if each["state"] != "removed"]
            return len(endpoints) == self.configuration.count("adapter =") and all(endpoint["link"] == "up" for endpoint in endpoints)
        wait_until(all_up, "all links are up")

    def subscribe(self):
        """Until the broker has confirmed it: after a power cut it may know nothing of this subscriber, and what came before is not for it."""
        process = self.box.follow_service(
            "stdbuf", "-oL", "mosquitto_sub", "-d", "-h", "localhost", "-p", "8883", "--cafile", "/srv/pki/cloud-ca.crt", "--cert",
            "/srv/pki/subscriber.crt", "--key", "/srv/pki/subscriber.key", "-V", "5", "-q", "1", "-c", "-i", "listener",
            "-x", "3600", "-t", "plant-7/#", "-F", "%t %p")
        confirmed, said = threading.Event(), type(self).subscriber_said

        def read():
            for line in map(str.rstrip, process.stdout):
                if line.startswith("plant-7/"):
                    self.received.append(line)
                elif line.startswith("Subscribed "):
                    confirmed.set()
                else:
                    said.append(line)
        threading.Thread(target=read, daemon=True).start()
        type(self).subscriber = process
        wait_until(confirmed.is_set, f"the subscriber is there; {said[-5:]}")

    def arrived(self, text):
        topic = f"plant-7/hall-3/pump-1/temperature {text}"
        wait_until(lambda: topic in self.received, f"'{text}' arrived; {self.received[-5:]}; {self.subscriber_said[-10:]}")

    def assert_works(self, text):
        self.assertEqual(self.sensor.post(text), "2.04")
        self.arrived(text)

    def assert_clock_is_asked(self):
        """The service may not ask the kernel itself; who may is at hand, and is asked."""
        self.assertEqual(self.box.shell("systemctl is-active tidegate-clock.socket").strip(), "active")
        running = self.box.shell("systemctl list-units --state=running --plain --no-legend 'tidegate-clock@*'")
        self.assertEqual(len(running.splitlines()), 1, running)
        self.assertEqual(self.box.shell("stat -c '%a %U %G' /run/tidegate-clock.sock"), "660 root tidegate\n")

    def assert_balanced(self):
        status = self.status()
        for outbox in status["outboxes"]:
            ledger = outbox["ledger"]
            self.assertEqual(ledger["accepted"], ledger["delivered"] + ledger["held"] + sum(ledger["dropped"].values()), ledger)
        self.assertTrue(status["ledger"]["balanced"])

    def main_pid(self):
        return int(self.box.shell("systemctl show -P MainPID tidegate"))

    def newer(self, suffix, change=None, package=None):
        """The same package under a higher version number, and changed where change(folder with its files) does so."""
        package = package or self.packages[0]
        name = package.name.split("_")[0]
        work = self.folder / f"{name}{suffix}"
        call("dpkg-deb", "-R", package, work)
        control = work / "DEBIAN/control"
        text = control.read_text(encoding="utf-8")
        for field in ("Version: %s", "Depends: tidegate (= %s)"):
            text = text.replace(field % self.version, field % f"{self.version}{suffix}")
        control.write_text(text, encoding="utf-8")
        if change:
            change(work)
            call("sh", "-c", "find . '(' -path ./DEBIAN -o -path ./etc ')' -prune -o -type f -printf '%P\\0' | sort -z | xargs -0 md5sum >DEBIAN/md5sums",
                 cwd=work)
        path = self.folder / f"{name}_{self.version}{suffix}.deb"
        call("dpkg-deb", "--root-owner-group", "-b", work, path)
        shutil.rmtree(work)
        return path

    def installed_version(self):
        return self.box.run("dpkg-query", "-W", "-f", "${Status} ${Version}", "tidegate", check=False)[1]

    def endpoint_pids(self):
        return {endpoint["name"]: endpoint["pids"] for endpoint in self.status()["endpoints"]}

    def identity(self):
        return self.box.shell("cd /var/lib/tidegate/identity && sha256sum gateway.key gateway.crt devices-ca.crt")

    def assert_journal_is_quiet(self, *allowed):
        text = self.box.shell("journalctl -b -q -o cat -p warning -u tidegate", check=False)
        unexpected = [l for l in text.splitlines() if not any(re.search(pattern, l) for pattern in allowed)]
        self.assertEqual(unexpected, [], "\n".join(["warnings or errors that nobody expected:", *unexpected]))

    def journal_cursor(self):
        """Where the journal ends by now."""
        return self.box.shell("journalctl -q -n 0 --show-cursor | sed -n 's/^-- cursor: //p'").strip()

    def journal_since(self, cursor, *words):
        """What the gateway's units and systemd about them have said since then, or since the boot."""
        since = [f"--after-cursor={cursor}"] if cursor else ["-b"]
        return self.box.run("journalctl", "-q", "-o", "cat", *since, *words, "-u", "tidegate*", check=False)[1]

    def assert_quiet_since(self, cursor, *allowed):
        lines = self.journal_since(cursor, "-p", "warning").splitlines()
        unexpected = [line for line in lines if not any(re.search(pattern, line) for pattern in (*allowed, OF_THE_CONTAINER))]
        self.assertEqual(unexpected, [], "\n".join(["warnings or errors that nobody expected:", *unexpected]))

    def begin_main_job(self, links=True):
        """Broker, subscriber, the gateway's configuration, and a sensor."""
        for name in ("cloud-ca.crt", "broker.crt", "broker.key", "subscriber.crt", "subscriber.key"):
            self.box.write(f"/srv/pki/{name}", (self.pki / name).read_text(encoding="ascii"), 0o640, "root:mosquitto")
        self.box.write("/etc/mosquitto/conf.d/cloud.conf", BROKER)
        self.box.run("systemctl", "restart", "mosquitto")
        self.subscribe()
        for name in ("cloud-ca.crt", "cloud.crt", "cloud.key"):
            self.box.write(f"/etc/tidegate/pki/{name}", (self.pki / name).read_text(encoding="ascii"), 0o600,
                           "tidegate:tidegate")
        self.box.write("/etc/tidegate/tidegate.conf", self.configuration)
        self.box.run("tidegated", "--check")
        self.box.run("systemctl", "reload", "tidegate")
        if links:
            self.wait_links()
        type(self).sensor = Sensor(self.box, "pump-1")


def main(*cases, steps=None):
    """Runs them; `steps`: no more than so many of each, from the first."""
    missing = [name for name in ("mmdebstrap", "systemd-nspawn", "nsenter", "dpkg-scanpackages") if not shutil.which(name)]
    if os.geteuid() != 0 or missing:
        print(f"SKIPPED: the package was NOT tested: {'not root' if os.geteuid() else 'missing here: ' + ', '.join(missing)}")
        sys.exit(77)
    begin = time.monotonic()
    loaded = map(unittest.defaultTestLoader.loadTestsFromTestCase, cases)
    suite = unittest.TestSuite([step for case in loaded for step in list(case)[:steps]])
    result = unittest.TextTestRunner(verbosity=2, failfast=True).run(suite)
    if result.skipped:
        print(f"SKIPPED: {result.skipped[0][1]}")
        sys.exit(77)
    print(f"{result.testsRun} steps in {time.monotonic() - begin:.0f} s")
    sys.exit(not result.wasSuccessful())
