# SPDX-License-Identifier: Apache-2.0
"""The catalogue of last readings for CoAP clients in the real gateway, with libcoap's client, beside the one by HTTPS."""
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

from harness import GatewayCase, main, wait_until
from harness.gateway import Groups
from harness.process import free_port, run
from harness.sensors import Sensor

OPEN = {"name": "readers", "devices": ["reader-*"], "reads": ["*/{path}"]}
FEW = {"name": "few", "devices": ["guest-*"], "reads": ["pump-1/hall/{path}"]}
PLACES = ["pump-1 52.1 4.3"]
DESCRIPTIONS = ['pump-1/hall/temp Temperature of the "hall", upstairs']
DEADLINE_S = 60
THINGS = 10000
LOT = 500


def links_of(text):
    """{target: {attribute: value}} of a text in link format, read strictly."""
    links, at = {}, 0
    while at < len(text):
        target = re.compile(r"<([^<>]*)>").match(text, at)
        assert target, text[at:at + 80]
        at, attributes = target.end(), {}
        while part := re.compile(r';([^=;,"]+)(?:=("(?:[^"\\]|\\.)*"|[^",;]+))?').match(text, at):
            value = part[2]
            if value is not None and value.startswith('"'):
                value = re.sub(r"\\(.)", r"\1", value[1:-1])
            assert part[1] not in attributes, text[at:at + 80]
            attributes[part[1]], at = value, part.end()
        assert target[1] not in links, f"{target[1]} is there twice"
        links[target[1]] = attributes
        assert at == len(text) or text[at] == ",", text[at:at + 80]
        at += 1
    return links


