# SPDX-License-Identifier: Apache-2.0
"""Certificates done whole: who is refused and why, lists and anchors that change under a running gateway, what brokers staple."""
import getpass
import os
import re
import time

from harness import BUILD, GatewayCase, Process, free_port, main, wait_until
from harness.pki import INTERMEDIATE, LEAF, put_in_place
from harness.sensors import Sensor


class DtlsClient:
    """openssl s_client with a certificate and its chain, however bad, which stays until the gateway ends its session."""

    def __init__(self, pki, name, port):
        self.name = name
        self.process = Process([
            "openssl", "s_client", "-dtls1_2", "-ign_eof", "-connect", f"127.0.0.1:{port}",
            "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0",
            "-cert", pki.certificate(name), "-key", pki.key(name), "-cert_chain", pki.certificate(name),
        ])


class Certificates(GatewayCase):
    """Devices with certificates; `trust` and `crl` are files of the case's own, which change under way."""

    allowed = [r"handshake with .* failed"]

    def configuration(self, **changes):
        self.trust, self.crl = self.folder / "trust.pem", self.folder / "crl.pem"
        self.pki.put_together(self.trust, "devices-ca")
        put_in_place(self.pki.revocation_list(), self.crl)
        return super().configuration(field={"trust": self.trust, **self.field()}, **changes)

    def field(self):
        return {"crl": self.crl}

    def enroll(self, name):
        self.gateway.add_certificate(name)
        return Sensor(name, self.coap_port, pki=self.pki)

    def log_lines(self, pattern):
        return [line for line in self.gateway.lines.all() if re.search(pattern, line)]

    def assert_in(self, sensor):
        self.assertEqual(sensor.post("t", "21.5").code, "2.04", self.log_lines("handshake with"))

    def assert_out(self, sensor, why):
        before = len(self.log_lines(why))
        client = sensor.begin_post("t", "from outside")
        self.addCleanup(client.close)
        wait_until(lambda: len(self.log_lines(why)) > before, f"the log says '{why}': {self.log_lines('handshake with')}")
        client.close()
        self.assertEqual(client.replies(), [])
        self.assertEqual([m for m in self.subscriber.messages() if m.payload == "from outside"], [])

    def assert_client_out(self, name, why):
        """As assert_out, with a client that sends its chain."""
        before = len(self.log_lines(why))
        client = DtlsClient(self.pki, name, self.coap_port)
        self.addCleanup(lambda: client.process.is_running() and client.process.kill())
        self.assertNotEqual(client.process.wait(), 0)
        wait_until(lambda: len(self.log_lines(why)) > before, f"the log says '{why}': {self.log_lines('handshake with')}")

    def wait_taken_over(self, path, count=1):
        """Nobody has said anything to the gateway."""
        wait_until(lambda: len(self.log_lines(re.escape(f'"{path}" has changed'))) >= count, f"{path} is taken over")

    def connect(self, name):
        self.gateway.add_certificate(name)
        client = DtlsClient(self.pki, name, self.coap_port)
        self.addCleanup(lambda: client.process.is_running() and client.process.kill())
        wait_until(lambda: self.gateway.ctl("sessions", name), f"'{name}' is connected")
        return client


