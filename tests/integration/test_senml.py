# SPDX-License-Identifier: Apache-2.0
"""SenML in, whatever the route asks for out: with a CoAP client and a subscriber that we did not write."""
import base64
import json
import re
import time
from typing import NamedTuple

from harness import GatewayCase, main, wait_until
from harness.gateway import Groups
from harness.process import Lines, Process

PACK = [
    {"bn": "urn:dev:ow:10e2073a01080063:", "n": "temp", "u": "Cel", "v": 23.1},
    {"n": "label", "vs": "Machine Room"},
    {"n": "open", "vb": False},
    {"n": "nfv-reader", "vd": "aGkgCg"},
]
# The same by hand: RFC 8428 section 6, table 4.
PACK_CBOR = (
    b"\x84\xa4\x21\x78\x1curn:dev:ow:10e2073a01080063:\x00\x64temp\x01\x63Cel\x02\xfb\x40\x37\x19\x99\x99\x99\x99\x9a"
    b"\xa2\x00\x65label\x03\x6cMachine Room" b"\xa2\x00\x64open\x04\xf4" b"\xa2\x00\x6anfv-reader\x08\x44hi \n"
)
JSON, CBOR = 110, 112
TYPES = {50: "application/json", JSON: "application/senml+json", CBOR: "application/senml+cbor"}


class Whole(NamedTuple):
    topic: str
    content_type: str
    id: str
    payload: bytes


class Watcher:
    """mosquitto_sub that shows payloads byte by byte."""

    def __init__(self, broker):
        self._lines = Lines(parse=self._parse)
        seen = len(broker.lines.all())
        self._process = Process([
            "mosquitto_sub", "-V", "5", "-h", "127.0.0.1", "-p", str(broker.port), "-i", "watcher", "-q", "1",
            "-t", "#", "-F", "whole %t %C %x %P", "--cafile", broker.pki.certificate("cloud-ca"),
            "--cert", broker.pki.certificate("subscriber"), "--key", broker.pki.key("subscriber"),
        ], self._lines)
        broker.lines.wait_line(r"Sending SUBACK to watcher$", seen)

    @staticmethod
    def _parse(line):
        found = re.match(r"whole (\S+) (\S*) ([0-9a-f]*) (?:.* )?id:(\S+)", line)
        return Whole(found[1], found[2], found[4], bytes.fromhex(found[3])) if found else None

    def messages(self):
        return self._lines.all()

    def close(self):
        self._process.kill()


def route(name, **more):
    return {"name": name, "from": "field", "match": f"/{name}", "to": "cloud", "address": f"{{device}}/{name}", **more}


