# SPDX-License-Identifier: Apache-2.0
"""Somebody in the cloud who sends commands, with mosquitto_pub, and reads what became of them."""
import itertools
import subprocess

from .process import DEADLINE_S


class Commander:
    """Its answers come to a topic of its own; `correlation` tells which command each belongs to."""

    def __init__(self, broker, subscriber, site="plant-7", gateway="hall-3"):
        self.broker, self.subscriber = broker, subscriber
        self.prefix = f"{site}/{gateway}"
        self.topic = "answers/commander-1"
        self._numbers = itertools.count(1)

    def command(self, topic, qos=1, client_id=None):
        """The program that publishes at the topic, without what it publishes."""
        return [
            "mosquitto_pub", "-V", "5", "-h", "127.0.0.1", "-p", str(self.broker.port), "-q", str(qos), "-t", topic,
            "--cafile", self.broker.pki.certificate("cloud-ca"),
            "--cert", self.broker.pki.certificate("subscriber"), "--key", self.broker.pki.key("subscriber"),
            *(["-i", client_id] if client_id else []),
        ]

    def publish(self, topic, payload="", *properties, qos=1, content_type=None, client_id=None):
        """A message with any properties; each is a tuple of words behind `-D publish`."""
        command = self.command(topic, qos, client_id) + ["-s" if payload else "-n"]
        if content_type:
            properties += (("content-type", content_type),)
        for words in properties:
            command += ["-D", "publish", *map(str, words)]
        subprocess.run(command, input=payload, encoding="utf-8", check=True, timeout=DEADLINE_S)

    def publish_lines(self, topic, lines, qos=1):
        """A message for each line; returns when the broker has taken over all of them."""
        subprocess.run(self.command(topic, qos) + ["-l"], input="".join(line + "\n" for line in lines), encoding="utf-8",
                       check=True, timeout=DEADLINE_S)

    def send(self, device, path, payload="", method=None, expiry_s=None, content_type=None, topic=None):
        """A command that wants an answer; returns its correlation data."""
        correlation = f"command-{next(self._numbers)}"
        properties = [("response-topic", topic or self.topic), ("correlation-data", correlation)]
        if method:
            properties.append(("user-property", "method", method))
        if expiry_s:
            properties.append(("message-expiry-interval", expiry_s))
        self.publish(f"{self.prefix}/{device}/command/{path}", payload, *properties, content_type=content_type)
        return correlation

    def outcomes(self, correlation):
        """All that was said about the command so far; what comes twice has the same id, and stands here once."""
        said = self.subscriber.messages(lambda m: m.outcome and m.correlation == correlation)
        return list({m.id: m for m in said}.values())

    def wait(self, correlation, deadline_s=DEADLINE_S):
        """The one outcome of the command."""
        self.subscriber.wait_for(1, lambda m: m.outcome and m.correlation == correlation, deadline_s)
        outcomes = self.outcomes(correlation)
        assert len(outcomes) == 1, f"more than one outcome: {outcomes}"
        return outcomes[0]

    def ask(self, *words, **options):
        """Sends a command and waits for its outcome."""
        return self.wait(self.send(*words, **options))
