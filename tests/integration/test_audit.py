# SPDX-License-Identifier: Apache-2.0
"""The audit of a good box and of a deliberately bad one: each line with its evidence, the exit code, one form for programs."""
import json
import os
import stat
import unittest

from harness import SANITIZED, GatewayCase, Load, main, wait_until
from harness.gateway import BUILD, Groups
from harness.process import run

STATES = {"ok", "warn", "fail", "unknown"}
PROVISIONS = {f"5.{n}" for n in range(1, 14)}
GOOD, FAILED = 0, 4


class AuditCase(GatewayCase):
    crypto = "modern"

    def configuration(self, **changes):
        settings = super().configuration(**changes)
        settings["gateway"]["crypto"] = self.crypto
        return settings

    def setUp(self):
        super().setUp()
        self.gateway.state.chmod(0o700)

    def audit(self, *options, good=(GOOD, FAILED)):
        report = self.gateway.ctl("audit", *(options or ["--no-updates"]), good=good)
        self.lines = {line["id"]: line for line in report["lines"]}
        self.assertEqual(len(self.lines), len(report["lines"]), "every line has a name of its own")
        for line in report["lines"]:
            self.assertEqual(set(line), {"id", "provision", "state", "sentence", "evidence", "advice"}, line)
            self.assertIn(line["state"], STATES)
            self.assertTrue(line["sentence"] and line["evidence"], line)
            self.assertTrue(line["advice"] or line["state"] == "ok", line)
        self.assertEqual(report["counts"], {s: sum(x["state"] == s for x in report["lines"]) for s in STATES})
        return report

    def assert_line(self, name, state, evidence="."):
        line = self.lines[name]
        self.assertEqual(line["state"], state, line)
        self.assertRegex("\n".join([line["sentence"], *line["evidence"]]), evidence)

    def say(self, *options):
        return self.gateway.say("audit", *(options or ["--no-updates"]))


class GoodBox(AuditCase):
    def test_nothing_fails(self):
        self.psk_sensor("pump-1")
        self.certificate_sensor("valve-1")
        report = self.audit(good=(GOOD,))
        self.assertEqual([line for line in report["lines"] if line["state"] == "fail"], [])
        self.assertEqual({line["provision"] for line in report["lines"]} | {"5.3"}, PROVISIONS)
        self.assertEqual((report["gateway"], report["policy"], report["below"]), ("hall-3", "modern", []))
        self.assert_line("passwords", "ok", r"1 devices with a pre-shared key of their own, 1 with a certificate")
        self.assert_line("policy", "ok")
        self.assert_line("plain", "ok")
        self.assert_line("key-files", "ok", r"0 of 2 key files")
        self.assert_line("outages", "ok", r"mirror = true")
        self.assert_line("master-key", "warn", r"master\.key")  # the gateway's own, on the same disk
        self.assert_line("state-folder", "ok", r"mode 0700")
        self.assert_line("control-socket", "ok", r"mode 0660")

    def test_certificates(self):
        self.audit()
        # They are valid for two days only.
        self.assert_line("certificates", self.lines["certificates"]["state"], r"certificate of \"field\": CN=gateway, until ")
        self.assertIn(self.lines["certificates"]["state"], ("ok", "warn"))
        self.assertIn("trust of \"cloud\": CN=cloud-ca", "\n".join(self.lines["certificates"]["evidence"]))

    def test_ports(self):
        report = self.audit()
        self.assert_line("ports", "ok", rf"udp 127\.0\.0\.1:{self.coap_port}: field")
        self.assertEqual([(s["protocol"], s["address"], s["process"], s["expected"]) for s in report["sockets"]],
                         [("udp", f"127.0.0.1:{self.coap_port}", "field", True)])

    def test_sandbox_of_each_process(self):
        report = self.audit()
        processes = {p["name"]: p for p in report["processes"]}
        self.assertEqual(processes["field"]["pid"], self.gateway.pid("field"))
        self.assertEqual(processes["cloud"]["pid"], self.gateway.pid("cloud"))
        self.assertIn("tidegated", processes)
        for name in ("field", "cloud"):
            process = processes[name]
            self.assertEqual((process["no_new_privileges"], process["capabilities"], process["core_dumps"]),
                             ("yes", "none", False), process)
            self.assertTrue(SANITIZED or process["seccomp"] == 2, process)
            self.assertTrue(process["shut"], process)

    def test_for_people(self):
        code, said, err = self.say()
        self.assertEqual((code, err), (GOOD, ""))
        self.assertRegex(said, r"(?m)^ok +5\.1 +there are no default passwords")
        self.assertRegex(said, r"\d+ ok, \d+ warn, 0 fail, \d+ unknown\n$")
        self.assertNotIn("\033", said)


@unittest.skipIf(os.geteuid() != 0, "only root can run the gateway as another user")
class OtherUsers(AuditCase):
    def test_state_folder_and_control_socket(self):
        self.gateway.state.chmod(0o755)
        (self.gateway.run / "control.sock").chmod(0o666)
        self.audit(good=(FAILED,))
        self.assert_line("state-folder", "fail", r"mode 0755")
        self.assert_line("control-socket", "fail", r"mode 0666")
        self.gateway.state.chmod(0o700)


