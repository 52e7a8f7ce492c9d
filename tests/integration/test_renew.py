# SPDX-License-Identifier: Apache-2.0
"""tidegate-renew by itself, against an EST server that can misbehave: what it takes, what it refuses, what it leaves behind."""
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from harness import BUILD, Pki, main
from harness.est import Est, Signer
from harness.process import run


class RenewCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = Path(tempfile.mkdtemp(prefix="tidegate-renew-"))
        cls.addClassCleanup(shutil.rmtree, cls.root, ignore_errors=True)
        cls.pki = Pki(cls.root / "pki")
        (cls.root / "password").write_text("let me in\n", encoding="ascii")

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(dir=self.root))
        self.est = Est(self.folder / "est", self.pki)
        self.addCleanup(lambda: self.est.close())

    def renew(self, job="enroll", *, old="cloud", password=False, trust="cloud-ca", now_s=None, files=None, **changes):
        """Runs one job; returns (its answer, what stands in the result)."""
        opened, names = [], {}
        paths = {
            "certificate": self.pki.certificate(old) if old else None, "key": self.pki.key(old) if old else None,
            "trust": self.pki.certificate(trust) if trust else None, "password": self.root / "password" if password else None,
            "pending": self.folder / "pending", "result": self.folder / "result", "request": self.folder / "request",
            **(files or {}),
        }
        (self.folder / "result").unlink(missing_ok=True)
        for number, (name, path) in enumerate((n, p) for n, p in paths.items() if p):
            written = name in ("pending", "result", "request")
            fd = os.open(path, os.O_RDWR | os.O_CREAT if written else os.O_RDONLY, 0o600)
            high = os.dup2(fd, 40 + number)
            os.close(fd)
            opened.append(high)
            names[name] = high
        wanted = {"job": job, "endpoint": "cloud", "url": self.est.url, "username": "box", "common_name": "cloud",
                  "server": False, "now_s": now_s or int(time.time()), "timeout_s": 20, "files": names, **changes}
        result = subprocess.run([BUILD / "tidegate-renew"], input=json.dumps(wanted), capture_output=True, encoding="utf-8",
                                pass_fds=opened, env={**os.environ, "https_proxy": "http://127.0.0.1:1"}, timeout=120, check=False)
        for fd in opened:
            os.close(fd)
        self.assertTrue(result.stdout, f"no answer: {result.returncode} {result.stderr}")
        answer = json.loads(result.stdout)
        self.assertEqual(result.returncode == 0, answer["ok"], answer)
        self.assertEqual(result.stderr, "")
        path = self.folder / "result"
        return answer, path.read_text(encoding="ascii") if path.exists() else ""

    def assert_renewed(self, answer, pem, how):
        self.assertEqual((answer["ok"], answer.get("how")), (True, how), answer)
        self.assertEqual((pem.count("BEGIN CERTIFICATE"), pem.count("BEGIN PRIVATE KEY")), (1, 1))
        path = self.folder / "pair.pem"
        path.write_text(pem, encoding="ascii")
        _, subject, _ = run(["openssl", "x509", "-in", path, "-noout", "-subject", "-pubkey"])
        _, public, _ = run(["openssl", "pkey", "-in", path, "-pubout"])
        self.assertIn(public, subject)
        self.assertIn("CN=cloud", subject.replace(" = ", "="))
        return path

    def assert_refused(self, answer, pem, text):
        self.assertFalse(answer["ok"])
        self.assertRegex(answer["error"], text)
        self.assertEqual(pem, "")


