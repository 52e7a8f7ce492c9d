# SPDX-License-Identifier: Apache-2.0
"""The package on a Debian with a systemd of its own: installed by apt, at work between real clients, hurt, upgraded, removed.

Wants root, mmdebstrap and systemd-nspawn, and the packages that packaging/build-deb has made (TG_PACKAGES names their folder).
TG_SYSTEM_ROOT can name a root made before, which saves the minute that it takes; it is copied and left as it is.
"""
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

from authority import make_certificates
from box import Box, call, make_root, wait_until

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
# What systemd says when the core was killed and its endpoints wait for the next one.
KILLED = ["Main process exited, code=killed", "Failed with result 'signal'", "remains running after unit stopped",
          "[Ff]ound left-over process", "^This usually indicates unclean termination"]
# What the machine does by itself, in any box.
NOT_OURS = r"^/(var/(log|cache|lib/(dpkg|apt|systemd|mosquitto)|backups|spool)|run|tmp|proc|sys|dev|srv|var/tmp)(/|$)|^/etc/(passwd|group|g?shadow)-?$|^/etc/(mtab|\.pwd\.lock)$"


class Sensor:
    """A device with a pre-shared key, in the box; one call of libcoap's client is one DTLS session and one request."""

    def __init__(self, box, name):
        self.box, self.name = box, name
        key = bytes.fromhex(json.loads(box.shell(f"tidegatectl --json device add {name} --psk"))["key"])
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