class Senml(GatewayCase):
    settings = {
        "limits": {"records_max": 8, "payload_max_bytes": 65536},
        "routes": Groups([
            route("raw"),
            route("json", format="senml-json"),
            route("cbor", format="senml-cbor"),
            route("envelope", format="json-envelope"),
            route("resolved", format="senml-json", resolve=True),
            route("records", format="senml-json", split=True, resolve=True),
            route("cut", split=True),
            route("enveloped-records", format="json-envelope", split=True),
            {**route("both"), "continue": True},
            {**route("both-records", format="senml-cbor", split=True), "match": "/both"},
        ]),
    }

    def setUp(self):
        super().setUp()
        self.sensor = self.psk_sensor("pump-1")
        self.watcher = Watcher(self.broker)
        self.addCleanup(self.watcher.close)

    def send(self, path, payload, content_format, code="2.04"):
        file = self.folder / "payload"
        file.write_bytes(payload if isinstance(payload, bytes) else json.dumps(payload).encode())
        reply = self.sensor.send_file(path, file, content_format=content_format)
        self.assertEqual(reply.code, code, reply)
        return reply

    def arrived(self, count=1):
        """What the subscriber saw: (topic, content type, id, payload)."""
        return wait_until(lambda: self.watcher.messages() if len(self.watcher.messages()) >= count else None,
                          f"{count} messages arrive")

    def test_forms(self):
        for path, given, form, result in (
            ("raw", PACK_CBOR, CBOR, (CBOR, PACK_CBOR)), ("raw", PACK, JSON, (JSON, json.dumps(PACK).encode())),
            ("json", PACK_CBOR, CBOR, (JSON, PACK)), ("cbor", PACK, JSON, (CBOR, PACK_CBOR)),
            ("json", PACK, JSON, (JSON, PACK)), ("cbor", PACK_CBOR, CBOR, (CBOR, PACK_CBOR)),
        ):
            with self.subTest(path=path, form=form):
                before = len(self.watcher.messages())
                self.send(path, given, form)
                message = self.arrived(before + 1)[before]
                self.assertEqual(message.topic, f"pump-1/{path}")
                self.assertEqual(message.content_type, TYPES[result[0]])
                got = message.payload if isinstance(result[1], bytes) else json.loads(message.payload)
                self.assertEqual(got, result[1])

    def test_resolved(self):
        before = time.time()
        self.send("resolved", [{"bn": "dev1/", "bu": "Cel", "n": "a", "v": 1}, {"n": "b", "t": -3600, "v": 2}], JSON)
        records = json.loads(self.arrived()[0].payload)
        self.assertEqual([r["n"] for r in records], ["dev1/b", "dev1/a"])
        self.assertEqual([r["u"] for r in records], ["Cel", "Cel"])
        self.assertLess(abs(records[1]["t"] - before), 60)
        self.assertAlmostEqual(records[1]["t"] - records[0]["t"], 3600, places=3)

    def test_split(self):
        self.send("records", PACK_CBOR, CBOR)
        messages = self.arrived(4)
        self.assertEqual([json.loads(m.payload)[0]["n"].rpartition(":")[2] for m in messages],
                         ["temp", "label", "open", "nfv-reader"])
        self.assertEqual({len(json.loads(m.payload)) for m in messages}, {1})
        self.assertEqual([m.content_type for m in messages], [TYPES[JSON]] * 4)
        ids = [m.id for m in messages]
        self.assertEqual(ids, sorted(set(ids)), "ids of their own, in order")
        self.assertEqual(self.wait_drained()["delivered"], 4)
        self.assertEqual(self.gateway.ctl("device", "show", "pump-1")["accepted"], 1)

    def test_split_of_what_came(self):
        self.send("cut", PACK_CBOR, CBOR)
        messages = self.arrived(4)
        self.assertEqual({m.content_type for m in messages}, {TYPES[CBOR]})
        self.assertEqual(messages[2].payload, b"\x81\xa3\x21\x78\x1curn:dev:ow:10e2073a01080063:\x00\x64open\x04\xf4")

    def test_two_routes(self):
        self.send("both", PACK_CBOR, CBOR)
        messages = self.arrived(5)
        self.assertEqual(sorted(m.topic for m in messages), ["pump-1/both"] + ["pump-1/both-records"] * 4)
        self.assertEqual(len({m.id for m in messages}), 5)
        self.assertEqual(self.wait_drained()["delivered"], 5)

    def test_envelope(self):
        cases = [
            (b'{"t": 21.50}', 50, "json", {"t": 21.5}), (b"not { json", 50, "text", "not { json"),
            (b"21.5 \xc2\xb0C", 0, "text", "21.5 \u00b0C"), (b"\xff\x00", 0, "base64", b"\xff\x00"),
            (b"plain", None, "text", "plain"), (PACK_CBOR, CBOR, "base64", PACK_CBOR), (b"abc", 42, "base64", b"abc"),
            (b"[1]", JSON, "json", [1]), (b"x", 65001, "base64", b"x"),
        ]
        for number, (payload, form, encoding, wanted) in enumerate(cases):
            with self.subTest(form=form, payload=payload):
                self.send("envelope", payload, form)
                message = self.arrived(number + 1)[number]
                self.assertEqual(message.content_type, TYPES[50])
                envelope = json.loads(message.payload)
                self.assertEqual(envelope.get("format"), form)
                self.assertEqual(envelope["encoding"], encoding)
                got = base64.b64decode(envelope["payload"], validate=True) if encoding == "base64" else envelope["payload"]
                self.assertEqual(got, wanted)
                self.assertEqual(envelope["id"], message.id)
                self.assertEqual([envelope[k] for k in ("gateway", "site", "endpoint", "device", "path")],
                                 ["hall-3", "plant-7", "field", "pump-1", "envelope"])
                self.assertRegex(envelope["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")

    def test_enveloped_records(self):
        self.send("enveloped-records", PACK_CBOR, CBOR)
        envelopes = [(m.id, json.loads(m.payload)) for m in self.arrived(4)]
        self.assertEqual([e["id"] for _, e in envelopes], [i for i, _ in envelopes])
        self.assertEqual([e["format"] for _, e in envelopes], [JSON] * 4)
        self.assertEqual(envelopes[1][1]["payload"],
                         [{"bn": "urn:dev:ow:10e2073a01080063:", "n": "label", "vs": "Machine Room"}])

    def test_refused(self):
        for path, payload, form, code, reason in (
            ("json", b'[{"n":"a","v":1},{"n":"b","v":"warm"}]', JSON, "4.00", 'record 2, label "v": must be a number'),
            ("json", b'[{"n":"a","v":1,"must_":2}]', JSON, "4.00", "must_"),
            ("records", b'[{"n":"a","v":1},{"n":"b"', JSON, "4.00", "not JSON"),
            ("records", PACK_CBOR[:-1], CBOR, "4.00", "cut off"),
            ("both", PACK_CBOR[:-1], CBOR, "4.00", "cut off"),
            ("cbor", json.dumps([{"n": "a", "v": n} for n in range(9)]).encode(), JSON, "4.00", "more than 8 records"),
            ("json", b"21.5", 0, "4.15", ""), ("records", b'{"t":1}', 50, "4.15", ""), ("cut", b"1", None, "4.15", ""),
        ):
            with self.subTest(path=path, payload=payload):
                self.assertIn(reason, self.send(path, payload, form, code).text)
        self.assertEqual(self.gateway.outbox()["ledger"]["accepted"], 0)
        self.assertEqual(self.watcher.messages(), [])

    def test_routes_test_shows_the_format(self):
        steps = {s["route"]: s for s in self.gateway.ctl("routes", "test", "field", "pump-1", "both", TYPES[JSON])}
        self.assertEqual(steps["both"]["format"], TYPES[JSON])
        self.assertEqual((steps["both-records"]["format"], steps["both-records"]["split"]), (TYPES[CBOR], True))
        said = self.gateway.say("routes", "test", "field", "pump-1", "json", str(CBOR))[1]
        self.assertRegex(said, rf"json +yes +cloud +pump-1/json +{re.escape(TYPES[JSON])}")
        said = self.gateway.say("routes", "test", "field", "pump-1", "json", "0")[1]
        self.assertIn("takes other content formats", said)

    def test_live(self):
        routes = self.settings["routes"]
        changed = Groups([{**r, "format": "senml-cbor"} if r["name"] == "json" else r for r in routes])
        self.gateway.configure(self.configuration(routes=changed))
        said = self.gateway.ctl("reload")
        self.assertIn('route json: format senml-json -> senml-cbor (live)', " ".join(said["applied"]).replace('"', ""))
        self.send("json", PACK, JSON)
        self.assertEqual(self.arrived()[0].payload, PACK_CBOR)


class Outage(GatewayCase):
    """What waits on disk is what was made, whole, and comes out once under the same ids."""

    settings = {
        "outbox": {"memory_messages": 16},
        "routes": Groups([route("records", format="senml-json", split=True)]),
    }
    allowed = [r"cloud: "]  # the gateway says that its broker is gone

    def test_kept_and_sent(self):
        sensor = self.psk_sensor("pump-1")
        self.broker.stop()
        wait_until(lambda: self.gateway.endpoint("cloud")["link"] != "up", "the link is down")
        self.assertEqual(sensor.post("records", json.dumps(PACK), content_format=JSON).code, "2.04")
        self.assertEqual(self.gateway.outbox()["ledger"]["held"], 4)
        many = [{"n": f"a{n}", "v": n} for n in range(9)]
        self.assertEqual(sensor.post("records", json.dumps(many), content_format=JSON).code, "4.13")
        self.assertEqual(self.gateway.outbox()["ledger"]["held"], 4)
        self.gateway.kill()
        self.gateway.start()
        self.assertEqual(self.gateway.outbox()["ledger"]["held"], 4)
        self.broker.start()
        self.subscriber.wait_for(4)
        names = {m.id: json.loads(m.payload)[0]["n"] for m in self.subscriber.messages()}  # a repeat has the same id
        self.assertEqual(list(names.values()), ["temp", "label", "open", "nfv-reader"])
        self.assertEqual(list(names), sorted(names))
        self.assertEqual(self.wait_drained()["delivered"], 4)


if __name__ == "__main__":
    main()
