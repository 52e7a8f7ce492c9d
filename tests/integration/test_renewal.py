# SPDX-License-Identifier: Apache-2.0
"""Certificates renew themselves: real gateway, real broker, real DTLS clients, an EST server or the operator's own tools."""
import re
import shutil
import stat
from pathlib import Path

from harness import GatewayCase, Load, Pki, main, wait_until
from harness.est import Est, Signer
from harness.process import run

LIFE_S = 3600


def digest(path):
    """Of the first certificate in the file."""
    _, out, _ = run(["openssl", "x509", "-in", path, "-noout", "-fingerprint", "-sha256"])
    return out.strip()


def is_pair(path):
    """Whether certificate and key in it belong together."""
    code, public, _ = run(["openssl", "x509", "-in", path, "-noout", "-pubkey"], check=False)
    other, private, _ = run(["openssl", "pkey", "-in", path, "-pubout"], check=False)
    return code == 0 and other == 0 and public == private


class RenewalCase(GatewayCase):
    """The broker trusts the cloud's authority, as does the EST server, whose certificate it has issued, too."""

    allowed = [r"cloud: "]
    endpoint = "cloud"
    password_mode = 0o600
    old = {"begin_s": -60, "end_s": LIFE_S}  # the life of the certificate at the start

    def setUp(self):
        self.own = Pki(Path(self.root) / f"pki-{self.id().rpartition('.')[2]}")
        (self.own.folder / "password").write_text("let me in\n", encoding="ascii")
        (self.own.folder / "password").chmod(self.password_mode)
        self.pki = self.own
        self.signer = Signer(self.own.folder / "signer", self.own.certificate("cloud-ca"), self.own.key("cloud-ca"))
        self.short_lived("cloud")
        self.est = Est(self.own.folder / "est", self.own)
        self.addCleanup(lambda: self.est.close())
        super().setUp()

    def short_lived(self, name):
        request = self.own.folder / f"{name}.csr"
        run(["openssl", "req", "-new", "-config", self.own.folder / f"{name}.cnf", "-subj", f"/CN={name}",
             "-key", self.own.key(name), "-out", request])
        self.signer.sign(request, self.own.certificate(name), **self.old)

    def configuration(self, **changes):
        cloud = {"est": self.est.url, "renew_trial_s": 30, **self.settings.get("cloud", {}), **(changes.pop("cloud", None) or {})}
        return super().configuration(cloud=cloud, **changes)

    def slot(self, name, endpoint=None):
        return self.gateway.state / "pki" / (endpoint or self.endpoint) / f"{name}.pem"

    def renewal(self):
        return next(r for r in self.gateway.ctl("certs", "renew", "--status") if r["endpoint"] == self.endpoint)

    def renew(self):
        self.gateway.ctl("certs", "renew", self.endpoint)

    def wait_renewed(self, before=None, deadline_s=60):
        """Waits until a certificate other than `before` is in the slot, and returns its digest."""
        def renewed():
            state = self.renewal()
            if state["state"] != "waiting" or state["certificate"] != "renewed":
                return None
            now = digest(self.slot("current"))
            return now if now != before else None
        return wait_until(renewed, "the certificate was renewed", deadline_s)

    def wait_failures(self, count):
        return wait_until(lambda: self.renewal()["failures"] >= count and self.renewal(), f"{count} failures", 60)

    def in_use(self):
        return self.renewal()["certificate"]

    def assert_slots_are_private(self):
        folder = self.slot("current").parent
        self.assertEqual(stat.S_IMODE(folder.stat().st_mode), 0o700)
        for path in folder.iterdir():
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)


