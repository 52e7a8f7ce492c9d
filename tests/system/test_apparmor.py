# SPDX-License-Identifier: Apache-2.0
"""The package on a kernel that has AppArmor: the service does its work within its profile, and cannot leave it.

Wants root, the packages, mmdebstrap, and qemu (a whole machine without hardware's help: some minutes); see plant.py for the rest.
"""
import json
import os
import platform
import re
import shutil
import sys
import tempfile
from pathlib import Path

from authority import make_certificates
from box import call, wait_until
from machine import DEADLINE_S, Machine
from plant import PACKAGES, RELEASE, PlantCase, main
from roots import SOURCE

BUILD = Path(os.environ.get("TG_BUILD", "build"))
SUBSCRIBER = ("nohup stdbuf -oL mosquitto_sub -d -h localhost -p 8883 --cafile /srv/pki/cloud-ca.crt --cert /srv/pki/subscriber.crt --key "
              "/srv/pki/subscriber.key -V 5 -q 1 -t 'plant-7/#' -F '%t %p' >/run/received 2>&1 &")
PROFILE = "/etc/apparmor.d/tidegated"
ADAPTERS = ("tidegate-amqp", "tidegate-dds", "tidegate-hypercat")
# What the readings go to, over TLS with a client's certificate; says what it does.
AMQP_PEER = "(tail -f /dev/null | nohup python3 -B /srv/amqp_peer.py listen /srv/peer) >/run/peer 2>&1 &"
OTHERS = """
gateway: { name = "hall-3"; site = "plant-7"; };
endpoints: (
  { name = "field"; adapter = "coap"; listen = [ "coaps://[::]:5684" ];
    certificate = "/var/lib/tidegate/identity/gateway.crt"; key = "/var/lib/tidegate/identity/gateway.key";
    trust = "/var/lib/tidegate/identity/devices-ca.crt"; },
  { name = "cloud"; adapter = "mqtt"; broker = [ "mqtts://localhost:8883" ];
    certificate = "pki/cloud.crt"; key = "pki/cloud.key"; trust = "pki/cloud-ca.crt"; },
  { name = "plant"; adapter = "amqp"; broker = [ "amqps://localhost:%s" ];
    certificate = "pki/cloud.crt"; key = "pki/cloud.key"; trust = "pki/cloud-ca.crt"; },
  { name = "cell"; adapter = "dds"; domain = 7L; interfaces = [ "lo" ]; peers = [ "127.0.0.1" ]; topics = [ "T" ]; insecure = true; },
  { name = "catalogue"; adapter = "hypercat"; listen = "https://127.0.0.1:8443";
    certificate = "/var/lib/tidegate/identity/gateway.crt"; key = "/var/lib/tidegate/identity/gateway.key"; }
);
routes: (
  { name = "telemetry"; from = "field"; match = "/{path}"; to = "cloud"; address = "{site}/{gateway}/{device}/{path}"; continue = true; },
  { name = "plant"; from = "field"; match = "/{path}"; to = "plant"; address = "readings"; },
  { name = "samples"; from = "cell"; match = "/{path}"; to = "cloud"; address = "{site}/{gateway}/{device}/{path}"; }
);
"""


