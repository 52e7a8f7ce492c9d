# SPDX-License-Identifier: Apache-2.0
"""The catalogue over HTTPS in the real gateway: what devices and brokers hand in is found, searched and read there, by who may."""
import base64
import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import threading

from harness import GatewayCase, main, wait_until
from harness.gateway import Groups
from harness.process import free_port, run

OPEN = {"name": "readers", "devices": ["reader-*"], "reads": ["*/{path}"]}
SHUT = {"name": "readers", "devices": ["reader-*"], "reads": ["nobody/{path}"]}
SENSORS = {"name": "sensors", "devices": ["pump-*", "lift-*"]}
DEADLINE_S = 60


class Reader:
    """A client with a certificate or a token, by python3's http.client."""

    def __init__(self, case, name, key=None):
        self.port, self.headers = case.port, {}
        self.context = ssl.create_default_context(cafile=str(case.pki.certificate("cloud-ca")))
        if key is None:
            self.context.load_cert_chain(case.pki.certificate(name), case.pki.key(name))
        else:
            self.headers["Authorization"] = "Basic " + base64.b64encode(f"{name}:{key}".encode()).decode()

    def connect(self):
        return http.client.HTTPSConnection("localhost", self.port, context=self.context, timeout=DEADLINE_S)

    def ask(self, method, path, body=None, **headers):
        """(status, body as text, fields), or None where there is no connection."""
        connection = self.connect()
        try:
            connection.request(method, path, body, {**self.headers, **{n.replace("_", "-"): v for n, v in headers.items()}})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def status(self, path):
        answer = self.ask("GET", path)
        return answer and answer[0]

    def hrefs(self, path="/cat"):
        answer = self.ask("GET", path)
        if answer is None or answer[0] != 200:
            return answer and answer[0]
        check_catalogue(json.loads(answer[1]))
        return {item["href"] for item in json.loads(answer[1])["items"]}


class Stream:
    """An event stream that is read all the time."""

    def __init__(self, reader, **headers):
        self.text, self.ended = "", threading.Event()
        self.connection = reader.connect()
        self.connection.request("GET", "/events", headers={**reader.headers, **headers})
        self.answer = self.connection.getresponse()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        try:
            while data := self.answer.read1(65536):
                self.text += data.decode()
        except (OSError, http.client.HTTPException):
            pass
        self.ended.set()

    def wait(self, text):
        wait_until(lambda: text in self.text, f"the stream says {text}", DEADLINE_S)

    def close(self):
        if not self.ended.is_set():
            with contextlib.suppress(OSError):
                self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.thread.join(DEADLINE_S)
        self.answer.close()
        self.connection.close()


def check_pairs(pairs):
    for pair in pairs:
        assert set(pair) == {"rel", "val"}, pair
        assert isinstance(pair["rel"], str) and isinstance(pair["val"], str) and pair["rel"], pair
    rels = [pair["rel"] for pair in pairs]
    assert rels.count("urn:X-hypercat:rels:isContentType") == 1, rels
    assert any(rel.startswith("urn:X-hypercat:rels:hasDescription:") for rel in rels), rels


def check_catalogue(catalogue):
    """What PAS 212:2016 wants of one."""
    assert set(catalogue) == {"catalogue-metadata", "items"}, catalogue.keys()
    check_pairs(catalogue["catalogue-metadata"])
    assert {"rel": "urn:X-hypercat:rels:isContentType", "val": "application/vnd.hypercat.catalogue+json"} in catalogue["catalogue-metadata"]
    for item in catalogue["items"]:
        assert set(item) == {"href", "item-metadata"}, item
        check_pairs(item["item-metadata"])
    hrefs = [item["href"] for item in catalogue["items"]]
    assert len(hrefs) == len(set(hrefs)), "an address comes twice"


class Catalogue(GatewayCase):
    links = ["cloud", "catalogue"]
    settings = {"profiles": Groups([OPEN, SENSORS])}
    allowed = [r"cloud|broker|link"]

    def configuration(self, **changes):
        settings = super().configuration(**changes)
        settings["endpoints"].append(
            {"name": "catalogue", "adapter": "hypercat", "listen": f"https://127.0.0.1:{self.port}",
             "certificate": self.pki.certificate("web"), "key": self.pki.key("web"),
             "trust": self.pki.certificate("devices-ca"), "events_ms": 100})
        settings["routes"] = Groups([
            {"name": "shown", "from": "field", "match": "shown/{path}", "to": "catalogue", "address": "{path}"},
            {"name": "telemetry", "from": "field", "match": "/{path}", "to": "cloud", "address": "up/{device}/{path}"},
            {"name": "lifts", "from": "catalogue", "match": "/{path}", "to": "cloud", "address": "up/{device}/{path}"},
            {"name": "others", "from": "cloud", "match": "down/{thing}/{path}", "source_device": "thing-{thing}",
             "to": "catalogue", "address": "{path}"},
        ])
        return settings

    def setUp(self):
        self.port = free_port()
        self.pki.leaf("web", "cloud-ca", "DNS:localhost,IP:127.0.0.1")
        super().setUp()
        self.pki.leaf("reader-1")
        self.gateway.ctl("device", "add", "reader-1", "--enrol-only", "--endpoint", "catalogue")
        self.reader = Reader(self, "reader-1")
        self.pump = self.psk_sensor("pump-1", "field")

    def stream(self, reader, **headers):
        stream = Stream(reader, **headers)
        self.addCleanup(stream.close)
        return stream