class OverEst(RenewalCase):
    def test_on_command_under_load_without_losing_a_message(self):
        pids = [self.gateway.pid(name) for name in ("field", "cloud")]
        load = Load(self.folder, self.coap_port, self.keys(10), "--rate", 50).start()
        self.subscriber.wait_for(100)
        before, links = None, wait_until(lambda: self.gateway.endpoint("cloud")["counters"].get("connects"), "the first link is counted")
        for number in range(2):
            self.renew()
            before = self.wait_renewed(before)
            self.assertTrue(is_pair(self.slot("current")))
            seen = len(self.subscriber.messages())
            self.subscriber.wait_for(seen + 100)
        summary = load.stop()
        self.assertEqual((summary["handshakes"], summary["sessions_lost"]), (10, 0), summary)
        self.assert_promises(load, summary)
        self.assertEqual(self.wait_drained()["dropped"], {})
        self.assertEqual([self.gateway.pid(name) for name in ("field", "cloud")], pids)
        wait_until(lambda: self.gateway.endpoint("cloud")["counters"]["connects"] == links + 2, "one new link for each")
        self.assertEqual(self.est.enrolments(), [("simplereenroll", "cloud")] * 2)
        self.assertTrue(is_pair(self.slot("previous")))
        self.assertNotEqual(digest(self.slot("previous")), before)
        self.assertFalse(self.slot("candidate").exists() or self.slot("pending").exists() or self.slot("incoming").exists())
        self.assert_slots_are_private()

    def test_it_stays_in_use_over_a_restart(self):
        self.renew()
        self.wait_renewed()
        self.assertEqual(self.gateway.stop(), 0)
        shutil.move(self.own.key("cloud"), self.own.folder / "away.key")
        self.gateway.start()
        self.wait_link("cloud")
        self.assertEqual(self.in_use(), "renewed")
        shown = [c for c in self.gateway.ctl("certs", good=(0, 4))["certificates"] if c["endpoint"] == "cloud"]
        self.assertIn(str(self.slot("current")), [c["file"] for c in shown])
        self.assertNotIn(str(self.own.certificate("cloud")), [c["file"] for c in shown])

    def test_an_operators_newer_files_win(self):
        self.renew()
        self.wait_renewed()
        self.old = {"begin_s": 1, "end_s": LIFE_S}
        self.short_lived("cloud")
        self.gateway.ctl("reload")
        wait_until(lambda: self.in_use() == "configured", "the operator's files are in use")
        self.wait_link("cloud")


class FirstTime(RenewalCase):
    """There is no certificate: the password gets the first one, and the messages wait meanwhile."""
    allowed = [r"cloud: ", r"tidegate\.conf"]

    def setUp(self):
        self.wait_link = lambda name: None
        super().setUp()
        del self.wait_link

    def short_lived(self, name):
        pass

    def configuration(self, **changes):
        missing = self.own.folder / "not-there"
        password = self.own.folder / "password"
        return super().configuration(cloud={
            "certificate": missing.with_suffix(".crt"), "key": missing.with_suffix(".key"), "est_subject": "cloud",
            "est_username": "box", "est_password": password}, **changes)

    def test_with_the_password(self):
        sensor = self.psk_sensor("pump-1")
        self.assertEqual(sensor.post("t", "held").code, "2.04")
        self.wait_renewed()
        self.subscriber.wait_for(1)
        self.assertEqual(self.est.enrolments()[0], ("simpleenroll", "password"))
        first = digest(self.slot("current"))
        self.renew()
        self.wait_renewed(first)
        self.assertEqual(self.est.enrolments()[-1], ("simplereenroll", "cloud"))


class OpenPassword(FirstTime):
    """A password that others can read is not used."""
    password_mode = 0o644

    def test_with_the_password(self):
        self.gateway.lines.wait_line(r"est_password may be read by others and is not used")
        self.assertIn("neither a certificate nor a password", self.wait_failures(1)["problem"])
        self.assertEqual(self.est.asked, [])


class DueByItself(RenewalCase):
    """Nine tenths of its life are over."""
    old = {"begin_s": -9 * LIFE_S, "end_s": LIFE_S}

    def test_renewed_without_being_asked(self):
        self.est.end_s = 24 * LIFE_S
        self.wait_renewed()
        self.assertEqual(self.renewal()["need"], "fine")
        self.wait_link("cloud")

    def test_expired_while_the_gateway_was_off(self):
        self.wait_renewed()


class Expired(RenewalCase):
    """It had expired before the gateway was started: the password helps, readings are taken in and kept."""
    old = {"begin_s": -9 * LIFE_S, "end_s": -60}
    settings = {"cloud": {"est_username": "box"}}

    def setUp(self):
        self.wait_link = lambda name: None
        super().setUp()
        del self.wait_link

    def configuration(self, **changes):
        return super().configuration(cloud={"est_password": self.own.folder / "password"}, **changes)

    def test_recovers_by_itself(self):
        sensor = self.psk_sensor("pump-1")
        self.assertEqual(sensor.post("t", "held").code, "2.04")
        self.wait_renewed()
        self.subscriber.wait_for(1)
        self.assertEqual(self.est.enrolments(), [("simpleenroll", "password")])


