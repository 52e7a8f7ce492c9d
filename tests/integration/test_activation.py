# SPDX-License-Identifier: Apache-2.0
"""Sockets that the service manager holds: datagrams wait in them while nobody is there to read, and the flood protection is the same."""
import fcntl
import os
import signal
import socket
import subprocess

import test_flood
from harness import SANITIZED, GatewayCase, main, wait_until
from harness.process import free_port, run

NAMES = ["1-sessions", "2-hello", "3-cookie"]
# Puts the sockets where sd_listen_fds(3) wants them.
AS_SERVICE_MANAGER = 'n=3; for fd in $FDS; do eval "exec $n<&$fd $fd<&-"; n=$((n + 1)); done; export LISTEN_PID=$$; exec "$@"'
HIGH = 50  # descriptors that are in nobody's way


def bind(port, count=1):
    """A group that shares its port, in the order of the queues."""
    sockets = []
    for _ in range(count):
        each = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(count > 1))
        each.bind(("127.0.0.1", port))
        sockets.append(each)
    return sockets


def client_hello():
    """The first datagram of openssl's client."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(30)
        client = subprocess.Popen(
            ["openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{server.getsockname()[1]}", "-psk", "00", "-psk_identity", "x",
             "-cipher", "PSK-AES128-GCM-SHA256"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return server.recv(4096)
        finally:
            client.kill()
            client.communicate()


class Held(GatewayCase):
    """This test is the service manager: it has the sockets over all lives of the gateway."""

    names = NAMES

    def hold(self, sockets, names):
        """What the gateway is given from its next start on."""
        fds = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, HIGH) for each in sockets]
        for fd in fds:
            self.addCleanup(os.close, fd)
        plain = type(self.gateway).command

        def command(*more):
            return ["/bin/bash", "-c", AS_SERVICE_MANAGER, "bash", *plain(self.gateway, *more)]
        self.gateway.command = command
        self.gateway.pass_fds = fds
        self.gateway.environment.update(
            {"FDS": " ".join(map(str, fds)), "LISTEN_FDS": str(len(fds)), "LISTEN_FDNAMES": ":".join(names)})

    def prepare(self):
        self.sockets = bind(self.coap_port, len(self.names))
        for each in self.sockets:
            self.addCleanup(each.close)
        # Handed over in another order than that of the group: the names tell.
        self.hold(self.sockets[::-1], self.names[::-1])

    def says(self, text):
        return any(text in line for line in self.gateway.lines.all())

    def kill_field(self):
        self.allowed = self.allowed + [r"process of worker 0 is gone"]
        pid = self.gateway.pid("field")
        os.kill(pid, signal.SIGKILL)
        return pid


class ThreeQueues(Held):
    settings = {"limits": {"restart_min_ms": 3000, "restart_max_ms": 5000}}

    def test_takes_all_of_them(self):
        self.assertTrue(self.says("takes 3 socket(s) of the service manager"))
        self.assertEqual(self.psk_sensor("pump-1").post("t", "by a held socket").code, "2.04")
        self.subscriber.wait_for(1)

    def test_a_datagram_waits_for_the_next_life(self):
        """Sent once, while there is no gateway at all, and answered by the one that comes."""
        hello = client_hello()
        self.assertEqual(self.gateway.stop(), 0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.settimeout(60)
            peer.connect(("127.0.0.1", self.coap_port))
            peer.send(hello)
            self.gateway.start()
            answer = peer.recv(4096)
        # A handshake record with a HelloVerifyRequest (RFC 6347 section 4.2.1).
        self.assertEqual((answer[0], answer[13]), (22, 3), answer.hex())
        self.wait_link("cloud")

    def test_a_datagram_waits_for_another_process(self):
        hello = client_hello()
        before = self.kill_field()
        wait_until(lambda: self.gateway.endpoint("field")["state"] == "waiting", "there is no process")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.settimeout(60)
            peer.connect(("127.0.0.1", self.coap_port))
            peer.send(hello)
            answer = peer.recv(4096)
        self.assertEqual((answer[0], answer[13]), (22, 3), answer.hex())
        self.assertNotEqual(self.gateway.pid("field"), before)

    def test_a_planned_restart(self):
        """The processes stay, and are not given anew what they have."""
        device = self.psk_device("pump-1")
        before = self.gateway.pid("field")
        self.gateway.process.signal(signal.SIGUSR1)
        self.assertEqual(self.gateway.process.wait(), 0)
        self.gateway.start()
        self.wait_link("cloud")
        self.assertEqual(self.gateway.pid("field"), before)
        sessions = [session["device"] for session in self.gateway.ctl("sessions")]
        self.assertIn("pump-1", sessions)
        device.close()
        self.kill_field()
        wait_until(lambda: self.gateway.pid("field") not in (None, before), "another process serves")
        self.assertEqual(self.psk_sensor("pump-2").post("t", "a new one").code, "2.04")


class OneSocket(Held):
    """As one that was bound without thought of floods: the other queues are bound beside it."""
    names = ["dtls"]

    def test_works_and_is_sorted(self):
        self.assertTrue(self.says("takes 1 socket(s) of the service manager"))
        self.assertFalse(self.says("a flood of handshakes"))
        self.assertEqual(self.psk_sensor("pump-1").post("t", "by one socket").code, "2.04")
        # And once more by a process that finds the socket as the one before has left it.
        before = self.kill_field()
        wait_until(lambda: self.gateway.pid("field") not in (None, before), "another process serves")
        self.assertEqual(self.psk_sensor("pump-2").post("t", "again").code, "2.04")


class TwoSockets(Held):
    """Too few for the queues: all are read, and somebody says what that means."""
    names = ["a", "b"]
    allowed = [r"a flood of handshakes can push out"]

    def test_both_are_read(self):
        for number in range(6):  # each from a port of its own, which the kernel spreads over both
            self.assertEqual(self.psk_sensor(f"pump-{number}").post("t", "x").code, "2.04")
        self.assertTrue(self.says("a flood of handshakes"))


class Workers(Held):
    """Each worker has its share, and a peer stays with its worker."""
    names = ["1", "2", "3", "4"]
    settings = {"field": {"workers": 2}}

    def test_each_has_two(self):
        wait_until(lambda: sum("takes 2 socket(s)" in line for line in self.gateway.lines.all()) == 2, "both have two")
        for number in range(6):
            self.assertEqual(self.psk_sensor(f"pump-{number}").post("t", "x").code, "2.04")


class Strange(Held):
    allowed = [r"the service manager's socket \"other\" \(127\.0\.0\.1, port \d+\) is in no \"listen\" of coap, closed",
               r"socket \"stream\" \("]

    def prepare(self):
        """One that nobody asked for, one of another kind, and none for what is asked for."""
        other = bind(free_port(socket.SOCK_DGRAM))[0]
        stream = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(other.close)
        self.addCleanup(stream.close)
        self.hold([other, stream], ["other", "stream"])

    def test_complains_and_binds_its_own(self):
        self.assertTrue(self.says('"other"'))
        self.assertTrue(self.says('"stream"'))
        self.assertFalse(self.says("of the service manager"))
        self.assertEqual(self.psk_sensor("pump-1").post("t", "by its own").code, "2.04")
        inside = run(["find", f"/proc/{self.gateway.process.pid}/fd", "-lname", "socket:*", "-printf", "%l "])[1]
        self.assertIn("socket:", inside)
        for fd in self.gateway.pass_fds:
            self.assertNotIn(f"[{os.fstat(fd).st_ino}]", inside)


class Flooded(Held, test_flood.Flood):
    """The promises of the flood protection, by sockets that somebody else has bound."""
    settings = test_flood.Flood.settings
    allowed = test_flood.Flood.allowed


class Program(GatewayCase):
    """systemd's own: it holds the socket, and starts the gateway when the first datagram comes."""

    def setUp(self):
        self.hello = client_hello()
        super().setUp()

    def prepare(self):
        plain, variables = type(self.gateway).command, ["NOTIFY_SOCKET", *(["ASAN_OPTIONS"] if SANITIZED else [])]

        def command(*more):
            words = ["systemd-socket-activate", "--datagram", "-l", f"127.0.0.1:{self.coap_port}", "--fdname=dtls"]
            return [*words, *(word for name in variables for word in ("-E", name)), *plain(self.gateway, *more)]
        self.gateway.command = command
        self.peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.peer.close)
        self.peer.settimeout(60)
        self.peer.connect(("127.0.0.1", self.coap_port))
        def start_by_datagram():
            self.gateway.begin()
            wait_until(self.is_bound, "the socket is bound")
            self.peer.send(self.hello)
            self.gateway.wait_ready()
        self.gateway.start = start_by_datagram

    def is_bound(self):
        return f"127.0.0.1:{self.coap_port} " in run(["ss", "-Hlnu"])[1]

    def test_starts_by_a_datagram_and_answers_it(self):
        answer = self.peer.recv(4096)
        self.assertEqual((answer[0], answer[13]), (22, 3), answer.hex())
        self.assertEqual(self.psk_sensor("pump-1").post("t", "by systemd").code, "2.04")
        self.subscriber.wait_for(1)


if __name__ == "__main__":
    main()
