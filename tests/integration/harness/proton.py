# SPDX-License-Identifier: Apache-2.0
"""A client of a RabbitMQ made with Qpid Proton, which sends to its queues and receives from them."""
import json
import subprocess

from .gateway import SOURCE
from .process import Lines

DEADLINE_S = 60


class Proton:
    """tests/adapter/amqp_peer.py; Debian's Proton is for Debian's python3."""

    def __init__(self, rabbit):
        self._said = Lines(parse=json.loads)
        self._process = subprocess.Popen(
            ["/usr/bin/python3", "-B", SOURCE / "tests/adapter/amqp_peer.py", "connect", str(rabbit.plain_port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._said.follow(self._process.stdout)
        self.wait("the client is connected", lambda said: "opened" in said)

    def _tell(self, **command):
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def wait(self, what, is_it, count=1):
        """The first `count` events of which is_it(event) is true, or that one."""
        def found(events):
            fit = [event for event in events if is_it(event)]
            return fit[:count] if len(fit) >= count else None
        fit = self._said.wait_for(found, what, DEADLINE_S)
        return fit[0] if count == 1 else fit

    def send(self, address, body, subject=None, content_type=None):
        """Returns when the broker has accepted it."""
        accepted = sum(said.get("outcome") == "accepted" for said in self._said.all())
        self._tell(do="send", address=address,
                   message={"subject": subject, "content_type": content_type, "body_hex": body.encode().hex(), "durable": True})
        self.wait("it is accepted", lambda said: said.get("outcome") == "accepted", accepted + 1)

    def receive(self, address):
        """From now on."""
        self._tell(do="receive", address=address)

    def message(self, address, is_it=lambda said: True, count=1):
        """What has come from there."""
        return self.wait(f"a message from {address}", lambda said: "message" in said and said["at"] == address and is_it(said), count)

    def close(self):
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