class BadBox(AuditCase):
    allowed = [r"insecure", r"may be read|others|key", r"cloud", r"certificate", r"field"]
    settings = {"store": {"mirror": False}}
    crypto = "compatible"

    def weak(self, name, key, *more):
        """A certificate that no policy takes."""
        run(["openssl", "req", "-x509", "-newkey", key, "-nodes", "-days", "2", "-subj", f"/CN={name}",
             "-keyout", self.pki.key(name), "-out", self.pki.certificate(name), *more])

    def spoil(self):
        """The files change under a gateway that runs well."""
        self.pki.expired_leaf("old")
        self.weak("short", "rsa:1024")
        self.weak("hashed", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-sha1",
                  "-CA", self.pki.certificate("devices-ca"), "-CAkey", self.pki.key("devices-ca"))
        self.pki.key("open-key").write_bytes(self.pki.key("gateway").read_bytes())
        self.pki.key("open-key").chmod(0o644)
        trust = self.pki.certificate("spoiled")
        trust.write_bytes(b"".join(self.pki.certificate(n).read_bytes() for n in ("devices-ca", "old", "short", "hashed")))
        self.gateway.configure(self.configuration(field={"trust": trust, "key": self.pki.key("open-key")},
                                                      cloud={"insecure": True}))
        self.gateway.ctl("reload")

    def test_everything_is_found(self):
        self.spoil()
        report = self.audit(good=(FAILED,))
        self.assert_line("policy", "warn", r"crypto = \"compatible\"")
        self.assert_line("plain", "fail", r"endpoint \"cloud\": insecure = true")
        self.assert_line("outages", "warn", r"mirror = false")
        self.assert_line("key-files", "fail", r"open-key\.key: mode 0644.*OTHERS")
        self.assert_line("certificates", "fail", r"CN=old.*EXPIRED")
        self.assert_line("certificates", "fail", r"CN=short.*RSA 1024 bits")
        self.assert_line("certificates", "fail", r"CN=hashed.*ecdsa-with-SHA1")
        self.assert_line("setup", "warn", r"may be read by others")
        below = [(b["what"], b["name"], b["reason"]) for b in report["below"]]
        self.assertIn(("certificate", "CN=short", "its key is too short"), below)
        self.assertIn(("certificate", "CN=hashed", "its signature is of a hash that is too weak"), below)
        self.assertEqual([b["since"] for b in report["below"]], sorted(b["since"] for b in report["below"]))
        code, said, _ = self.say()
        self.assertEqual(code, FAILED)
        self.assertRegex(said, r"(?m)^fail +5\.4 ")
        self.assertIn("Below the policy, oldest first:", said)
        self.assertIn("-> ", said)

    def test_files_that_are_not_there(self):
        self.gateway.configure(self.configuration(field={"trust": self.pki.folder / "nowhere.crt"}))
        self.gateway.ctl("reload")
        self.audit(good=(FAILED,))
        self.assert_line("certificates", "fail", r"nowhere\.crt holds no certificate that can be read")


class Updates(AuditCase):
    """What apt says, from its lists; an apt-get of our own speaks for it."""

    def with_apt(self, text, code=0):
        folder = self.folder / "bin"
        folder.mkdir(exist_ok=True)
        apt = folder / "apt-get"
        apt.write_text(f"#!/bin/sh\n[ \"$1\" = -s ] || exit 9\ncat <<'END'\n{text}\nEND\nexit {code}\n", encoding="utf-8")
        apt.chmod(apt.stat().st_mode | stat.S_IXUSR)
        environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
        code, out, err = run([BUILD / "tidegatectl", "--json", "--run", self.gateway.run, "audit"], check=False, env=environment)
        self.assertIn(code, (GOOD, FAILED), err)
        return next(line for line in json.loads(out)["lines"] if line["id"] == "updates")

    def test_what_is_pending(self):
        line = self.with_apt("Reading...\nInst libssl3 [3.0.15] (3.0.17 Debian-Security:12/stable-security [amd64])\n"
                             "Inst bash [5] (6 Debian:12/stable [amd64])\nConf bash (6)")
        if line["state"] != "unknown":  # a box without apt's lists
            self.assertEqual((line["provision"], line["state"]), ("5.3", "warn"))
            self.assertIn("2 updates pending, 1 of them for security", line["evidence"][0])
            self.assertIn("security: libssl3", line["evidence"])
        line = self.with_apt("E: broken", 100)
        self.assertEqual(line["state"], "unknown", line)

    def test_no_updates_leaves_the_line_out(self):
        self.audit("--no-updates")
        self.assertNotIn("updates", self.lines)


class Sessions(AuditCase):
    """A session of yesterday's policy is found once the policy has been raised."""

    crypto = "compatible"

    def test_raised_policy(self):
        load = Load(self.folder, self.coap_port, self.keys(1), "--rate", 5, "--cipher",
                    "ECDHE-PSK-AES128-CBC-SHA256:@SECLEVEL=0").start()
        self.subscriber.wait_for(1)
        self.assertEqual(self.audit()["below"], [])
        self.assert_line("sessions", "ok")
        self.crypto = "modern"
        self.gateway.configure(self.configuration())
        self.gateway.ctl("reload")
        report = wait_until(lambda: next((r for r in [self.audit()] if r["below"]), None), "the session is found")
        self.assert_line("sessions", "warn", r"1 of \d+ live sessions are below the policy")
        self.assertEqual([(b["what"], b["name"], b["endpoint"], b["reason"]) for b in report["below"]],
                         [("session", "sensor-01", "field", "its cipher suite is not in the policy")])
        load.stop()


if __name__ == "__main__":
    main()
