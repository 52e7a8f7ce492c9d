# SPDX-License-Identifier: Apache-2.0
"""tidegated from the build tree, as an ordinary process with folders of its own, and tidegatectl to talk to it."""
import json
import os
import re
import signal
import socket
import struct
import threading
import time
from pathlib import Path

from .process import DEADLINE_S, Lines, Process, run

SOURCE = Path(os.environ.get("TG_SOURCE") or Path(__file__).resolve().parents[3])
BUILD = Path(os.environ.get("TG_BUILD") or SOURCE / "build")
SANITIZED = "#define TG_SANITIZERS 1" in (BUILD / "config.h").read_text(encoding="utf-8")


COMPLAINT = re.compile(r"^(error|warning): |Sanitizer|runtime error:")


class Groups(list):
    """libconfig's ( … ), in which each element is a group; a plain list is its [ … ]."""


def write_value(value, indent=""):
    """A Python value in libconfig's notation."""
    deeper = indent + "  "
    if isinstance(value, dict):
        lines = [f"{deeper}{name} = {write_value(v, deeper)};\n" for name, v in value.items() if v is not None]
        return "{\n" + "".join(lines) + indent + "}"
    if isinstance(value, Groups):
        return "(\n" + ",\n".join(deeper + write_value(v, deeper) for v in value) + "\n" + indent + ")"
    if isinstance(value, list):
        return "[ " + ", ".join(write_value(v) for v in value) + " ]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}L" if abs(value) >= 1 << 31 else str(value)
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def configuration(pki, coap_port, broker_ports, field=None, cloud=None, routes=None, **groups):
    """The usual gateway: `field` and `cloud` add settings to its endpoints (None takes one out), `groups` adds groups."""
    endpoints = Groups([
        {"name": "field", "adapter": "coap", "listen": [f"coaps://127.0.0.1:{coap_port}"],
         "certificate": pki.certificate("gateway"), "key": pki.key("gateway"), "trust": pki.certificate("devices-ca"),
         **(field or {})},
        {"name": "cloud", "adapter": "mqtt", "broker": [f"mqtts://localhost:{port}" for port in broker_ports],
         "certificate": pki.certificate("cloud"), "key": pki.key("cloud"), "trust": pki.certificate("cloud-ca"),
         "backoff_min_ms": 50, "backoff_max_s": 1, **(cloud or {})},
    ])
    return {
        "gateway": {"name": "hall-3", "site": "plant-7"},
        **groups,
        "endpoints": endpoints,
        "routes": routes or Groups([
            {"name": "telemetry", "from": "field", "match": "/{path}",
             "to": "cloud", "address": "{site}/{gateway}/{device}/{path}"},
        ]),
    }


class NotifySocket:
    """What a service manager would listen at: READY=1 and its like (sd_notify(3)). Always read, for who notifies waits for room."""

    def __init__(self, path):
        self.path = path
        self._said = Lines()  # (pid, word)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind(str(path))
        self._socket.settimeout(0.1)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while not self._closing.is_set():
            try:
                data, credentials, _, _ = self._socket.recvmsg(4096, socket.CMSG_SPACE(12))
            except TimeoutError:
                continue
            pid = struct.unpack("iII", credentials[0][2][:12])[0]
            for word in data.decode().splitlines():
                self._said.add((pid, word))

    def wait(self, word, process, deadline_s=DEADLINE_S):
        """Waits until this process has said it."""
        end = time.monotonic() + deadline_s
        while (process.pid, word) not in self._said.all():
            if not process.is_running():
                raise AssertionError(f"tidegated ended with {process.wait()} instead of {word}")
            if time.monotonic() > end:
                raise AssertionError(f"tidegated did not say {word} within {deadline_s} s")
            time.sleep(0.02)

    def words(self, process):
        """What this process has said so far, in order."""
        return [word for pid, word in self._said.all() if pid == process.pid]

    def close(self):
        self._closing.set()
        self._thread.join(DEADLINE_S)
        self._socket.close()
        os.unlink(self.path)