class Refused(Certificates):
    """Nothing gets in that does not belong, and the operator reads why."""

    def field(self):
        return {}

    def expect(self, name, why):
        self.assert_out(self.enroll(name), why)

    def test_another_authority(self):
        self.pki.authority("foreign-ca")
        self.pki.issue("foreign", "foreign-ca")
        self.expect("foreign", "chain does not lead to a trust anchor")

    def test_self_signed(self):
        self.pki.self_signed("alone")
        self.expect("alone", "certificate is self-signed")

    def test_expired(self):
        self.pki.issue("old", days=(-30, -1))
        self.expect("old", 'certificate has expired, "CN = old"')

    def test_not_yet_valid(self):
        self.pki.issue("early", days=(1, 2))
        self.expect("early", "certificate is not yet valid")

    def test_wrong_usage(self):
        self.pki.issue("server", extensions=(*LEAF, "extendedKeyUsage = serverAuth"))
        self.expect("server", "wrong usage: certificate is not for clients")

    def test_sha_1(self):
        self.pki.issue("sha-1", digest="sha1")
        self.assert_client_out("sha-1", "signature is too weak")

    def test_rsa_1024(self):
        self.pki.issue("small", rsa_bits=1024)
        self.assert_client_out("small", "key is too small")

    def test_no_certificate(self):
        client = Process(["openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{self.coap_port}"])
        self.assertNotEqual(client.wait(), 0)
        wait_until(lambda: self.log_lines("did not return a certificate"), "the log says so")

    def test_broken_chain(self):
        self.pki.issue("hall-ca", extensions=INTERMEDIATE)
        self.pki.issue("pump-5", "hall-ca")
        self.expect("pump-5", "chain does not lead to a trust anchor")

    def test_name_constraint(self):
        self.pki.issue("narrow-ca", extensions=(*INTERMEDIATE, "nameConstraints = critical, permitted;DNS:hall.example"))
        self.pki.issue("pump-6", "narrow-ca", extensions=(*LEAF, "subjectAltName = DNS:pump-6.roof.example"), with_chain=True)
        self.assert_client_out("pump-6", "name is outside of what its authority may name")

    def test_path_length(self):
        self.pki.issue("last-ca", extensions=("basicConstraints = critical, CA:TRUE, pathlen:0", "keyUsage = critical, keyCertSign"))
        self.pki.issue("too-deep-ca", "last-ca", extensions=INTERMEDIATE, with_chain=True)
        self.pki.issue("pump-7", "too-deep-ca", with_chain=True)
        self.assert_client_out("pump-7", "path length constraint exceeded")

    def tearDown(self):
        self.pki.issue("honest")
        self.assert_in(self.enroll("honest"))
        super().tearDown()


class Chains(Certificates):
    def field(self):
        return {}

    def test_intermediate_authority(self):
        self.pki.issue("hall-ca", extensions=INTERMEDIATE)
        self.pki.issue("pump-1", "hall-ca", with_chain=True)
        self.connect("pump-1")

    def test_roll_over_of_the_authority(self):
        """Both anchors in one file, then the new one alone, and back: without a command, without ending a session."""
        self.pki.authority("next-ca")
        self.pki.issue("old-pump")
        self.pki.issue("new-pump", "next-ca")
        live = self.connect("old-pump")
        old, new = Sensor("old-pump", self.coap_port, pki=self.pki), self.enroll("new-pump")
        self.assert_out(new, "chain does not lead")
        self.pki.put_together(self.trust, "devices-ca", "next-ca")
        self.wait_taken_over(self.trust)
        wait_until(lambda: new.post("t", "1").code == "2.04", "the new authority is trusted")
        self.assert_in(old)
        self.pki.put_together(self.trust, "next-ca")
        self.wait_taken_over(self.trust, 2)
        wait_until(lambda: old.post("t", "2", wait_s=2).code == "", "the old authority is not trusted any more")
        self.assert_in(new)
        self.pki.put_together(self.trust, "devices-ca")
        self.wait_taken_over(self.trust, 3)
        wait_until(lambda: old.post("t", "3").code == "2.04", "the old authority is trusted again")
        self.assertTrue(live.process.is_running())