class Publisher:
    """Many topics over one connection to the broker (MQTT 3.1.1, QoS 1)."""

    def __init__(self, broker, pki):
        context = ssl.create_default_context(cafile=str(pki.certificate("cloud-ca")))
        context.load_cert_chain(pki.certificate("subscriber"), pki.key("subscriber"))
        plain = socket.create_connection(("127.0.0.1", broker.port), DEADLINE_S)
        self.socket = context.wrap_socket(plain, server_hostname="localhost")
        self._send(0x10, self._text("MQTT") + b"\x04\x02\x00\x00" + self._text("things"))
        assert self._receive(4)[3] == 0, "the broker lets us in"

    @staticmethod
    def _text(text):
        return struct.pack("!H", len(text)) + text.encode()

    def _send(self, kind, body):
        size, length = len(body), b""
        while size > 127:
            length, size = length + bytes([size % 128 + 128]), size // 128
        self.socket.sendall(bytes([kind]) + length + bytes([size]) + body)

    def _receive(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            assert piece, "the broker has hung up"
            data += piece
        return data

    def publish(self, topics, payload):
        """Returns when the broker has all of them."""
        for number, topic in enumerate(topics, 1):
            self._send(0x32, self._text(topic) + struct.pack("!H", number) + payload)
            if number % 20 == 0 or number == len(topics):
                self._receive(4 * ((number - 1) % 20 + 1))

    def close(self):
        self.socket.close()


class CatalogueCase(GatewayCase):
    links = ["cloud", "catalogue"]
    settings = {"profiles": Groups([OPEN, FEW]), "field": {"places": PLACES, "descriptions": DESCRIPTIONS}}
    allowed = [r"cloud|broker|link"]

    def configuration(self, **changes):
        settings = super().configuration(**changes)
        settings["endpoints"].append(
            {"name": "catalogue", "adapter": "hypercat", "listen": f"https://127.0.0.1:{self.port}",
             "certificate": self.pki.certificate("web"), "key": self.pki.key("web"),
             "trust": self.pki.certificate("devices-ca"), "places": PLACES, "descriptions": DESCRIPTIONS})
        settings["routes"] = Groups([
            {"name": "shown", "from": "field", "match": "/{path}", "to": "catalogue", "address": "{path}"},
            {"name": "others", "from": "cloud", "match": "down/{thing}/{path}", "source_device": "thing-{thing}",
             "to": "catalogue", "address": "{path}"},
        ])
        return settings

    def setUp(self):
        self.port = free_port()
        self.pki.leaf("web", "cloud-ca", "DNS:localhost,IP:127.0.0.1")
        super().setUp()
        self.pki.leaf("reader-9")
        self.gateway.ctl("device", "add", "reader-9", "--enrol-only", "--endpoint", "catalogue")
        self.pump, self.reader = self.psk_sensor("pump-1"), self.psk_sensor("reader-1")

    def psk_sensor(self, name, endpoint="field"):
        return super().psk_sensor(name, endpoint)

    def certificate_sensor(self, name, **leaf):
        self.pki.leaf(name, **leaf)
        self.gateway.ctl("device", "add", name, "--enrol-only", "--endpoint", "field")
        return Sensor(name, self.coap_port, pki=self.pki)

    def by_https(self):
        _, out, _ = run(["curl", "-sSf", "--cacert", self.pki.certificate("cloud-ca"), "--cert", self.pki.certificate("reader-9"),
                         "--key", self.pki.key("reader-9"), f"https://localhost:{self.port}/.well-known/core",
                         "--resolve", f"localhost:{self.port}:127.0.0.1"])
        return links_of(out)

    def fetch(self, who, query="", more=()):
        """(the last response, the whole text)"""
        file = self.folder / "links"
        file.write_bytes(b"")
        reply = who.request("get", f"readings{query}", more=["-o", str(file), *more], wait_s=DEADLINE_S)
        return reply, file.read_text(encoding="utf-8")

    def by_coap(self, who, query="", more=()):
        reply, text = self.fetch(who, query, more)
        self.assertEqual(reply.code, "2.05", reply)
        return links_of(text)

    def hand_in(self, count=0):
        for path, text, form in (("hall/temp", "21.5", 0), ("hall/door", "{}", 50), ("a b/%2525", "x", None)):
            self.assertEqual(self.pump.post(path, text, content_format=form).code, "2.04")
        for n in range(count):
            self.assertEqual(self.pump.post(f"n/{n:03}", "1", content_format=0).code, "2.04")

    def counter(self, name):
        return self.gateway.endpoint("field")["counters"][name]


class Same(CatalogueCase):
    def test_as_by_https(self):
        self.hand_in()
        links = self.by_coap(self.reader)
        self.assertEqual(list(links), ["/readings/pump-1/a%20b/%2525", "/readings/pump-1/hall/door", "/readings/pump-1/hall/temp"])
        temp = links["/readings/pump-1/hall/temp"]
        self.assertRegex(temp.pop("lastUpdated"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        self.assertEqual(temp, {"rt": "tidegate.last", "ct": "0", "title": 'Temperature of the "hall", upstairs',
                                "lat": "52.1", "long": "4.3", "obs": None})
        links = self.by_coap(self.reader)
        for attributes in links.values():
            self.assertIsNone(attributes.pop("obs"))
        self.assertEqual(links, self.by_https())
        for target, text in (("hall/temp", "21.5"), ("hall/door", "{}"), ("a%20b/%2525", "x")):
            self.assertIn(f"/readings/pump-1/{target}", links)
            self.assertEqual(self.reader.request("get", f"readings/pump-1/{target}").text, text, "the links lead there")

    def test_who_may_what(self):
        self.hand_in()
        everything = self.by_coap(self.reader)
        self.assertEqual(self.by_coap(self.certificate_sensor("reader-2")), everything)
        guest = self.psk_sensor("guest-1")
        self.assertEqual(list(self.by_coap(guest)), ["/readings/pump-1/hall/door", "/readings/pump-1/hall/temp"])
        self.assertEqual(self.by_coap(guest, "?href=/readings/pump-1/a*"), {})
        lamp = self.psk_sensor("lamp-1")
        self.assertEqual(self.by_coap(lamp), {})
        self.assertEqual(lamp.post("t", "1").code, "2.04")
        self.assertEqual(list(self.by_coap(lamp)), ["/readings/lamp-1/t"], "its own")
        self.assertEqual(self.by_coap(self.pump), everything, "its own, too")
        self.gateway.configure(self.configuration(profiles=Groups([FEW])))
        self.gateway.ctl("reload")
        self.assertEqual(self.by_coap(self.reader), {}, "the right to it is gone")

    def test_searched_and_asked_again(self):
        self.hand_in()
        found = self.reader.request("get", ".well-known/core?ct=40").text
        self.assertIn('</readings>;rt="tidegate.catalogue";ct=40', found)
        for query, count in (("?ct=50", 1), ("?rt=tidegate.*", 3), ("?ep=pump-*&ct=0", 1), ("?title=Temperature*", 1),
                             ("?href=/readings/pump-1/hall/*", 2), ("?href=/readings/pump-1/a%20b/*", 1), ("?lat=52.1", 3),
                             ("?if=sensor", 0), ("?count=2", 2), ("?count=2&page=1", 1)):
            self.assertEqual(len(self.by_coap(self.reader, query)), count, query)
        self.assertEqual(self.reader.request("get", "readings?page=1").code, "4.00")
        self.assertEqual(self.reader.request("get", "readings", more=["-A", "40"]).code, "2.05")
        self.assertEqual(self.reader.request("get", "readings", more=["-A", "50"]).code, "4.06")
        reply, _ = self.fetch(self.reader)
        known = ["-O", f"4,{reply.options['ETag']}"]
        same, text = self.fetch(self.reader, more=known)
        self.assertEqual((same.code, text), ("2.03", ""))
        self.hand_in()
        self.assertEqual(self.fetch(self.reader, more=known)[0].code, "2.05")


class Large(CatalogueCase):
    def test_in_blocks_of_any_size(self):
        self.hand_in(100)
        _, whole = self.fetch(self.reader)
        self.assertEqual(len(links_of(whole)), 103)
        for size in (16, 64, 256, 512, 1024):
            self.assertEqual(self.fetch(self.reader, more=["-b", str(size)])[1], whole, size)
        wait_until(lambda: self.counter("catalogues") == 6, "each was put together once")

    def test_it_changes_between_blocks(self):
        """A client fetches it in small pieces while readings come in, old ones and new ones: what it gets is of one moment."""
        self.hand_in(100)
        over = threading.Event()
        posted = []

        def post():
            number = 0
            while not over.is_set():
                number += 1
                posted.append(self.pump.post(f"m/{number:03}" if number % 2 else "n/001", str(number), content_format=0).code)

        thread = threading.Thread(target=post)
        thread.start()
        try:
            wait_until(lambda: len(posted) > 2, "readings come in", DEADLINE_S)
            sizes, overtaken, end = [], 0, time.monotonic() + DEADLINE_S
            while overtaken < 3:
                self.assertLess(time.monotonic(), end, "no reading has come in while it was fetched")
                seen = len(posted)
                links = self.by_coap(self.reader, more=["-b", "16"])
                overtaken += len(posted) > seen
                self.assertEqual(sum(target.startswith("/readings/pump-1/n/") for target in links), 100)
                sizes.append(len(links))
        finally:
            over.set()
            thread.join()
        self.assertEqual(sizes, sorted(sizes))
        self.assertEqual(set(posted), {"2.04"})

    def test_kills(self):
        """The process of the endpoint is killed while somebody fetches the catalogue, which is the same from the next one."""
        self.allowed = self.allowed + [r"endpoint 'field'|field: "]
        self.hand_in(100)
        before, whole = self.fetch(self.reader)
        command = ["coap-client-openssl", "-v", "6", "-m", "get", "-b", "16", "-B", "30", "-u", "reader-1", "-k", self.reader.key,
                   f"coaps://127.0.0.1:{self.coap_port}/readings"]
        for _ in range(3):
            pid = self.gateway.pid("field")
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as client:
                self.assertTrue(any(b"c:2.05" in line for line in client.stdout), "it is being fetched")
                os.kill(pid, signal.SIGKILL)
                wait_until(lambda: self.gateway.pid("field") not in (None, pid), "there is another process", DEADLINE_S)
                client.kill()
            wait_until(lambda: self.fetch(self.reader)[0].code == "2.05", "it answers", DEADLINE_S)
            after, text = self.fetch(self.reader)
            self.assertEqual((text, after.options["ETag"]), (whole, before.options["ETag"]))

    def test_while_the_core_restarts(self):
        self.hand_in(20)
        whole = self.by_coap(self.reader)
        self.gateway.kill()
        self.gateway.start()
        self.wait_link("catalogue")
        self.assertEqual(self.by_coap(self.reader), {}, "readings are in memory alone")
        self.hand_in(20)
        self.assertEqual(list(self.by_coap(self.reader)), list(whole))


class Many(CatalogueCase):
    """As many devices as a gateway has; a broker speaks for them."""

    def test_ten_thousand_devices(self):
        publisher = Publisher(self.broker, self.pki)
        self.addCleanup(publisher.close)
        for first in range(0, THINGS, LOT):
            publisher.publish([f"down/{n:05}/temp" for n in range(first, first + LOT)], b"21.5")
            wait_until(lambda: self.gateway.status()["readings"]["count"] >= first + LOT, "they are there", DEADLINE_S)
        begin = time.monotonic()
        links = self.by_coap(self.reader)
        print(f"{len(links)} links in {time.monotonic() - begin:.2f} s")
        self.assertTrue(list(links) == [f"/readings/thing-{n:05}/down/{n:05}/temp" for n in range(THINGS)], "all, in order")
        for attributes in links.values():
            self.assertIsNone(attributes.pop("obs"))
        self.assertTrue(links == self.by_https(), "the same as by HTTPS")
        self.assertEqual(len(self.by_coap(self.reader, "?ep=thing-0123*")), 10)
        self.assertEqual(list(self.by_coap(self.reader, "?count=100&page=99")), list(links)[-100:])
        self.assertEqual(self.by_coap(self.psk_sensor("guest-1")), {}, "who may not see them does not")
        self.assertEqual(self.reader.request("get", "readings/thing-09999/down/09999/temp").text, "21.5")


if __name__ == "__main__":
    main()