class Gateway:
    """One gateway with its folders; it can be started, stopped and killed again and again."""

    def __init__(self, folder, settings):
        self.folder = Path(folder)
        self.state, self.run = self.folder / "state", self.folder / "run"
        self.file = self.folder / "tidegate.conf"
        self.adapters = BUILD / ".libs"
        self.endpoint_program = BUILD / "tidegate-endpoint"
        self.environment = {}  # added to our own
        self.wrapper = []  # what the program is started by
        self.pass_fds = ()  # descriptors that it inherits
        self.lines = Lines()
        self.process = None
        self.state.mkdir(parents=True, exist_ok=True)
        self.run.mkdir()
        self.configure(settings)
        self._notify = NotifySocket(self.folder / "notify")

    def configure(self, settings):
        """Writes the configuration: a dictionary, or text as it stands."""
        if isinstance(settings, dict):
            settings = "".join(f"{name} = {write_value(value)};\n" for name, value in settings.items())
        self.file.write_text(settings, encoding="utf-8")

    def command(self, *more):
        return [
            BUILD / "tidegated", "--config", self.file, "--state", self.state, "--run", self.run,
            "--adapters", self.adapters, "--endpoint-program", self.endpoint_program,
            "--renew-program", BUILD / "tidegate-renew", *more,
        ]

    def begin(self):
        """Starts the process, and does not wait for it to be ready."""
        environment = {**os.environ, **self.environment, "NOTIFY_SOCKET": str(self._notify.path)}
        self.process = Process([*self.wrapper, *self.command()], self.lines, env=environment, pass_fds=self.pass_fds)

    def start(self):
        self.begin()
        self.wait_ready()
        return self

    def wait_ready(self, deadline_s=DEADLINE_S):
        self._notify.wait("READY=1", self.process, deadline_s)

    def stop(self):
        """In good order; returns the exit code."""
        self.process.signal(signal.SIGTERM)
        code = self.process.wait()
        self.process.wait_lines()
        return code

    def kill(self):
        self.process.kill()

    def notified(self):
        """What it has told its service manager in this life."""
        return self._notify.words(self.process)

    def is_running(self):
        return self.process is not None and self.process.is_running()

    def close(self):
        if self.is_running():
            self.kill()
        self._notify.close()

    def check(self, *more):
        """tidegated --check: (exit code, what it said)."""
        code, out, err = run(self.command("--check", *more), check=False)
        return code, out + err

    def ctl(self, *words, good=(0,)):
        """The answer of tidegatectl --json as Python values."""
        code, out, err = run([BUILD / "tidegatectl", "--json", "--run", self.run, *words], check=False)
        if code not in good:
            raise AssertionError(f"tidegatectl {' '.join(words)} ended with {code}: {out}{err}")
        return json.loads(out) if out else None

    def say(self, *words):
        """What tidegatectl says to people: (exit code, standard output, standard error)."""
        return run([BUILD / "tidegatectl", "--run", self.run, *words], check=False)

    def status(self):
        """A gateway that is not well (exit code 4) has a status too."""
        return self.ctl("status", good=(0, 4))

    def endpoint(self, name):
        return next(e for e in self.status()["endpoints"] if e["name"] == name)

    def outbox(self, name="cloud"):
        return next(o for o in self.status()["outboxes"] if o["endpoint"] == name)

    def pid(self, name):
        """The process of an endpoint with one worker, or None while there is none."""
        pids = self.endpoint(name)["pids"]
        return pids[0] if pids else None

    def add_psk(self, name):
        """Enrols a device and returns its key."""
        return bytes.fromhex(self.ctl("device", "add", name, "--psk")["key"])

    def add_text_psk(self, name, endpoint=None):
        """The same, of a key without a NUL: coap-client takes its key as a text."""
        at = ["--endpoint", endpoint] if endpoint else []
        key = bytes.fromhex(self.ctl("device", "add", name, "--psk", *at)["key"])
        while 0 in key:
            key = bytes.fromhex(self.ctl("device", "rotate", name, "--now")["key"])
        return key

    def add_certificate(self, name):
        self.ctl("device", "add", name, "--enrol-only")

    def complaints(self):
        """The lines of its log that are errors or warnings, or come from a sanitizer."""
        return [line for line in self.lines.all() if COMPLAINT.search(line)]