class Trouble(RenewalCase):
    old = {"begin_s": -9 * LIFE_S, "end_s": LIFE_S}

    def configuration(self, **changes):
        if not hasattr(self, "begun"):
            self.begun = True
            self.est.close()  # the case says when it comes
        return super().configuration(**changes)

    def open_est(self, **options):
        self.est = Est(self.own.folder / "est-2", self.own, port=self.est.port, **options)
        return self.est

    def test_server_away_is_tried_again_for_ever(self):
        said = self.wait_failures(2)
        self.assertIn("no answer from the EST server", said["problem"])
        self.assertIn("was not renewed", str(self.gateway.status()["problems"]))
        self.assertEqual(self.psk_sensor("pump-1").post("t", "1").code, "2.04")
        self.subscriber.wait_for(1)
        self.open_est()
        self.wait_renewed()
        self.assertEqual(self.renewal()["failures"], 0)

    def test_broker_refuses_the_new_certificate(self):
        """It is issued by an authority that the EST server vouches for, and the broker does not know."""
        self.own.authority("new-ca")
        est = self.open_est(authority="new-ca", client_authority="cloud-ca")
        load = Load(self.folder, self.coap_port, self.keys(5), "--rate", 20).start()
        self.gateway.lines.wait_line(r"the old one is put back", deadline_s=90)
        said = self.wait_failures(1)
        self.assertTrue(said["problem"], said)
        self.gateway.lines.wait_line(r"peer does not take the new certificate", deadline_s=90)
        self.wait_link("cloud")
        seen = len(self.subscriber.messages())
        self.subscriber.wait_for(seen + 50)
        self.assertEqual(self.in_use(), "configured")
        self.assertFalse(self.slot("current").exists())
        est.close()
        self.open_est()
        self.renew_soon()
        self.wait_renewed()
        summary = load.stop()
        self.assertEqual(summary["sessions_lost"], 0, summary)
        self.assert_promises(load, summary)

    def renew_soon(self):
        wait_until(lambda: self.renewal()["state"] == "waiting", "the trial is over")
        self.renew()

    def test_kill_9_at_every_step(self):
        """Whatever moment the core is killed at, a pair that works is there when it comes back."""
        self.open_est()
        before = None
        for number, pattern in enumerate([r"asks for a new certificate", r"there is a new certificate", r"link is down",
                                          r"link is up", r"the new certificate is in use"]):
            with self.subTest(pattern):
                seen = len(self.gateway.lines.all())
                if number:
                    self.gateway.ctl("certs", "renew", "cloud", good=(0, 1))
                self.gateway.lines.wait_line(pattern, seen if number else 0, deadline_s=60)
                self.gateway.kill()
                for name in ("current", "previous"):
                    path = self.slot(name)
                    self.assertTrue(not path.exists() or is_pair(path), path)
                self.gateway.start()
                self.wait_link("cloud")
                before = self.wait_renewed() if self.slot("candidate").exists() or number == 4 else before
        self.assertEqual(self.psk_sensor("pump-1").post("t", "1").code, "2.04")
        self.subscriber.wait_for(1)


HOOK = """#!/bin/sh
# request certificate authority key
set -e
test -z "$TIDEGATE_FAIL" || exit 3
echo "$TIDEGATE_ENDPOINT" > "{folder}/hook.endpoint"
openssl x509 -req -in "$1" -out "$2.new" -days 1 -CA "{pki}/cloud-ca.crt" -CAkey "{pki}/cloud-ca.key" -CAcreateserial \\
    -copy_extensions copy 2>&1
mv "$2.new" "$2"
"""


class Command(RenewalCase):
    def configuration(self, **changes):
        self.hook = self.own.folder / "hook"
        self.hook.write_text(HOOK.format(folder=self.own.folder, pki=self.own.folder), encoding="utf-8")
        self.hook.chmod(0o755)
        return super().configuration(cloud={"est": None, "renew_command": [self.hook, "{csr}", "{certificate}"]}, **changes)

    def test_own_tools(self):
        self.renew()
        self.wait_renewed()
        self.wait_link("cloud")
        self.assertEqual((self.own.folder / "hook.endpoint").read_text(encoding="ascii"), "cloud\n")
        self.assertEqual(self.psk_sensor("pump-1").post("t", "1").code, "2.04")
        self.subscriber.wait_for(1)
        self.assertEqual(self.est.asked, [])

    def test_that_fail(self):
        for script, text in [("echo no more paper >&2; exit 3", "status 3, no more paper"), ("exit 0", "no certificate"),
                             ("kill -9 $$", "signal 9"), (f'cp {self.own.certificate("broker")} "$2"', "of another key")]:
            with self.subTest(script):
                self.hook.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
                failures = self.renewal()["failures"]
                self.renew()
                self.assertIn(text, self.wait_failures(failures + 1)["problem"])
        self.assertEqual(self.gateway.endpoint("cloud")["link"], "up")


