# SPDX-License-Identifier: Apache-2.0
"""An AMQP peer of Apache Qpid Proton's making, for the tests of the amqp adapter.

    amqp_peer.py listen FOLDER|plain    a peer that the adapter connects to; prints {"listening": PORT}
    amqp_peer.py connect PORT           a client at a broker (user "tester"), for both directions

Commands come as lines of JSON on standard input, what happens goes out as lines of JSON. Ends with its standard input.
"""
import json
import os
import socket
import sys
import threading
import uuid

from proton import Condition, Delivery, Endpoint, Message, SSLDomain, symbol, ulong
from proton.handlers import MessagingHandler
from proton.reactor import ApplicationEvent, Container, EventInjector


def say(**what):
    sys.stdout.write(json.dumps(what, default=str) + "\n")
    sys.stdout.flush()


def id_of(value):
    return None if value is None else [type(value).__name__, value.hex() if isinstance(value, bytes) else str(value)]


def message_of(command):
    """The fields of a message that are not plain JSON are written as [type, text]."""
    makers = {"uuid": uuid.UUID, "ulong": lambda text: ulong(int(text)), "str": str, "bytes": bytes.fromhex}
    message = Message()
    for name, value in command.get("message", {}).items():
        if name in ("id", "correlation_id"):
            value = makers[value[0]](value[1])
        elif name == "content_type":
            value = symbol(value)
        elif name == "expiry_time":
            value = float(value)
        elif name == "body_hex":
            name, value = "body", bytes.fromhex(value)
        elif name == "size":
            name, value = "body", b"x" * value
        setattr(message, name, value)
    message.inferred = isinstance(message.body, bytes)
    return message


