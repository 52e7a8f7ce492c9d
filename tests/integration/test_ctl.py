# SPDX-License-Identifier: Apache-2.0
"""tidegatectl against a gateway that is not there, or answers anything at all: exit codes, and nothing that moves the cursor."""
import json
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from harness import main
from harness.gateway import BUILD

GOOD, FAILED, USAGE, NO_GATEWAY, UNWELL = range(5)

COMMANDS = [
    ["status"], ["outbox"], ["profiles"], ["readings", "d", "--payload"], ["audit", "--no-updates"], ["device", "add", "d", "--psk"], ["device", "list"], ["device", "show", "d"],
    ["device", "revoke", "d"], ["device", "rotate", "d"], ["device", "rotate", "d", "--finish"], ["device", "add", "d", "--enrol-only"],
    ["device", "ca"], ["device", "export"], ["device", "profile", "d", "p"], ["device", "rekey"], ["tail", "--count", "1"], ["explain", "d"], ["config"],
    ["routes", "test", "field", "d", "/p"], ["reload"], ["drain", "--timeout", "0"], ["drain", "--off"],
]

WRONG = [
    [], ["nonsense"], ["device"], ["device", "lost"], ["status", "now"], ["device", "add", "d"], ["device", "add", "--psk"],
    ["device", "add", "d", "--psk", "--certificate"], ["device", "add", "d", "--certificate"],
    ["device", "add", "d", "--enrol-only", "--out", "f"], ["device", "certificate", "d"], ["device", "import"], ["device", "rekey", "now"],
    ["device", "rotate", "d", "--finish", "--now"], ["device", "add", "d", "--psk", "--endpoint"], ["device", "show"],
    ["tail", "--count", "0"], ["tail", "--count", "99999999999999999999"], ["drain", "--timeout", ""],
    ["drain", "--timeout", "99999999999999999999"], ["drain", "--timeout", "-1"], ["drain", "--off", "--timeout", "1"],
    ["routes", "test", "field"], ["explain"], ["explain", "a", "b"], ["profiles", "now"], ["readings", "a", "b"], ["readings", "--count", "0"], ["audit", "now"], ["--lost", "status"], ["device", "show", b"\xff"],
]

TERMINAL = "\x1b]0;title\x07\x9b31m\x7f\r\n"
ODD = [None, True, 7, -1e300, 1 << 62, "", TERMINAL, "%s%n" * 50, "ä" * 5000, [], {}, [None, 7, [[]], {"device": []}], {"": {"": []}}]
KEYS = [
    "device", "identity", "key", "proof", "endpoint", "last_seen", "accepted", "endpoints", "outboxes", "ledger", "problems",
    "counters", "sessions", "uptime_s", "dropped", "applied", "waiting", "text", "held", "route", "goes", "address", "what",
    "time", "bytes", "reason", "event", "confirmed_ms", "gateway", "certificate", "private_key", "authority",
    "trust", "until", "taken", "results", "row", "line", "rotating", "old_key_until", "profile", "readings", "more", "payload",
]
RAW = [
    b"", b"\n", b"nonsense\n", b"[]\n", b"{}\n", b'{"ok":true}\n', b'{"ok":false}\n', b'{"ok":false,"error":7}\n', b"7\n",
    b"[" * 100000 + b"\n", b'{"ok":true,"result":"\xff"}\n', b'{"ok":true,"result":', b"\x00" * 1000 + b"\n",
]


class FakeGateway:
    """Answers every request with the same bytes, and hangs up."""

    def __init__(self, folder):
        self.answer = b""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(folder / "control.sock"))
        self._socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            with peer, peer.makefile("rb") as requests:
                try:
                    requests.readline()  # the whole of it: bytes that nobody read would cut the answer off
                    peer.sendall(self.answer)
                except OSError:
                    pass

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class Ctl(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="tidegate-ctl-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def ctl(self, *words, **options):
        command = [BUILD / "tidegatectl", "--run", self.folder, *words]
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=not options, timeout=30, check=False, **options
        )
        self.assertIn(result.returncode, range(5), (words, result.stderr))
        return result

    def test_no_gateway(self):
        for words in COMMANDS:
            result = self.ctl(*words)
            self.assertEqual(result.returncode, NO_GATEWAY, words)
            self.assertIn(b"no gateway answers", result.stderr)
        self.assertEqual(self.ctl("--run", "/" + "r" * 600, "status").returncode, NO_GATEWAY)

    def test_wrong_words(self):
        gateway = FakeGateway(self.folder)
        self.addCleanup(gateway.close)
        for words in WRONG:
            result = self.ctl(*words)
            self.assertEqual((result.returncode, result.stdout), (USAGE, b""), words)
            self.assertNotEqual(result.stderr, b"", words)

    def test_help(self):
        for words in [*COMMANDS, ["device"]]:
            result = self.ctl(*[w for w in words if not w.startswith("--")][:2 if words[0] in ("device", "routes") else 1], "--help")
            self.assertEqual((result.returncode, result.stderr), (GOOD, b""), words)
            self.assertIn(words[0].encode(), result.stdout)
        for word, longer in (("config", b"config confirm"), ("certs", b"certs renew")):
            self.assertIn(longer, self.ctl(word, "--help").stdout)

    def results(self):
        yield from ODD
        for odd in ODD:
            everything = dict.fromkeys(KEYS, odd)
            yield everything
            yield [everything, odd]
            yield {**everything, "endpoints": [everything], "outboxes": [everything], "ledger": everything, "problems": [odd]}

    def test_any_answer(self):
        gateway = FakeGateway(self.folder)
        self.addCleanup(gateway.close)
        answers = list(RAW)
        for result in self.results():
            line = json.dumps({"ok": True, "result": result}).encode() + b"\n"
            answers += [line, line + json.dumps({"event": result}).encode() + b"\n"]
        answers.append(json.dumps({"ok": False, "error": TERMINAL}).encode() + b"\n")
        for number, gateway.answer in enumerate(answers):
            for words in (COMMANDS[number % len(COMMANDS)], COMMANDS[(number + 5) % len(COMMANDS)]):
                said = self.ctl(*words)
                for bad in (b"\x1b", b"\x07", b"\xc2\x9b", b"\x7f", b"\r"):
                    self.assertNotIn(bad, said.stdout + said.stderr, (words, gateway.answer))
                self.ctl("--json", *words)

    def test_keys_are_in_no_core(self):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.folder / "control.sock"))
            listener.listen()
            listener.settimeout(30)
            command = [BUILD / "tidegatectl", "--run", self.folder, "status"]
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as ctl:
                with listener.accept()[0]:
                    limits = Path(f"/proc/{ctl.pid}/limits").read_text()
                ctl.wait(timeout=30)
        self.assertRegex(limits, r"Max core file size +0 +0 ")

    def test_output_that_cannot_be_written(self):
        gateway = FakeGateway(self.folder)
        self.addCleanup(gateway.close)
        gateway.answer = b'{"ok":true,"result":{"text":"x"}}\n'
        with open("/dev/full", "wb") as full:
            self.assertEqual(self.ctl("config", stdout=full, stderr=subprocess.PIPE).returncode, FAILED)


if __name__ == "__main__":
    main()