class Shows(Catalogue):
    def test_what_sensors_hand_in(self):
        self.assertEqual(self.reader.hrefs(), {"/cat/pump-1", "/cat/reader-1"}, "all who are enrolled")
        self.assertEqual(self.pump.post("hall/temp", "21.5", content_format=0).code, "2.04")
        self.assertEqual(self.pump.post("shown/level", "7", content_format=50).code, "2.04")
        self.assertEqual(self.reader.hrefs("/cat/pump-1"), {"/readings/pump-1/hall/temp", "/readings/pump-1/shown/level"})
        status, text, fields = self.reader.ask("GET", "/readings/pump-1/hall/temp")
        self.assertEqual((status, text), (200, "21.5"))
        self.assertTrue(fields["Content-Type"].startswith("text/plain"))
        self.assertEqual(self.reader.ask("GET", "/readings/pump-1/hall/temp", If_None_Match=fields["ETag"])[0], 304)
        self.assertEqual(self.reader.ask("GET", "/readings/pump-1/hall/temp", Accept="application/json")[:2], (406, "text/plain;charset=utf-8\n"))
        found = self.reader.hrefs("/cat?rel=urn:X-hypercat:rels:isContentType&val=application/json")
        self.assertEqual(found, {"/readings/pump-1/shown/level"})
        self.assertEqual(self.gateway.outbox("catalogue")["ledger"]["delivered"], 1)
        self.subscriber.wait_for(1)

    def test_in_the_notation_asked_for(self):
        pack = '[{"bn":"urn:dev:pump-1","u":"bar","v":2.5}]'
        self.assertEqual(self.pump.post("shown/pack", pack, content_format=110).code, "2.04")
        path = "/readings/pump-1/shown/pack"
        status, text, fields = self.reader.ask("GET", path, Accept="application/json, application/senml+cbor;q=0.2")
        self.assertEqual((status, text, fields["Content-Type"], fields["Vary"]), (200, pack, "application/json", "Accept, Authorization"))
        tags = {fields["ETag"]}
        for accept in ("application/senml+cbor", "*/*"):
            fields = self.reader.ask("HEAD", path, Accept=accept)[2]
            self.assertNotIn(fields["ETag"], tags)
            tags.add(fields["ETag"])
            self.assertEqual(self.reader.ask("GET", path, Accept=accept, If_None_Match=fields["ETag"])[0], 304)
        self.assertEqual(self.reader.ask("GET", path, Accept="text/csv")[:2],
                         (406, "application/senml+json\napplication/senml+cbor\napplication/json\n"))

    def test_what_a_broker_tells(self):
        run(["mosquitto_pub", "-V", "5", "-h", "127.0.0.1", "-p", str(self.broker.port), "-q", "1", "-t", "down/7/state",
             "-m", "ready", "--cafile", self.pki.certificate("cloud-ca"), "--cert", self.pki.certificate("subscriber"),
             "--key", self.pki.key("subscriber")])
        wait_until(lambda: "/readings/thing-7/down/7/state" in self.reader.hrefs(), "it is in the catalogue", DEADLINE_S)
        self.assertEqual(self.reader.ask("GET", "/readings/thing-7/down/7/state")[:2], (200, "ready"))

    def test_a_large_one(self):
        for n in range(300):
            self.assertEqual(self.pump.post(f"n/{n}", "x").code, "2.04")
        self.assertEqual(len(self.reader.hrefs("/cat/pump-1")), 300)
        self.assertEqual(len(self.reader.hrefs("/cat?prefix-href=/readings/pump-1/n/29")), 11)
        self.subscriber.wait_for(300)

    def test_events(self):
        stream = self.stream(self.reader)
        stream.wait("retry:")
        self.pump.post("hall/temp", "1")
        stream.wait("/readings/pump-1/hall/temp")
        last = [line for line in stream.text.splitlines() if line.startswith("id: ")][-1]
        self.pump.post("hall/door", "2")
        stream.wait("/readings/pump-1/hall/door")
        again = self.stream(self.reader, **{"Last-Event-ID": last[4:]})
        again.wait("/readings/pump-1/hall/door")
        self.assertNotIn("hall/temp", again.text)
        self.subscriber.wait_for(2)