class Peer(MessagingHandler):
    def __init__(self, mode, place):
        super().__init__(prefetch=0, auto_accept=False, auto_settle=False)
        self.mode, self.place = mode, place
        self.answer, self.credit = "accept", 100
        self.refused, self.held, self.senders, self.receivers, self.connection = set(), [], {}, {}, None
        self.waiting = []

    # the life of the program

    def on_start(self, event):
        self.container = event.container
        self.injector = EventInjector()
        event.container.selectable(self.injector)
        threading.Thread(target=self.read_commands, daemon=True).start()
        if self.mode == "connect":
            self.connection = event.container.connect(
                f"amqp://tester:no-secret@127.0.0.1:{self.place}", allowed_mechs="PLAIN", allow_insecure_mechs=True, reconnect=False)
            return
        probe = socket.create_server(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        domain = None
        if self.place != "plain":
            domain = event.container.ssl.server
            domain.set_credentials(f"{self.place}/server.crt", f"{self.place}/server.key", None)
            domain.set_trusted_ca_db(f"{self.place}/ca.crt")
            domain.set_peer_authentication(SSLDomain.VERIFY_PEER, f"{self.place}/ca.crt")
        scheme = "amqps" if domain else "amqp"
        self.acceptor = event.container.listen(f"{scheme}://127.0.0.1:{port}", ssl_domain=domain)
        say(listening=port)

    def read_commands(self):
        for line in sys.stdin:
            self.injector.trigger(ApplicationEvent("command", subject=json.loads(line)))
        os._exit(0)

    def on_command(self, event):
        command = event.subject
        getattr(self, "do_" + command["do"])(command)
        say(done=command["do"])

    # what can be asked of it

    def do_answer(self, command):
        """accept, reject, release, modify, undeliverable, settle (without a word) or hold."""
        self.answer = command["how"]

    def do_credit(self, command):
        """For links that come, and for those that are there."""
        self.credit = command["n"]
        for receiver in self.receivers.values():
            if receiver.credit < self.credit:
                receiver.flow(self.credit - receiver.credit)

    def do_refuse(self, command):
        self.refused.add(command["address"])

    def do_settle(self, command):
        """What is held is answered."""
        self.answer = command["how"]
        held, self.held = self.held, []
        for delivery in held:
            self.settle(delivery)

    def do_end(self, command):
        """Ends connection, session or link."""
        for link in list(self.senders.values()) + list(self.receivers.values()):
            what = {"connection": link.connection, "session": link.session, "link": link}[command["what"]]
            if what.state & Endpoint.LOCAL_ACTIVE:
                what.condition = Condition("amqp:internal-error", "as the test wants it")
                what.close()

    def do_open(self, command):
        """Opens a link of its own towards whoever is connected."""
        session = self.connection.session()
        session.open()
        sender = session.sender("uninvited")
        sender.open()

    def do_send(self, command):
        link = self.senders.get(command["address"])
        if self.mode == "connect" and not link:
            link = self.senders[command["address"]] = self.container.create_sender(self.connection, command["address"])
        message = message_of(command)
        raw = bytes.fromhex(command["raw"]) if "raw" in command else None
        self.waiting += [(link, message, raw, command.get("aborted", False))] * command.get("times", 1)
        self.push()

    def do_receive(self, command):
        self.receivers[command["address"]] = receiver = self.container.create_receiver(self.connection, command["address"])
        receiver.flow(command.get("credit", 1000))

    # what happens

    def push(self):
        while self.waiting:
            link, message, raw, aborted = self.waiting[0]
            if link.credit <= 0:
                return
            self.waiting.pop(0)
            delivery = link.delivery(uuid.uuid4().hex)
            link.stream(raw if raw is not None else message.encode())
            if aborted:
                delivery.abort()
            else:
                link.advance()

    def on_sendable(self, event):
        self.push()

    def on_connection_opened(self, event):
        self.connection = event.connection
        transport = event.transport
        say(opened=event.connection.remote_container, host=event.connection.remote_hostname, user=transport.user if transport else None)

    def on_link_opening(self, event):
        link = event.link
        if self.mode == "connect":
            return
        source, target = link.remote_source.address, link.remote_target.address
        address = source if link.is_sender else target
        if address in self.refused:
            link.open()
            self.injector.trigger(ApplicationEvent("refusal", link=link, subject=address))
            return
        link.source.address, link.target.address = source, target
        if link.is_sender:
            self.senders[address] = link
        else:
            self.receivers[address] = link
            link.flow(self.credit)
        link.open()
        say(attached=address, role="sender" if link.is_sender else "receiver")

    def on_refusal(self, event):
        event.link.condition = Condition("amqp:not-found", f"no node '{event.subject}'")
        event.link.close()
        say(refused=event.subject)

    def on_link_opened(self, event):
        if self.mode == "connect":
            say(attached=event.link.target.address or event.link.source.address)

    def settle(self, delivery):
        states = {"accept": Delivery.ACCEPTED, "reject": Delivery.REJECTED, "release": Delivery.RELEASED,
                  "modify": Delivery.MODIFIED, "undeliverable": Delivery.MODIFIED}
        if self.answer == "hold":
            self.held.append(delivery)
            return
        if self.answer == "reject":
            delivery.local.condition = Condition("amqp:precondition-failed", "not to my taste")
        delivery.local.failed = self.answer == "modify"
        delivery.local.undeliverable = self.answer == "undeliverable"
        if self.answer in states:
            delivery.update(states[self.answer])
        delivery.settle()

    def on_message(self, event):
        message, link = event.message, event.link
        body = message.body
        say(message=body if isinstance(body, str) else bytes(body).decode("latin-1"), at=link.target.address or link.source.address,
            id=id_of(message.id), subject=message.subject, content_type=message.content_type, durable=message.durable,
            ttl=message.ttl, reply_to=message.reply_to, correlation_id=id_of(message.correlation_id), properties=message.properties,
            created=message.creation_time, inferred=message.inferred, count=message.delivery_count)
        self.settle(event.delivery)
        if link.credit < self.credit:
            link.flow(self.credit - link.credit)

    def on_accepted(self, event):
        say(outcome="accepted")

    def on_rejected(self, event):
        condition = event.delivery.remote.condition
        say(outcome="rejected", name=condition and condition.name, text=condition and condition.description)

    def on_released(self, event):
        say(outcome="modified" if event.delivery.remote_state == Delivery.MODIFIED else "released")

    def on_settled(self, event):
        event.delivery.settle()

    def on_link_closed(self, event):
        say(closed=event.link.name)

    def on_link_error(self, event):
        say(link_error=event.link.remote_condition and event.link.remote_condition.name)
        event.link.close()

    def on_session_error(self, event):
        say(session_error=event.session.remote_condition and event.session.remote_condition.name)

    def on_connection_error(self, event):
        say(connection_error=str(event.connection.remote_condition))

    def on_connection_closing(self, event):
        say(connection_closed=True)

    def on_disconnected(self, event):
        self.senders, self.receivers, self.held, self.waiting = {}, {}, [], []
        say(disconnected=True)

    def on_transport_error(self, event):
        say(transport_error=str(event.transport.condition))


Container(Peer(sys.argv[1], sys.argv[2])).run()