class Good(RenewCase):
    def test_reenroll_with_the_certificate(self):
        self.assert_renewed(*self.renew(), "simplereenroll")
        self.assertEqual(self.est.asked, [("cacerts", "cloud"), ("simplereenroll", "cloud")])

    def test_first_time_with_the_password(self):
        self.assert_renewed(*self.renew(old=None, password=True), "simpleenroll")
        self.assertEqual(self.est.enrolments(), [("simpleenroll", "password")])

    def test_expired_certificate_falls_back_to_the_password(self):
        self.pki.expired_leaf("old", "cloud-ca")
        answer, pem = self.renew(old="old", password=True, common_name="old")
        self.assertEqual((answer["ok"], answer.get("how")), (True, "simpleenroll"), answer)
        self.assertEqual(self.est.enrolments(), [("simpleenroll", "password")])
        self.assertIn("BEGIN CERTIFICATE", pem)

    def test_a_certificate_that_the_server_does_not_know(self):
        """It ends the handshake; the password is the second try."""
        self.pki.leaf("stranger", "devices-ca")
        answer, _ = self.renew(old="stranger", password=True)
        self.assertEqual((answer["ok"], answer.get("how")), (True, "simpleenroll"), answer)
        answer, pem = self.renew(old="stranger")
        self.assert_refused(answer, pem, "no answer from the EST server")

    def test_names_and_kind_of_key_stay(self):
        run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.pki.key("rsa"), "-days", "2",
             "-subj", "/O=works/CN=cloud", "-addext", "subjectAltName=DNS:a.example,URI:urn:x", "-out",
             self.pki.certificate("rsa"), "-CA", self.pki.certificate("cloud-ca"), "-CAkey", self.pki.key("cloud-ca"),
             "-addext", "basicConstraints=critical,CA:FALSE"])
        answer, pem = self.renew(old="rsa")
        self.assertTrue(answer["ok"], answer)
        path = self.folder / "pair.pem"
        path.write_text(pem, encoding="ascii")
        _, text, _ = run(["openssl", "x509", "-in", path, "-noout", "-text"])
        for words in ("DNS:a.example, URI:urn:x", "O=works, CN=cloud", "(2048 bit)"):
            self.assertIn(words, text.replace(" = ", "="))

    def test_asked_to_wait_the_same_request_comes_again(self):
        self.est.mode = "later"
        answer, pem = self.renew()
        self.assert_refused(answer, pem, "asked again in 1 s")
        self.assertEqual((answer["retry_after_s"], answer["drop"]), (1, False))
        self.est.mode = "good"
        self.assert_renewed(*self.renew(), "simplereenroll")
        self.assertEqual(self.est.requests[0], self.est.requests[1])

    def test_somebody_elses_tools(self):
        answer, _ = self.renew("request", trust=None)
        self.assertTrue(answer["ok"], answer)
        signer = Signer(self.folder / "own", self.pki.certificate("cloud-ca"), self.pki.key("cloud-ca"))
        signer.sign(self.folder / "request", self.folder / "answer")
        files = {"answer": self.folder / "answer"}
        self.assert_renewed(*self.renew("check", trust=None, files=files), "check")
        self.assert_renewed(*self.renew("check", files=files), "check")
        answer, pem = self.renew("check", trust="devices-ca", files=files)
        self.assert_refused(answer, pem, "does not stand under the trust")
        self.assertEqual(self.est.asked, [])


class Bad(RenewCase):
    def assert_mode(self, mode, text):
        self.est.mode = mode
        answer, pem = self.renew()
        self.assert_refused(answer, pem, text)
        return answer

    def test_bad_answers(self):
        for mode, text in [
            ("refuse", r"refuses \(simplereenroll: 400, not this one\)"), ("broken", "500"), ("garbage", "not a certificate"),
            ("huge", "too large"), ("redirect", "not followed"), ("other-key", "of another key"),
            ("other-name", "another name.*somebody else"), ("expired", "expired already"), ("wrong-ca", "does not stand under"),
        ]:
            with self.subTest(mode):
                self.assert_mode(mode, text)

    def test_a_server_that_hangs(self):
        self.est.mode = "hang"
        answer, pem = self.renew(timeout_s=2)
        self.assert_refused(answer, pem, "imed out|imeout")

    def test_a_server_that_is_not_trusted(self):
        answer, pem = self.renew(trust="devices-ca", password=True)
        self.assert_refused(answer, pem, "certificate")
        self.assertEqual(self.est.asked, [])

    def test_a_server_of_another_name(self):
        self.est.close()
        self.pki.leaf("elsewhere", "cloud-ca", names="DNS:elsewhere.example")
        self.est = Est(self.folder / "est2", self.pki, certificate="elsewhere")
        answer, pem = self.renew(password=True)
        self.assert_refused(answer, pem, "localhost")
        self.assertEqual(self.est.asked, [])

    def test_a_server_below_the_crypto_policy(self):
        self.est.close()
        self.est = Est(self.folder / "est2", self.pki, newest=ssl.TLSVersion.TLSv1_2)
        answer, pem = self.renew()
        self.assert_refused(answer, pem, "protocol version|unsupported protocol")
        self.assertEqual(self.est.asked, [])
        self.assert_renewed(*self.renew(crypto="compatible"), "simplereenroll")

    def test_a_server_whose_certificate_has_expired_by_the_time_given(self):
        answer, pem = self.renew(now_s=int(time.time()) + 3 * 86400)
        self.assert_refused(answer, pem, "expired")

    def test_plain_http_and_other_words(self):
        for url in ("http://localhost:1", "https://user@localhost:1", "https://localhost:1/?x", "file:///etc/passwd", "x"):
            answer, pem = self.renew(url=url)
            self.assert_refused(answer, pem, "is not of the form https://")

    def test_nothing_to_show(self):
        answer, pem = self.renew(old=None)
        self.assert_refused(answer, pem, "neither a certificate nor a password")

    def test_wrong_password(self):
        self.est.password = "something else"
        answer, pem = self.renew(old=None, password=True)
        self.assert_refused(answer, pem, "401, who are you")

    def test_a_name_that_nobody_knows(self):
        answer, pem = self.renew(url="https://no-such-host.invalid")
        self.assert_refused(answer, pem, "cannot be looked up")

    def test_no_job(self):
        for text in ("", "{}", "[", '{"job": "enroll"}', '{"job": "dance", "now_s": 1, "timeout_s": 1, "files": {"pending": 3}}',
                     "x" * 100000):
            result = subprocess.run([BUILD / "tidegate-renew"], input=text, capture_output=True, encoding="utf-8", check=False)
            self.assertEqual((result.returncode, result.stdout), (64, ""), text[:60])


if __name__ == "__main__":
    main()
