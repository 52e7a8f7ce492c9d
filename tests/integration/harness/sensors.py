# SPDX-License-Identifier: Apache-2.0
"""Sensors: coap-client-openssl for single readings, and the load generator for many at once."""
import json
import re
import signal
from typing import NamedTuple

from .gateway import BUILD
from .process import Lines, Process, run, wait_until

# What the client prints at verbosity 6: v:1 t:ACK c:2.04 i:8f3c {01} [ Max-Age:30 ] :: 'text'
ANSWER = re.compile(r"^v:1 t:(?:ACK|CON|NON) c:(\d\.\d\d) i:\w+ \{\w*\} \[ (.*?) ?\](?: :: '(.*)')?$", re.MULTILINE)


class Reply(NamedTuple):
    code: str  # "2.04"; "" where no answer came
    options: dict
    text: str


class Sensor:
    """A device with coap-client-openssl: one call, one DTLS session, one request."""

    program = "coap-client-openssl"

    def __init__(self, name, port, key=None, pki=None, certificate=None):
        """With `key` (bytes) it has a PSK, with `pki` a certificate: its own, or another one."""
        self.name, self.key = name, key
        self._uri = f"coaps://127.0.0.1:{port}"  # a name could mean [::1], where nobody listens
        if key is not None:
            assert 0 not in key, "the client takes its key as a text"
            self._proof = ["-u", name, "-k", key]
        else:
            mine = certificate or name
            self._proof = ["-c", pki.certificate(mine), "-j", pki.key(mine), "-C", pki.certificate("devices-ca")]

    def request(self, method, path, text=None, confirmable=True, content_format=None, wait_s=20, more=()):
        command = [self.program, "-v", "6", "-m", method, "-B", str(wait_s), *self._proof, *more]
        command += [] if confirmable else ["-N"]
        command += ["-t", str(content_format)] if content_format is not None else []
        command += ["-e", text] if text is not None else []
        _, out, err = run([*command, f"{self._uri}/{path}"], deadline_s=wait_s + 20)
        answers = [found for found in ANSWER.findall(out + err) if not found[0].startswith("0.")]
        if not answers:
            return Reply("", {}, out + err)
        code, options, answer = answers[-1]
        return Reply(code, dict(o.partition(":")[::2] for o in options.split(", ") if o), answer)

    def post(self, path, text, **options):
        return self.request("post", path, text, **options)

    def observe(self, path, more=()):
        """Observes `path` until it is closed."""
        command = [self.program, "-v", "6", "-m", "get", "-s", "600", "-B", "600", *self._proof, *more, f"{self._uri}/{path}"]
        return Observation(command)

    def begin_post(self, path, text):
        """Posts, and waits for its answer until it is closed or told to leave."""
        command = [self.program, "-v", "6", "-m", "post", "-B", "600", *self._proof, "-e", text, f"{self._uri}/{path}"]
        return Observation(command)

    def send_file(self, path, file, **options):
        return self.request("post", path, more=["-f", file], **options)


class Observation:
    """A client that stays: its response, and each notification that follows, is a Reply."""

    def __init__(self, command):
        self._said = Lines()
        self._process = Process(command, self._said)
        self._taken = 0

    def replies(self):
        """All so far, in the order in which they came. It writes payloads without a line end, and of an error at first the code alone."""
        found = []
        for line in self._said.all():
            answer, error = ANSWER.match(line[max(line.find("v:1 "), 0):]), re.search(r"([45]\.\d\d)$", line)
            if answer and not answer[1].startswith("0."):
                found.append(Reply(answer[1], dict(o.partition(":")[::2] for o in answer[2].split(", ") if o), answer[3]))
            elif error:
                found.append(Reply(error[1], {}, ""))
        return found

    def wait(self, code, text=None, deadline_s=60):
        """Waits for one that was not waited for before; those in between are passed over."""
        def found():
            for place, reply in enumerate(self.replies()):
                if place >= self._taken and reply.code == code and text in (None, reply.text):
                    self._taken = place + 1
                    return reply
            return None
        try:
            return wait_until(found, f"{code} {text}", deadline_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; the client said: {self._said.all()[-30:]}") from None

    def is_running(self):
        return self._process.is_running()

    def leave(self):
        """Ends its session in good order."""
        self._process.signal(signal.SIGINT)
        self._process.wait()

    def close(self):
        if self.is_running():
            self._process.kill()


class Load:
    """The load generator: many sensors, one confirmable reading outstanding each. Its payloads are "name sequence …"."""

    def __init__(self, folder, port, names, *options):
        """`names` maps each sensor to its key."""
        self._keys, self._record = folder / "load.keys", folder / f"load-{id(self)}.record"
        self._keys.write_text("".join(f"{name} {key.hex()}\n" for name, key in names.items()), encoding="ascii")
        self._summary = Lines()
        self._command = [
            BUILD / "tests/bench/loadgen", "--server", f"127.0.0.1:{port}", "--keys", self._keys,
            "--sensors", str(len(names)), "--record", self._record, *map(str, options),
            *([] if "--count" in options else ["--seconds", "600"]),
        ]
        self._process = None

    def start(self):
        self._process = Process(self._command, self._summary)
        self._process.wait_line(r"^connected ")
        return self

    def stop(self):
        """Ends it in good order; what was sent is still waited for."""
        if self._process.is_running():
            self._process.signal(signal.SIGINT)
        return self.wait()

    def wait(self, deadline_s=120):
        """Waits for its end and returns its summary."""
        code = self._process.wait(deadline_s)
        self._process.wait_lines()
        text = "\n".join(self._summary.all())
        assert code == 0, f"the load generator ended with {code}: {text}"
        return json.loads(text[text.index("{"):])

    def acknowledged(self):
        """Each (sensor, sequence) that got its 2.04."""
        lines = self._record.read_text(encoding="ascii").splitlines()
        return [(name, int(number)) for name, number in (line.split() for line in lines)]


def reading_of(message):
    """The (sensor, sequence) of a message that the load generator made."""
    name, number = message.payload.rstrip(".").split()[:2]
    return name, int(number)