class Crowd(Catalogue):
    """Many displays that come back at the same time, as after a power cut."""

    def begin(self, number):
        """A connection; an address may have 64 of them."""
        connection = self.reader.connect()
        connection.source_address = (f"127.0.0.{2 + number // 60}", 0)
        connection.connect()
        return connection

    def test_all_ask_at_once(self):
        file = self.folder / "large"
        file.write_bytes(b"x" * 65000)
        self.assertEqual(self.pump.send_file("hall/image", file).code, "2.04")
        pid = self.gateway.pid("catalogue")
        connections = [self.begin(number) for number in range(400)]
        for connection in connections:
            self.addCleanup(connection.close)
        os.kill(pid, signal.SIGSTOP)
        for connection in connections:
            connection.request("GET", "/readings/pump-1/hall/image")
        os.kill(pid, signal.SIGCONT)
        answers = [connection.getresponse() for connection in connections]
        sizes = {(answer.status, len(answer.read())) for answer in answers}
        self.assertIn((200, 65000), sizes)
        self.assertLessEqual(sizes, {(200, 65000), (503, 0)})
        self.assertEqual(self.gateway.pid("catalogue"), pid)
        self.assertEqual(self.reader.status("/readings/pump-1/hall/image"), 200)


class TakesIn(Catalogue):
    def setUp(self):
        super().setUp()
        self.lift = Reader(self, "lift-1", self.gateway.add_text_psk("lift-1", "catalogue").hex())

    def post(self, path, text, **headers):
        answer = self.lift.ask("POST", path, text, **headers)
        return answer and answer[0]

    def test_a_reading_over_https_reaches_the_broker(self):
        self.assertEqual(self.post("/readings/cabin/state", "up", Content_Type="text/plain"), 204)
        message = self.subscriber.wait_for(1, lambda m: m.topic == "up/lift-1/cabin/state")[0]
        self.assertEqual(message.payload, "up")
        self.assertEqual(self.lift.ask("GET", "/readings/lift-1/cabin/state")[1], "up")
        self.assertEqual(self.reader.ask("GET", "/readings/lift-1/cabin/state")[1], "up")
        self.assertEqual(self.lift.status("/readings/pump-1/hall/temp"), 403)
        self.assertEqual(self.post("/readings/cabin", "x", Content_Type="odd/kind"), 415)
        self.assertIn(self.post("/readings/cabin", "x" * 100000), (413, None), "the rest of it is not read")

    def acknowledged(self, kill):
        """Posts while something is killed again and again; returns what was answered with 204."""
        done = []
        for n in range(40):
            if n % 10 == 5:
                kill()
            wait_until(lambda n=n: self.post("/readings/n", f"n-{n}") == 204, "it is taken", DEADLINE_S)
            done.append(f"n-{n}")
        return done

    def check_arrived(self, done):
        self.subscriber.wait_for(
            len(done), lambda m: m.topic == "up/lift-1/n", DEADLINE_S)
        wait_until(lambda: {m.payload for m in self.subscriber.messages()} >= set(done), "nothing is lost", DEADLINE_S)
        self.wait_drained()

    def test_its_process_is_killed(self):
        def kill():
            pid = self.gateway.pid("catalogue")
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: self.gateway.pid("catalogue") not in (None, pid), "it is there again", DEADLINE_S)

        self.allowed = [*self.allowed, r"catalogue"]
        self.check_arrived(self.acknowledged(kill))
        self.assertIn("/readings/lift-1/n", self.reader.hrefs())

    def test_the_core_is_killed(self):
        pid = self.gateway.pid("catalogue")

        def kill():
            self.gateway.kill()
            self.gateway.start()

        stream = self.stream(self.reader)
        stream.wait("retry:")
        self.check_arrived(self.acknowledged(kill))
        self.assertEqual(self.gateway.pid("catalogue"), pid, "it has outlived the core")
        stream.wait("event: reset")
        self.pump.post("after", "1")
        stream.wait("/readings/pump-1/after")
        self.assertIn("/readings/pump-1/after", self.reader.hrefs())
        wait_until(lambda: self.gateway.endpoint("catalogue")["counters"]["sessions"] == 1, "its session is known")