class Lists(Certificates):
    """Revocation lists under a running gateway."""

    allowed = [*Certificates.allowed, r"goes on with its old settings", r"credentials not taken over", r"is gone; what was read",
               r"file is unusable"]

    def test_revoked_while_connected(self):
        for name in ("good-pump", "bad-pump"):
            self.pki.issue(name)
        good, bad = self.connect("good-pump"), self.connect("bad-pump")
        self.pki.revoke("bad-pump")
        put_in_place(self.pki.revocation_list(), self.crl)
        self.assertIsNotNone(bad.process.wait())
        wait_until(lambda: not self.gateway.ctl("sessions", "bad-pump"), "its session is gone")
        wait_until(lambda: self.gateway.endpoint("field")["counters"]["ended_revoked"] == 1, "it is counted")
        self.assert_out(Sensor("bad-pump", self.coap_port, pki=self.pki), 'certificate is revoked, "CN = bad-pump"')
        self.assertTrue(good.process.is_running())
        self.assertEqual(len(self.gateway.ctl("sessions", "good-pump")), 1)

    def test_half_written_list(self):
        self.pki.issue("pump-1")
        sensor = self.enroll("pump-1")
        self.pki.revoke("pump-1")
        whole = self.pki.revocation_list()
        self.crl.write_text(whole[:len(whole) // 2], encoding="ascii")
        wait_until(lambda: self.log_lines("crl: "), "the log says what is wrong")
        self.assert_in(sensor)
        self.crl.write_text(whole, encoding="ascii")
        wait_until(lambda: sensor.post("t", "2", wait_s=2).code == "", "the list is taken over at last")

    def test_link_turned_around(self):
        """As a cluster's configuration arrives: links to a folder that is replaced as a whole."""
        self.pki.issue("pump-1")
        sensor = self.enroll("pump-1")
        self.assert_in(sensor)
        for name in ("1", "2"):
            (self.folder / name).mkdir()
        (self.folder / "1" / "crl.pem").write_text(self.crl.read_text(encoding="ascii"), encoding="ascii")
        self.pki.revoke("pump-1")
        (self.folder / "2" / "crl.pem").write_text(self.pki.revocation_list(), encoding="ascii")
        os.symlink("1", self.folder / "..data")
        os.symlink("..data/crl.pem", self.folder / "new")
        os.replace(self.folder / "new", self.crl)
        self.wait_taken_over(self.crl)
        self.assert_in(sensor)
        os.symlink("2", self.folder / "..new")
        os.replace(self.folder / "..new", self.folder / "..data")
        self.wait_taken_over(self.crl, 2)
        wait_until(lambda: sensor.post("t", "2", wait_s=2).code == "", "the list behind the link is taken over")

    def test_missing_list(self):
        """Of an authority in between: strict, since nobody can say whether it is good still."""
        self.pki.issue("hall-ca", extensions=INTERMEDIATE)
        self.pki.issue("pump-1", "hall-ca", with_chain=True)
        self.assert_client_out("pump-1", 'no revocation list of the issuer in "crl"')
        put_in_place(self.pki.revocation_list() + self.pki.revocation_list("hall-ca"), self.crl)
        self.wait_taken_over(self.crl)
        self.connect("pump-1")

    def test_no_storm(self):
        """Somebody writes the file without end: the endpoint is given it every few seconds at most."""
        begin = time.monotonic()
        text = self.crl.read_text(encoding="ascii")
        while time.monotonic() < begin + 8:
            put_in_place(text, self.crl)
            time.sleep(1.6)
        taken = len(self.log_lines("has changed and is taken over"))
        self.assertLessEqual(taken, (time.monotonic() - begin) / 3 + 1)


class StaleList(Certificates):
    allowed = [*Certificates.allowed, r"a revocation list in 'crl' has expired", r"crl is expired"]

    def configuration(self, **changes):
        settings = super().configuration(**changes)
        put_in_place(self.pki.revocation_list(days=(-10, -1)), self.crl)
        return settings

    def test_box_is_not_bricked(self):
        self.pki.issue("pump-1")
        self.assert_in(self.enroll("pump-1"))
        self.assertTrue(self.log_lines("devices that it does not name are let in still"))

    def test_unless_wanted(self):
        self.field = lambda: {"crl": self.crl, "crl_expired": "refuse"}
        self.gateway.configure(self.configuration())
        self.gateway.ctl("reload")
        self.pki.issue("pump-1")
        self.assert_out(self.enroll("pump-1"), "revocation list of the issuer has expired")


class Stapled(GatewayCase):
    """A TLS server in front of the broker, which staples."""

    allowed = [r"link is down", r"broker .* cannot be used", r"broker .* is gone"]

    def setUp(self):
        super().setUp()
        self.plain, self.front = free_port(), free_port()
        file = self.folder / "plain.conf"
        file.write_text(f"user {getpass.getuser()}\nlistener {self.plain} 127.0.0.1\nallow_anonymous true\n", encoding="ascii")
        behind = Process(["mosquitto", "-c", file])
        self.addCleanup(behind.kill)
        behind.wait_line(r" running$")
        self.pki.issue("stapling", "cloud-ca", extensions=(*LEAF, "subjectAltName = DNS:localhost, IP:127.0.0.1"))
        self.process = None

    def start_front(self, response):
        if self.process:
            self.process.kill()
        self.process = Process([BUILD / "tests/adapter/staple", str(self.front), str(self.plain),
                                self.pki.certificate("stapling"), self.pki.key("stapling"), *([response] if response else [])])
        self.addCleanup(self.process.kill)
        self.process.wait_line("ready")

    def use(self, ocsp):
        self.gateway.configure(self.configuration(cloud={"broker": [f"mqtts://localhost:{self.front}"], "ocsp": ocsp}))
        self.gateway.ctl("reload")

    def wait_cloud(self, text):
        wait_until(lambda: text in self.gateway.endpoint("cloud")["detail"], f"the link says '{text}'")

    def test_good_then_revoked(self):
        self.start_front(self.pki.ocsp_response("stapling", "cloud-ca", self.folder / "good.der"))
        self.use("require")
        self.wait_cloud(f"mqtts://localhost:{self.front}, MQTT 5")
        self.pki.revoke("stapling", "cloud-ca")
        self.start_front(self.pki.ocsp_response("stapling", "cloud-ca", self.folder / "revoked.der"))
        self.wait_cloud("certificate is revoked, says the stapled OCSP response")
        self.use("accept")
        self.wait_cloud("certificate is revoked, says the stapled OCSP response")
        self.use("off")
        self.wait_cloud(f"mqtts://localhost:{self.front}, MQTT 5")

    def test_absent(self):
        self.start_front(None)
        self.use("accept")
        self.wait_cloud(f"mqtts://localhost:{self.front}, MQTT 5")
        self.use("require")
        self.wait_cloud("the broker has stapled no OCSP response")


class Sessions(GatewayCase):
    def test_all_are_listed(self):
        self.pki.issue("pump-1")
        self.gateway.add_certificate("pump-1")
        client = DtlsClient(self.pki, "pump-1", self.coap_port)
        self.addCleanup(client.process.kill)
        device = wait_until(lambda: self.gateway.ctl("sessions", "pump-1"), "the device is connected")[0]
        self.assertEqual((device["endpoint"], device["version"], device["proof"]), ("field", "DTLSv1.2", "certificate"))
        self.assertRegex(device["cipher"], "^TLS_ECDHE_ECDSA_WITH_")
        self.assertRegex(device["peer"], r"127\.0\.0\.1\]?:\d+$")
        everybody = self.gateway.ctl("sessions")
        broker = next(s for s in everybody if s["endpoint"] == "cloud")
        self.assertEqual((broker["device"], broker["version"], broker["group"]), ("", "TLSv1.3", "x25519"))
        self.assertEqual(sorted(s["endpoint"] for s in self.gateway.status()["sessions"]), ["cloud", "field"])
        self.assertEqual(self.gateway.ctl("sessions", "nobody"), [])


if __name__ == "__main__":
    main()