class Package(unittest.TestCase):
    """One life of a box, told in the order of the names."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="tidegate-system-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.packages = [path for path in sorted(PACKAGES.glob("tidegate_*.deb"))]
        if len(cls.packages) != 1:
            raise unittest.SkipTest(f"not one package of tidegate in {PACKAGES}: packaging/build-deb makes it")
        root = cls.folder / "box"
        base = os.environ.get("TG_SYSTEM_ROOT")
        if base:
            call("cp", "-a", base, root)
        else:
            make_root(root, RELEASE, cls.packages)
        cls.box = Box(root)
        cls.addClassCleanup(cls.box.power_off)
        cls.box.prepare()
        cls.pki = cls.folder / "pki"
        make_certificates(cls.pki)
        cls.version = call("dpkg-deb", "-f", cls.packages[0], "Version")[1].strip()
        cls.subscriber = None
        cls.received = []
        cls.sensor = None
        cls.box.boot()
        cls.files_before = cls.list_files()

    @classmethod
    def list_files(cls):
        found = cls.box.shell("find / -xdev -print").splitlines()
        return {path for path in found if not re.search(NOT_OURS, path)}

    def status(self):
        return json.loads(self.box.run("tidegatectl", "--json", "status", check=False)[1])

    def wait_links(self):
        def all_up():
            code, text = self.box.run("tidegatectl", "--json", "status", check=False)
            endpoints = json.loads(text)["endpoints"] if code in (0, 4) else []
            return len(endpoints) == 2 and all(endpoint["link"] == "up" for endpoint in endpoints)
        wait_until(all_up, "both links are up")

    def subscribe(self):
        process = self.box.follow(
            "mosquitto_sub", "-h", "localhost", "-p", "8883", "--cafile", "/srv/pki/cloud-ca.crt", "--cert",
            "/srv/pki/subscriber.crt", "--key", "/srv/pki/subscriber.key", "-V", "5", "-q", "1", "-c", "-i", "listener",
            "-x", "3600", "-t", "plant-7/#", "-F", "%t %p")

        def read():
            for line in process.stdout:
                self.received.append(line.rstrip("\n"))
        threading.Thread(target=read, daemon=True).start()
        type(self).subscriber = process
        wait_until(lambda: " listener " in self.box.shell("journalctl -b -u mosquitto; cat /var/log/mosquitto/mosquitto.log",
                                                          check=False), "the subscriber is there")

    def arrived(self, text):
        topic = f"plant-7/hall-3/pump-1/temperature {text}"
        wait_until(lambda: topic in self.received, f"'{text}' arrived; {self.received[-5:]}")

    def assert_works(self, text):
        self.assertEqual(self.sensor.post(text), "2.04")
        self.arrived(text)

    def main_pid(self):
        return int(self.box.shell("systemctl show -P MainPID tidegate"))

    def newer(self, suffix):
        """The same package under a higher version number."""
        work = self.folder / f"work{suffix}"
        call("dpkg-deb", "-R", self.packages[0], work)
        control = work / "DEBIAN/control"
        text = control.read_text(encoding="utf-8").replace(f"Version: {self.version}", f"Version: {self.version}{suffix}")
        control.write_text(text, encoding="utf-8")
        path = self.folder / f"tidegate_{self.version}{suffix}.deb"
        call("dpkg-deb", "--root-owner-group", "-b", work, path)
        return path

    def installed_version(self):
        return self.box.run("dpkg-query", "-W", "-f", "${Status} ${Version}", "tidegate", check=False)[1]

    def identity(self):
        return self.box.shell("cd /var/lib/tidegate/identity && sha256sum gateway.key gateway.crt devices-ca.crt")

    def assert_journal_is_quiet(self, *allowed):
        text = self.box.shell("journalctl -b -q -o cat -p warning -u tidegate", check=False)
        unexpected = [l for l in text.splitlines() if not any(re.search(pattern, l) for pattern in allowed)]
        self.assertEqual(unexpected, [], "\n".join(["warnings or errors that nobody expected:", *unexpected]))

    def test_01_it_is_at_work_as_soon_as_it_is_installed(self):
        self.box.publish(self.packages)
        self.box.apt("install", "tidegate")
        self.assertEqual(self.box.shell("systemctl is-active tidegate").strip(), "active")
        self.assertEqual(self.box.shell("systemctl is-enabled tidegate").strip(), "enabled")
        ports = self.box.shell("ss -Hlnutp | grep -v mosquitto")
        self.assertTrue(ports, "no port is open")
        self.assertEqual({(line.split()[0], line.split()[4]) for line in ports.splitlines()}, {("udp", "*:5684")}, ports)
        status = self.status()
        self.assertEqual((status["state"], status["problems"]), ("running", []))
        self.assertEqual([e["link"] for e in status["endpoints"]], ["up"])
        self.assertEqual(len(status["todo"]), 2, status["todo"])
        self.assert_clock_is_asked()
        self.assert_journal_is_quiet()

    def assert_clock_is_asked(self):
        """The service may not ask the kernel itself; who may is at hand, and is asked."""
        self.assertEqual(self.box.shell("systemctl is-active tidegate-clock.socket").strip(), "active")
        running = self.box.shell("systemctl list-units --state=running --plain --no-legend 'tidegate-clock@*'")
        self.assertEqual(len(running.splitlines()), 1, running)
        self.assertEqual(self.box.shell("stat -c '%a %U %G' /run/tidegate-clock.sock"), "660 root tidegate\n")

    def test_02_what_it_made_is_for_itself_alone(self):
        self.assertEqual(self.box.shell("stat -c '%a %U' /var/lib/tidegate /var/lib/tidegate/identity/gateway.key"),
                         "700 tidegate\n600 tidegate\n")
        self.assertIn("CN = box-1", self.box.shell("openssl x509 -noout -subject -in /var/lib/tidegate/identity/gateway.crt"))
        self.assertEqual(self.box.shell("tidegatectl device ca"), self.box.shell("cat /var/lib/tidegate/identity/devices-ca.crt"))
        lines = json.loads(self.box.run("tidegatectl", "--json", "audit", "--no-updates", check=False)[1])["lines"]
        self.assertEqual([line for line in lines if line["state"] in ("fail", "unknown")], [])
        self.box.shell("journalctl --list-catalog | grep -q 'does not believe the machine'")

        self.assert_bill_of_materials()

    def assert_bill_of_materials(self):
        """Every file that the package's SPDX document names is there with that content, and what it stands on is installed."""
        bill = json.loads(self.box.read("/usr/share/doc/tidegate/tidegate.spdx.json"))
        self.assertEqual(bill["spdxVersion"], "SPDX-2.3")
        for file in bill["files"]:
            sums = {each["algorithm"]: each["checksumValue"] for each in file["checksums"]}
            content = (self.box.root / file["fileName"]).read_bytes()
            self.assertEqual(hashlib.sha256(content).hexdigest(), sums["SHA256"], file["fileName"])
        names = {package["SPDXID"]: package["name"] for package in bill["packages"]}
        linked = [names[r["relatedSpdxElement"]] for r in bill["relationships"] if r["relationshipType"] == "DYNAMIC_LINK"]
        self.assertTrue(any(name.startswith("libssl3") for name in linked), linked)
        self.box.run("dpkg-query", "-W", *linked)
        listed = set(self.box.shell("dpkg -L tidegate").splitlines())
        files = {path for path in listed if (self.box.root / path.lstrip("/")).is_file()}
        named = {file["fileName"][1:] for file in bill["files"]}
        self.assertEqual(files - named, {"/usr/share/doc/tidegate/tidegate.spdx.json"})

    def test_03_the_main_job(self):
        for name in ("cloud-ca.crt", "broker.crt", "broker.key", "subscriber.crt", "subscriber.key"):
            self.box.write(f"/srv/pki/{name}", (self.pki / name).read_text(encoding="ascii"), 0o640, "root:mosquitto")
        self.box.write("/etc/mosquitto/conf.d/cloud.conf", BROKER)
        self.box.run("systemctl", "restart", "mosquitto")
        self.subscribe()
        for name in ("cloud-ca.crt", "cloud.crt", "cloud.key"):
            self.box.write(f"/etc/tidegate/pki/{name}", (self.pki / name).read_text(encoding="ascii"), 0o600,
                           "tidegate:tidegate")
        self.box.write("/etc/tidegate/tidegate.conf", CONFIGURATION)
        self.box.run("tidegated", "--check")
        before = self.main_pid()
        self.box.run("systemctl", "reload", "tidegate")
        self.wait_links()
        self.assertEqual(self.main_pid(), before)
        type(self).sensor = Sensor(self.box, "pump-1")
        self.assert_works("first")
        self.assert_journal_is_quiet()

    def test_04_restart_and_kill(self):
        self.box.run("systemctl", "restart", "tidegate")
        self.wait_links()
        self.assert_works("restarted")
        before = self.main_pid()
        self.box.run("kill", "-9", before)
        wait_until(lambda: self.main_pid() not in (0, before), "systemd starts it again")
        self.wait_links()
        self.assert_works("killed")
        self.assert_journal_is_quiet(*KILLED)

    def test_05_a_core_that_cannot_start_is_tried_again_after_a_pause(self):
        broken, short = "/run/systemd/system/tidegate.service.d/x.conf", "/run/systemd/system/tidegate-again.service.d/x.conf"
        before = self.main_pid()
        self.box.shell(f"mkdir -p {Path(broken).parent} {Path(short).parent}")
        self.box.shell(f"printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\nRestartSec=100ms\\n' >{broken}")
        self.box.shell(f"printf '[Service]\\nExecStart=\\nExecStart=/bin/sleep 10\\n' >{short}")
        self.box.run("systemctl", "daemon-reload")
        self.box.run("systemctl", "restart", "tidegate", check=False)
        wait_until(lambda: "activating" in self.box.shell("systemctl is-active tidegate-again", check=False), "the pause has begun")
        self.assertEqual(self.box.shell("systemctl is-active tidegate", check=False).strip(), "failed")
        self.box.shell(f"rm -r {Path(broken).parent} {Path(short).parent}; systemctl daemon-reload")
        wait_until(lambda: self.main_pid() not in (0, before), "it is tried again by itself")
        self.wait_links()
        self.assert_works("tried again")

    def test_06_reboot(self):
        before = self.identity()
        for hard in (False, True):
            self.box.reboot(hard)
            self.assertEqual(self.box.shell("systemctl is-active tidegate").strip(), "active")
            self.subscribe()
            self.wait_links()
            self.assertEqual(self.identity(), before)
            self.assert_works(f"booted-{hard}")

    def test_07_upgrade_while_a_sensor_sends(self):
        before = self.identity()
        heart = Heart(self.sensor, "beat")
        heart.start()
        heart.wait_beats(3)
        self.box.publish([self.newer("+1")])
        self.box.apt("install", "--only-upgrade", "tidegate")
        self.assertEqual(self.installed_version(), f"install ok installed {self.version}+1")
        heart.wait_beats(3)
        self.box.apt("install", "--reinstall", "tidegate")
        heart.wait_beats(3)
        heart.end()
        for text in heart.acknowledged:
            self.arrived(text)
        print(f"  {heart.sent} readings sent over an upgrade and a reinstallation, {len(heart.acknowledged)} acknowledged, none lost")
        self.assertEqual(self.identity(), before)
        self.assertEqual(self.box.read("/etc/tidegate/tidegate.conf"), CONFIGURATION)
        self.assertEqual(self.status()["problems"], [])

    def test_08_no_upgrade_into_a_configuration_that_does_not_check(self):
        before = self.main_pid()
        self.box.write("/etc/tidegate/tidegate.conf", CONFIGURATION.replace("listen", "lisen"))
        self.box.publish([self.newer("+2")])
        _, said = self.box.apt("install", "--only-upgrade", "tidegate")
        self.assertRegex(said, "the new version refuses the configuration")
        self.assertRegex(said, r"tidegate\.conf:\d+: .*lisen")
        self.assertEqual(self.installed_version(), f"install ok installed {self.version}+2")
        self.assertEqual(self.main_pid(), before)
        self.assert_works("goes on")
        self.box.write("/etc/tidegate/tidegate.conf", CONFIGURATION)
        self.box.run("systemctl", "restart", "tidegate")
        self.wait_links()
        self.assert_works("mended")

    def test_09_removed_it_is_quiet_and_comes_back_as_it_was(self):
        before = self.identity()
        self.box.apt("remove", "tidegate")
        self.assertEqual(self.box.shell("pgrep -u tidegate", check=False), "")
        self.assertEqual(self.box.shell("ss -Hlnu"), "")
        self.box.apt("install", "tidegate")
        self.wait_links()
        self.assertEqual(self.identity(), before)
        self.assert_works("back again")

    def test_10_purged_nothing_is_left(self):
        self.subscriber.kill()
        self.box.apt("purge", "tidegate")
        self.box.run("rm", "-f", "/etc/mosquitto/conf.d/cloud.conf")
        self.assertEqual(self.box.shell("pgrep -u tidegate", check=False), "")
        self.assertEqual(sorted(self.list_files() - self.files_before), [])
        self.assertEqual(self.box.shell("ls -d /run/tidegate /var/lib/tidegate /var/lib/systemd/*/*tidegate* 2>/dev/null", check=False), "")


def main():
    missing = [name for name in ("mmdebstrap", "systemd-nspawn", "nsenter", "dpkg-scanpackages") if not shutil.which(name)]
    if os.geteuid() != 0 or missing:
        print(f"SKIPPED: the package was NOT tested: {'not root' if os.geteuid() else 'missing here: ' + ', '.join(missing)}")
        sys.exit(77)
    begin = time.monotonic()
    result = unittest.TextTestRunner(verbosity=2, failfast=True).run(unittest.defaultTestLoader.loadTestsFromTestCase(Package))
    if result.skipped:
        print(f"SKIPPED: {result.skipped[0][1]}")
        sys.exit(77)
    print(f"{result.testsRun} steps in {time.monotonic() - begin:.0f} s")
    sys.exit(not result.wasSuccessful())


if __name__ == "__main__":
    main()