class Source(RenewalCase):
    """The certificate that devices see."""
    endpoint = "field"
    allowed = [r"field: ", r"cloud: "]

    def configuration(self, **changes):
        self.devices_est = Est(self.own.folder / "devices-est", self.own, authority="devices-ca")
        self.addCleanup(self.devices_est.close)
        field = {"est": self.devices_est.url, "est_trust": self.both()}
        return super().configuration(cloud={"est": None}, field=field, **changes)

    def both(self):
        path = self.own.folder / "both.crt"
        path.write_text("".join(self.own.certificate(f"{name}-ca").read_text(encoding="ascii") for name in ("devices", "cloud")),
                        encoding="ascii")
        return path

    def seen_by_clients(self):
        """The digest of what a new handshake shows."""
        _, out, _ = run(["openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{self.coap_port}", "-showcerts",
                         "-cert", self.own.certificate("pump-9"), "-key", self.own.key("pump-9")], check=False)
        found = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", out, re.DOTALL)
        self.assertTrue(found, out)
        path = self.folder / "seen.crt"
        path.write_text(found[0], encoding="ascii")
        return digest(path)

    def test_with_keys_only(self):
        self.own.leaf("pump-9")
        load = Load(self.folder, self.coap_port, self.keys(5), "--rate", 20).start()
        self.renew()
        self.assertEqual(self.wait_renewed(), self.seen_by_clients())
        summary = load.stop()
        self.assertEqual((summary["handshakes"], summary["sessions_lost"]), (5, 0), summary)
        self.assert_promises(load, summary)

    def test_with_certificates(self):
        """It is in use at once, and becomes the current one with the first session of a device that looks at it."""
        sensor = self.certificate_sensor("pump-9")
        self.assertEqual(sensor.post("t", "1").code, "2.04")
        old = self.seen_by_clients()
        self.renew()
        wait_until(lambda: self.renewal()["state"] == "trying", "the new one is tried")
        self.assertFalse(self.slot("current").exists())
        self.gateway.kill()
        self.gateway.start()
        wait_until(lambda: self.renewal()["state"] == "trying", "and again after kill -9")
        self.assertEqual(sensor.post("t", "2").code, "2.04")
        now = self.wait_renewed()
        self.assertNotEqual(now, old)
        self.assertEqual(self.seen_by_clients(), now)
        self.subscriber.wait_for(2)


class Settings(RenewalCase):
    allowed = [r"tidegate\.conf", r"reload"]

    def test_what_makes_no_sense_is_told_with_its_line(self):
        for cloud, text in [
            ({"renew_command": ["/bin/true", "{csr}", "{certificate}"]}, 'and "est" cannot both'),
            ({"est": "http://x"}, "not of the form https"),
            ({"est_username": "box"}, "belong together"),
            ({"est": None, "est_username": "x"}, 'without "est"'),
            ({"est": None, "renew_command": ["true", "{csr}", "{certificate}"]}, "whole path"),
            ({"est": None, "renew_command": ["/bin/true"]}, "among its entries"),
        ]:
            with self.subTest(text):
                self.gateway.configure(self.configuration(cloud=cloud))
                code, said = self.gateway.check()
                self.assertEqual(code, 78, said)
                self.assertRegex(said, rf"tidegate\.conf:\d+: .*{text}")

    def test_words_of_the_command(self):
        self.assertEqual(self.gateway.say("certs", "renew", "nowhere")[0], 1)
        self.assertEqual(self.gateway.say("certs", "renew", "field")[0], 1)
        self.assertEqual(self.gateway.say("certs", "renew")[0], 2)
        code, out, _ = self.gateway.say("certs", "renew", "--status")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"cloud +est +waiting +configured +fine")


if __name__ == "__main__":
    main()
