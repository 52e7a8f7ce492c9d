# SPDX-License-Identifier: Apache-2.0
"""A real mosquitto that takes only TLS with client certificates, and subscribers that record what reached it."""
import getpass
import json
import re
import signal
import threading
import time
from typing import NamedTuple

from .process import DEADLINE_S, Lines, Process, free_port, wait_until

# Nothing is queued out of sight: what the broker has confirmed is on its way to the subscriber already. Its own
# memory of subscriptions is on disk, so that a subscriber misses nothing while the broker is away.
CONFIGURATION = """
user {user}
listener {port} 127.0.0.1
cafile {pki}/cloud-ca.crt
certfile {pki}/broker.crt
keyfile {pki}/broker.key
require_certificate true
use_identity_as_username true
allow_anonymous false
max_inflight_messages 0
max_queued_messages 0
persistence true
persistence_location {folder}/
log_dest stderr
log_type all
{more}
"""

# A mosquitto_sub whose broker goes away at an unlucky moment notices it only by its next ping.
KEEP_ALIVE_S = 5


class Message(NamedTuple):
    topic: str
    payload: str
    id: str
    device: str
    time: str
    content_type: str
    expiry_s: int
    qos: int
    retain: bool
    outcome: str = None  # of a command
    code: str = None
    command: str = None
    path: str = None
    correlation: str = None


def message_of(line):
    """Reads one line of mosquitto_sub -F %j; None where it says something else."""
    if not line.startswith("{"):
        return None
    fields = json.loads(line)
    properties = fields.get("properties", {})
    user = properties.get("user-properties", {})
    return Message(
        fields["topic"], fields.get("payload", ""), user.get("id"), user.get("device"), user.get("time"),
        properties.get("content-type"), properties.get("message-expiry-interval"), fields["qos"], bool(fields["retain"]),
        user.get("outcome"), user.get("code"), user.get("command"), user.get("path"), properties.get("correlation-data"),
    )


class Broker:
    def __init__(self, folder, pki, more=""):
        self.pki = pki
        self.port = free_port()
        self.lines = Lines()
        self.process = None
        self._configuration = folder / "mosquitto.conf"
        self._subscribers = []
        self._configuration.write_text(
            CONFIGURATION.format(user=getpass.getuser(), port=self.port, pki=pki.folder, folder=folder, more=more),
            encoding="utf-8",
        )

    def start(self):
        seen = len(self.lines.all())
        self.process = Process(["mosquitto", "-c", self._configuration], self.lines)
        self.process.wait_line(r" running$", seen)
        return self

    def stop(self):
        """In good order: every client is told, what it knows is saved."""
        self.process.signal(signal.SIGTERM)
        assert self.process.wait() == 0, "mosquitto did not end well"

    def kill(self):
        self.process.kill()

    def freeze(self):
        """The broker hangs: its connections stay, nothing is answered."""
        self.process.signal(signal.SIGSTOP)

    def thaw(self):
        self.process.signal(signal.SIGCONT)

    def save(self):
        """What it knows of its clients is on disk from here on."""
        seen = len(self.lines.all())
        self.process.signal(signal.SIGUSR1)
        self.lines.wait_line(r"Saving in-memory database", seen)

    def start_with_subscribers(self):
        """Comes back only when its subscribers are there again: what it confirms from here on is on its way to them."""
        seen = len(self.lines.all())
        self.start()
        for subscriber in self._subscribers:
            self.lines.wait_line(rf"Sending SUBACK to {subscriber.name}$", seen)

    def subscribe(self, topic="#", qos=1):
        subscriber = Subscriber(self, topic, qos, f"subscriber-{len(self._subscribers) + 1}")
        self._subscribers.append(subscriber)
        self.save()
        return subscriber

    def story(self):
        """What the broker said, without the single messages and pings, and how its subscribers fared."""
        noise = re.compile(r"(PUBLISH|PUBACK|PUBREC|PUBREL|PUBCOMP|PINGREQ|PINGRESP) ")
        said = [line for line in self.lines.all() if not noise.search(line)]
        return said + [line for subscriber in self._subscribers for line in subscriber.story()]

    def close(self):
        for subscriber in self._subscribers:
            subscriber.close()
        if self.process and self.process.is_running():
            self.process.signal(signal.SIGCONT)
            self.stop()


class Subscriber:
    """mosquitto_sub with a session that outlives connections; when the broker goes it comes back, and misses nothing."""

    def __init__(self, broker, topic, qos, name):
        self.name = name
        self._said = []  # what is no message: (seconds, text)
        self._messages = Lines(parse=self._parse)
        self._closing = threading.Event()
        self._process = None
        self._command = [
            "mosquitto_sub", "-V", "5", "-h", "127.0.0.1", "-p", str(broker.port), "-i", name, "-c", "-q", str(qos),
            "-D", "CONNECT", "receive-maximum", "65535", "-k", str(KEEP_ALIVE_S), "-t", topic, "-F", "%j",
            "--cafile", broker.pki.certificate("cloud-ca"),
            "--cert", broker.pki.certificate("subscriber"), "--key", broker.pki.key("subscriber"),
        ]
        seen = len(broker.lines.all())
        self._thread = threading.Thread(target=self._keep_running, daemon=True)
        self._thread.start()
        broker.lines.wait_line(rf"Sending SUBACK to {name}$", seen)

    def _parse(self, line):
        message = message_of(line)
        if message is None:
            self._note(line)
        return message

    def _note(self, text):
        self._said = self._said[-50:] + [f"{int(time.time())}: {self.name}: {text}"]

    def story(self):
        """What its programs said that is no message, and how they ended."""
        return [*self._said, f"{int(time.time())}: {self.name}: {len(self._messages.all())} messages in all"]

    def _keep_running(self):
        while not self._closing.is_set():
            self._process = Process(self._command, self._messages)
            self._note(f"process {self._process.pid} started")
            self._note(f"process {self._process.pid} ended with {self._process.wait(None)}")
            self._process.wait_lines()
            self._closing.wait(0.05)

    def close(self):
        self._closing.set()
        wait_until(lambda: self._process, "the subscriber was started")
        self._process.kill()
        self._thread.join(DEADLINE_S)

    def messages(self, select=lambda message: True):
        """What came so far, in order, without the gateways' own status messages."""
        return [m for m in self._messages.all() if m.id and select(m)]

    def status_messages(self):
        return [m for m in self._messages.all() if not m.id]

    def wait_for(self, count, select=lambda message: True, deadline_s=DEADLINE_S):
        """Waits until `count` different messages have come, and returns all of them."""
        ids, place = set(), 0

        def enough(messages):
            nonlocal place
            ids.update(m.id for m in messages[place:] if m.id and select(m))
            place = len(messages)
            return len(ids) >= count

        self._messages.wait_for(enough, f"{count} messages", deadline_s)
        return self.messages(select)

    def wait_for_readings(self, wanted, deadline_s=DEADLINE_S):
        """Waits until each (device, payload) of `wanted` has come."""
        missing, place = set(wanted), 0

        def complete(messages):
            nonlocal place
            missing.difference_update((m.device, m.payload) for m in messages[place:])
            place = len(messages)
            return not missing

        try:
            self._messages.wait_for(complete, "all readings", deadline_s)
        except AssertionError:
            raise AssertionError(f"{len(missing)} readings did not come, such as {sorted(missing)[:5]}") from None
