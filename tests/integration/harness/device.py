# SPDX-License-Identifier: Apache-2.0
"""A device that is DTLS client and CoAP server at once: tests/integration/device, whose first comment tells what it can do."""
import json
import subprocess

from .gateway import BUILD
from .process import DEADLINE_S, Lines


class Device:
    """Its events are dictionaries. Each wait is for an event behind those that were waited for before."""

    def __init__(self, name, port, key, *options):
        self.name = name
        self._command = [
            BUILD / "tests/integration/device", "--port", str(port), "--identity", name, "--key", key.hex(), *options,
        ]
        self._events = Lines(parse=self._parse)
        self._seen = 0
        self._process = None

    @staticmethod
    def _parse(line):
        return json.loads(line) if line.startswith("{") else {"event": "said", "text": line}

    def start(self):
        """It is connected when this returns."""
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", bufsize=1,
        )
        self._events.follow(self._process.stdout)
        self.wait("connected")
        return self

    def tell(self, line):
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def events(self, event=None, **members):
        """All so far of this kind, whatever was waited for."""
        return [e for e in self._events.all() if self._is(e, event, members)]

    def wait(self, event, deadline_s=DEADLINE_S, **members):
        """Waits for the next event with these members, and returns it."""
        def found(events):
            return next((n for n, e in enumerate(events) if n >= self._seen and self._is(e, event, members)), -1) + 1
        self._seen = self._events.wait_for(found, f"{event} {members} of {self.name}", deadline_s)
        return self._events.all()[self._seen - 1]

    @staticmethod
    def _is(event, kind, members):
        return (kind is None or event["event"] == kind) and all(event.get(m) == v for m, v in members.items())

    def post(self, path, text):
        """A reading; returns the code of its answer. What came before the answer is waited for no more: see `events`."""
        self.tell(f"post {path} {text}")
        return self.wait("answer")["code"]

    def executions(self, **members):
        """How many requests with these members were carried out."""
        return len(self.events("request", **members))

    def kill(self):
        """As after a flat battery: the gateway is told nothing."""
        self._process.kill()
        self._process.wait()

    def close(self):
        """Ends its session and itself."""
        if self._process and self._process.poll() is None:
            self._process.stdin.close()
            try:
                self._process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.kill()