class Harvested(Catalogue):
    """By the gateway's own client of catalogues, as that of another gateway would."""

    def test_what_is_shown_here_is_polled_there(self):
        token = self.folder / "token"
        token.write_text(f"reader-9:{self.gateway.add_text_psk('reader-9', 'catalogue').hex()}", encoding="ascii")
        token.chmod(0o600)
        self.pump.post("hall/temp", "21.5", content_format=0)
        self.subscriber.wait_for(1)
        settings = self.configuration(profiles=Groups([{**OPEN, "reads": ["pump-*/{path}"]}, SENSORS]))
        settings["endpoints"].append(
            {"name": "there", "adapter": "hypercat_client", "catalogues": [f"https://127.0.0.1:{self.port}/cat"],
             "hosts": ["127.0.0.1"], "trust": self.pki.certificate("cloud-ca"), "token": token,
             "harvest_interval_s": 1, "poll_interval_s": 1, "jitter_percent": 0})
        settings["routes"].append(
            {"name": "harvest", "from": "there", "match": "/{path}", "to": "cloud", "address": "there/{path}"})
        self.gateway.configure(settings)
        self.gateway.ctl("reload")
        topic = "there/readings/pump-1/hall/temp"
        message = self.subscriber.wait_for(1, lambda m: m.topic == topic, DEADLINE_S)[0]
        self.assertEqual(message.payload, "21.5")
        self.pump.post("hall/temp", "22", content_format=0)
        wait_until(lambda: "22" in [m.payload for m in self.subscriber.messages() if m.topic == topic], "it is polled",
                   DEADLINE_S)
        self.wait_drained()


class WhoMay(Catalogue):
    def test_a_profile_that_changes(self):
        self.pump.post("hall/temp", "1")
        self.assertIn("/readings/pump-1/hall/temp", self.reader.hrefs())
        self.gateway.configure(self.configuration(profiles=Groups([SHUT, SENSORS])))
        self.gateway.ctl("reload")
        self.assertEqual(self.reader.hrefs(), {"/cat/reader-1"})
        self.assertEqual(self.reader.status("/readings/pump-1/hall/temp"), 403)
        self.gateway.configure(self.configuration())
        self.gateway.ctl("reload")
        self.assertIn("/readings/pump-1/hall/temp", self.reader.hrefs())
        self.subscriber.wait_for(1)

    def test_devices_that_come_and_go(self):
        self.assertNotIn("/cat/pump-2", self.reader.hrefs())
        self.gateway.add_text_psk("pump-2", "field")
        self.assertIn("/cat/pump-2", self.reader.hrefs())
        self.pump.post("hall/temp", "1")
        self.gateway.ctl("device", "revoke", "pump-1")
        self.assertEqual(self.reader.hrefs(), {"/cat/pump-2", "/cat/reader-1"})
        self.assertEqual(self.reader.status("/readings/pump-1/hall/temp"), 404)
        self.subscriber.wait_for(1)

    def test_a_reader_that_is_revoked(self):
        stream = self.stream(self.reader)
        stream.wait("retry:")
        self.gateway.ctl("device", "revoke", "reader-1")
        self.assertTrue(stream.ended.wait(DEADLINE_S), "its stream goes on")
        self.assertEqual(self.reader.status("/cat"), 403)
        self.assertEqual(self.reader.status("/readings/pump-1/hall/temp"), 403)

    def test_a_token_that_is_rotated(self):
        old = Reader(self, "reader-2", self.gateway.add_text_psk("reader-2", "catalogue").hex())
        self.assertEqual(old.status("/cat"), 200)
        new = Reader(self, "reader-2", self.gateway.ctl("device", "rotate", "reader-2")["key"])
        self.assertEqual(old.status("/cat"), 200, "both are good for a while")
        self.assertEqual(new.status("/cat"), 200)
        wait_until(lambda: old.status("/cat") == 401, "the old one is over", DEADLINE_S)
        self.assertEqual(new.status("/cat"), 200)
        self.assertEqual(Reader(self, "reader-2", "00" * 16).status("/cat"), 401)
        self.assertEqual(Reader(self, "nobody", "00" * 16).status("/cat"), 401)

    def test_strangers(self):
        self.pki.leaf("stranger")
        self.assertEqual(Reader(self, "stranger").status("/cat"), 403)
        self.pki.expired_leaf("reader-3")
        self.gateway.ctl("device", "add", "reader-3", "--enrol-only", "--endpoint", "catalogue")
        self.assertIsNone(Reader(self, "reader-3").status("/cat"))
        self.pki.leaf("reader-4", "cloud-ca")
        self.assertIsNone(Reader(self, "reader-4").status("/cat"))
        self.assertEqual(self.reader.status("/cat"), 200)


if __name__ == "__main__":
    main()