class Confined(PlantCase):
    """One life of a machine, told in the order of the names."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="tidegate-machine-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.packages = [path for name in ("tidegate", *ADAPTERS) for path in sorted(PACKAGES.glob(f"{name}_*.deb"))]
        if len(cls.packages) != 1 + len(ADAPTERS):
            raise FileNotFoundError(f"not one package each of tidegate and its adapters in {PACKAGES}: packaging/build-deb makes them")
        cls.box = Machine(cls.folder, RELEASE, cls.packages, ["apparmor", "apparmor-utils", "curl", "python3-qpid-proton"])
        cls.addClassCleanup(cls.box.power_off)
        for path in cls.packages:
            shutil.copy(path, cls.box.root / f"srv/{path.name.split('_')[0]}.deb")
        for path in (SOURCE / "tests/adapter/amqp_peer.py", BUILD / "tests/adapter/dds_peer"):
            shutil.copy(path, cls.box.root / "srv")
        cls.box.prepare()
        cls.pki = cls.folder / "pki"
        make_certificates(cls.pki, cls.certificate_days)
        cls.box.boot()

    def subscribe(self):
        self.box.shell(SUBSCRIBER)
        wait_until(lambda: "Subscribed (mid" in self.box.shell("cat /run/received"), "the subscriber is there", DEADLINE_S)

    def arrived(self, text):
        topic = f"plant-7/hall-3/pump-1/temperature {text}"
        wait_until(lambda: topic in self.box.shell("cat /run/received").splitlines(), f"'{text}' arrived", DEADLINE_S)

    def refusals(self):
        return [line for line in self.box.shell("dmesg").splitlines() if 'apparmor="DENIED"' in line]

    def assert_confined(self, least):
        """All but who tells of the clock: that is a service of its own, which asks the kernel one thing and has no rights at all."""
        lines = self.box.shell("ps -eo label,comm | grep tidegate | grep -v 'tidegate-clock$'").splitlines()
        self.assertGreaterEqual(len(lines), least, lines)
        self.assertEqual([line for line in lines if not line.startswith("tidegated (enforce)")], [])

    def test_1_it_comes_up_within_its_profile(self):
        self.assertEqual(self.box.shell("aa-enabled").strip(), "Yes")
        self.box.run("dpkg", "-i", "/srv/tidegate.deb")
        wait_until(lambda: self.box.shell("systemctl is-active tidegate", check=False).strip() == "active", "it is up", DEADLINE_S)
        self.assert_confined(2)
        self.assert_clock_is_asked()
        self.assertEqual(self.refusals(), [])

    def test_2_the_main_job(self):
        self.begin_main_job()
        self.assert_works("first")
        self.assert_confined(3)
        self.assertEqual(self.refusals(), [])

    def test_3_restart_crash_and_the_operators_tools(self):
        self.box.run("systemctl", "restart", "tidegate")
        self.wait_links()
        before = self.main_pid()
        self.box.run("kill", "-9", before)
        wait_until(lambda: self.main_pid() not in (0, before), "systemd starts it again", DEADLINE_S)
        self.wait_links()
        for pids in [endpoint["pids"] for endpoint in self.status()["endpoints"]]:
            self.box.run("kill", "-9", *pids)
        wait_until(lambda: all(endpoint["restarts"] for endpoint in self.status()["endpoints"]), "they are started again", DEADLINE_S)
        self.wait_links()
        self.box.run("tidegatectl", "diag", "/var/backups/diag.tar.gz")
        lines = json.loads(self.box.run("tidegatectl", "--json", "audit", "--no-updates", check=False)[1])["lines"]
        self.assertEqual([line for line in lines if line["state"] == "fail"], [])
        self.assert_works("second")
        self.assert_confined(3)
        self.assertEqual(self.refusals(), [])

    def test_4_the_other_adapters(self):
        self.box.run("dpkg", "-i", *(f"/srv/{name}.deb" for name in ADAPTERS))
        self.box.shell("mkdir /srv/peer && cd /srv/peer && cp ../pki/cloud-ca.crt ca.crt && cp ../pki/broker.crt server.crt && "
                       "cp ../pki/broker.key server.key")
        self.box.shell(AMQP_PEER)
        port = wait_until(lambda: re.search(r'"listening": (\d+)', self.box.shell("cat /run/peer")), "the AMQP peer listens", DEADLINE_S)[1]
        self.configuration = OTHERS % port
        self.box.write("/etc/tidegate/tidegate.conf", self.configuration)
        self.box.run("systemctl", "reload", "tidegate")
        self.wait_links()
        self.assert_works("to both")
        wait_until(lambda: '"message": "to both"' in self.box.shell("cat /run/peer"), "the AMQP peer has it", DEADLINE_S)
        self.box.shell("(echo match 1; echo write 0 3; echo acks) | timeout 200 /srv/dds_peer 7 write T Reading")
        wait_until(lambda: self.box.shell("grep -c '^plant-7/hall-3/cell/T.*alive' /run/received", check=False).strip() == "3",
                   "the samples arrived", DEADLINE_S)
        key = json.loads(self.box.shell("tidegatectl --json device add reader-1 --psk --endpoint catalogue"))["key"]
        said = self.box.shell(f"curl -sk -u reader-1:{key} https://127.0.0.1:8443/cat")
        self.assertIn("/cat/reader-1", said)
        self.assert_confined(6)
        self.assertEqual(self.refusals(), [])
        self.configuration = type(self).configuration
        self.box.write("/etc/tidegate/tidegate.conf", self.configuration)
        self.box.run("systemctl", "reload", "tidegate")
        self.wait_links()
        self.box.run("dpkg", "--purge", *ADAPTERS)

    def test_5_an_upgrade_proves_itself(self):
        """The copy of the data, which the service makes for that time, is made within the profile too."""
        self.box.shell("cd /srv && dpkg-deb -R tidegate.deb newer && sed -i 's/^Version: .*/&+1/' newer/DEBIAN/control && "
                       "dpkg-deb --root-owner-group -Znone -b newer newer.deb")
        self.box.run("dpkg", "-i", "/srv/newer.deb")
        self.assertIn("devices.db", self.box.shell("ls /var/lib/tidegate/previous").split())
        wait_until(lambda: self.box.shell("cat /var/lib/tidegate-previous/outcome", check=False).startswith("proved"),
                   "the new version has proved itself", DEADLINE_S)
        self.wait_links()
        self.assert_works("upgraded")
        self.assert_confined(3)
        self.assertEqual(self.refusals(), [])

    def test_6_a_library_among_the_configuration(self):
        """As the setting `types` of DDS names one."""
        self.box.shell("cp $(ldconfig -p | sed -n 's/.*libz.so.1 .*=> //p' | head -n 1) /etc/tidegate/types.so")
        said = self.box.run("aa-exec", "-p", "tidegated", "--", "sh", "-c", "LD_PRELOAD=/etc/tidegate/types.so cat /etc/hostname")[1]
        self.assertEqual(said, "box-1\n")
        self.box.run("rm", "/etc/tidegate/types.so")
        self.assertEqual(self.refusals(), [])

    def test_7_what_the_profile_forbids(self):
        self.box.write("/var/backups/secret", "secret\n")
        for command in ("cat /var/backups/secret", "cat /etc/shadow", "echo x >/etc/tidegate/tidegate.conf", "echo x >/usr/sbin/x", "dpkg --version", "mount -t tmpfs x /mnt"):
            code, said = self.box.run("aa-exec", "-p", "tidegated", "--", "sh", "-c", command, check=False)
            self.assertNotEqual(code, 0, f"{command}: {said}")
            self.assertRegex(said, "(?i)permission denied|not permitted|must be superuser", command)
        self.assertTrue(self.refusals())

    def test_8_it_starts_without_its_profile_too(self):
        self.box.run("systemctl", "stop", "tidegate")
        self.box.run("apparmor_parser", "-R", PROFILE)
        self.box.run("systemctl", "start", "tidegate")
        self.wait_links()
        self.assert_works("third")

    def test_9_purge_takes_the_profile_with_it(self):
        self.box.run("apparmor_parser", "-r", PROFILE)
        self.box.run("dpkg", "--purge", "tidegate")
        self.assertEqual(self.box.shell("find /etc/apparmor.d -name 'tidegated*'"), "")


if __name__ == "__main__":
    if platform.machine() != "x86_64" or not shutil.which("qemu-system-x86_64"):
        print("SKIPPED: no qemu-system-x86_64 here: the AppArmor profile was NOT tested")
        sys.exit(77)
    call("mke2fs", "-V")
    main(Confined)
