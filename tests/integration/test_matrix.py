# SPDX-License-Identifier: Apache-2.0
"""From any standard to any: a reading through every ordered pair of adapters, with its payload, content type, device and id, and the way
that is shown of it. Each adapter has one endpoint, which is a source and a sink, and real peers on the other side of it."""
import base64
import http.client
import json
import random
import socket
import ssl
import subprocess

from harness import BUILD, Commander, Device, GatewayCase, Process, main, wait_until
from harness.gateway import Groups
from harness.process import Lines, free_port
from harness.proton import Proton
from harness.rabbit import Rabbit, definitions

DEADLINE_S = 60
JSON, JSON_TYPE = 50, "application/json"


class Port:
    """One standard: its endpoint, what leads from it and to it, and a peer that sends and receives."""

    name = None      # of the adapter and of the endpoint
    device = None    # whom its messages are from
    carries = True   # a sink that tells device, content type and id on its wire

    def __init__(self, case):
        self.case = case

    def endpoint(self):
        raise NotImplementedError

    def from_here(self, to):
        """What a route from here to the endpoint `to` takes."""
        raise NotImplementedError

    def to_here(self, source):
        """Where it gets here, of what comes from `source`."""
        return {"address": f"from-{source}"}

    def begin(self, names):
        """Before a message goes to or comes from each of these."""

    def send(self, to, data):
        """Returns the path that it has in the gateway."""
        raise NotImplementedError

    def receive(self, source):
        """Returns (payload, content type, device, id), with None for what this standard does not tell."""
        raise NotImplementedError


class Coap(Port):
    """Sensors that send, and a device that is asked: what comes here is a command to it."""

    name, device = "coap", "pump-1"

    def endpoint(self):
        pki = self.case.pki
        return {"listen": [f"coaps://127.0.0.1:{self.case.coap_port}"], "certificate": pki.certificate("gateway"),
                "key": pki.key("gateway"), "trust": pki.certificate("devices-ca")}

    def from_here(self, to):
        return {"match": f"{to}/{{path}}"}

    def to_here(self, source):
        return {"address": "/set", "device": "actuator-1", "method": "PUT"}

    def begin(self, names):
        self.sensor = self.case.psk_sensor(self.device, "coap")
        self.actuator = Device("actuator-1", self.case.coap_port, self.case.gateway.add_text_psk("actuator-1", "coap"))
        self.case.addCleanup(self.actuator.close)
        self.actuator.start()

    def send(self, to, data):
        reply = self.sensor.post(f"{to}/x", json.dumps({"data": data}), content_format=JSON)
        self.case.assertEqual(reply.code, "2.04", reply)
        return f"{to}/x"

    def receive(self, source):
        request = self.actuator.wait("request", DEADLINE_S, method="PUT")
        return request["payload"], JSON_TYPE if request["content_format"] == JSON else request["content_format"], None, None


class Mqtt(Port):
    name, device = "mqtt", "near-1"

    def endpoint(self):
        pki = self.case.pki
        return {"broker": [f"mqtts://localhost:{self.case.broker.port}"], "certificate": pki.certificate("cloud"),
                "key": pki.key("cloud"), "trust": pki.certificate("cloud-ca"), "backoff_min_ms": 50, "backoff_max_s": 1}

    def from_here(self, to):
        return {"match": f"{to}/{{sensor}}/{{path}}", "source_device": "{sensor}"}

    def begin(self, names):
        wait_until(lambda: self.case.gateway.endpoint("mqtt")["counters"].get("subscriptions", 0) >= len(names), "it is subscribed")
        self.publisher = Commander(self.case.broker, None)

    def send(self, to, data):
        self.publisher.publish(f"{to}/{self.device}/x", json.dumps({"data": data}), content_type=JSON_TYPE)
        return f"{to}/{self.device}/x"

    def receive(self, source):
        message = self.case.subscriber.wait_for(1, lambda m: m.topic == f"from-{source}" and m.device != "probe", DEADLINE_S)[0]
        return message.payload, message.content_type, message.device, message.id


class Amqp(Port):
    """Queues of a RabbitMQ, and a client made with Qpid Proton on the other side of them."""

    name, device = "amqp", "tank-1"

    def endpoint(self):
        pki = self.case.pki
        return {"broker": [f"amqps://localhost:{self.case.rabbit.port}"], "certificate": pki.certificate("cloud"), "key": pki.key("cloud"),
                "trust": pki.certificate("cloud-ca"), "sources": [f"/amq/queue/to-{port.name}" for port in THERE]}

    def from_here(self, to):
        """The path is the address, and behind it the message's subject."""
        return {"match": f"amq/queue/to-{to}/{{tank}}", "source_device": "{tank}"}

    def to_here(self, source):
        return {"address": f"/amq/queue/from-{source}"}

    def begin(self, names):
        self.client = Proton(self.case.rabbit)
        self.case.addCleanup(self.client.close)
        for name in names:
            self.client.receive(f"/amq/queue/from-{name}")

    def send(self, to, data):
        self.client.send(f"/amq/queue/to-{to}", json.dumps({"data": data}), self.device, JSON_TYPE)
        return f"amq/queue/to-{to}/{self.device}"

    def receive(self, source):
        said = self.client.message(f"/amq/queue/from-{source}")
        return said["message"], said["content_type"], said["properties"]["device"], said["id"][1]


class Dds(Port):
    """Peers made with CycloneDDS's own tools, for a topic each."""

    name, device, carries = "dds", "cell-0", False

    def __init__(self, case):
        super().__init__(case)
        for _ in range(200):
            self.domain = random.randrange(1, 230)
            self.mark = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:  # the mark of all tests with a domain on this machine
                self.mark.bind(f"\0tidegate-test-dds-{self.domain}")
                for port in range(16):
                    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                        probe.bind(("127.0.0.1", 7410 + 250 * self.domain + port))
                break
            except OSError:
                self.mark.close()
        case.addCleanup(self.mark.close)

    def endpoint(self):
        return {"domain": self.domain, "interfaces": ["lo"], "peers": ["127.0.0.1"], "topics": ["To*"], "insecure": True}

    def from_here(self, to):
        return {"match": f"To{to}/{{key}}", "source_device": "cell-{key}"}

    def to_here(self, source):
        return {"address": f"From{source}"}

    def begin(self, names):
        self.writers = {name: self.peer("write", f"To{name}") for name in names}
        self.readers = {name: self.peer("read", f"From{name}") for name in names}
        for peer in self.writers.values():
            self.tell(peer, "match 1", "matched")

    def peer(self, role, topic):
        process = subprocess.Popen([BUILD / "tests/adapter/dds_peer", str(self.domain), role, topic, "Reading"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        lines = Lines()
        lines.follow(process.stdout)

        def close():
            process.kill()
            process.wait()
            process.stdin.close()
        self.case.addCleanup(close)
        lines.wait_for(lambda said: "ready" in said, f"the peer for {topic} is there", DEADLINE_S)
        return process, lines

    def tell(self, peer, line, answer):
        process, lines = peer
        before = lines.all().count(answer)
        process.stdin.write(line + "\n")
        process.stdin.flush()
        lines.wait_for(lambda said: said.count(answer) > before, f"a peer says {answer}", DEADLINE_S)

    def send(self, to, data):
        """The peer makes its samples by their number; the data that every pair uses is like them."""
        self.tell(self.writers[to], f"write {data['seq']} {data['seq'] + 1}", "written")
        return f"To{to}/0"

    def receive(self, source):
        _, lines = self.readers[source]
        said = lines.wait_for(lambda all_: [line for line in all_ if line.startswith("sample ")], "a sample", DEADLINE_S)[0]
        _, id_, seq, value, scale, text = said.split(" ", 5)
        data = {"id": int(id_), "seq": int(seq), "value": float(value), "scale": ["CELSIUS", "KELVIN", "PERCENT"][int(scale)], "text": text}
        return json.dumps({"data": data}), None, None, None


class Hypercat(Port):
    """A device that speaks HTTPS, and a reader of the catalogue."""

    name, device = "hypercat", "lift-1"

    def endpoint(self):
        self.port = free_port()
        pki = self.case.pki
        pki.leaf("web", "cloud-ca", "DNS:localhost,IP:127.0.0.1")
        return {"listen": f"https://127.0.0.1:{self.port}", "certificate": pki.certificate("web"), "key": pki.key("web"),
                "trust": pki.certificate("devices-ca"), "events_ms": 100}

    def from_here(self, to):
        return {"match": f"{to}/{{path}}"}

    def begin(self, names):
        self.keys = {name: self.case.gateway.ctl("device", "add", name, "--psk", "--endpoint", "hypercat")["key"]
                     for name in (self.device, "reader-1")}

    def ask(self, name, method, path, body=None, **headers):
        context = ssl.create_default_context(cafile=str(self.case.pki.certificate("cloud-ca")))
        connection = http.client.HTTPSConnection("localhost", self.port, context=context, timeout=DEADLINE_S)
        token = base64.b64encode(f"{name}:{self.keys[name]}".encode()).decode()
        try:
            connection.request(method, path, body, {"Authorization": f"Basic {token}", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            connection.close()

    def send(self, to, data):
        status, text, _ = self.ask(self.device, "POST", f"/readings/{to}/x", json.dumps({"data": data}), **{"Content-Type": JSON_TYPE})
        self.case.assertEqual(status, 204, text)
        return f"{to}/x"

    def receive(self, source):
        """Of each device the catalogue lists what it has handed in; only what came for it last is of this pair."""
        device = self.case.ports[source].device

        def found():
            status, text, _ = self.ask("reader-1", "GET", f"/cat/{device}")
            hrefs = [item["href"] for item in json.loads(text)["items"]] if status == 200 else []
            return [href for href in hrefs if f"from-{source}" in href or "hypercat/" in href or "Tohypercat" in href]
        href = wait_until(found, f"what {device} says is in the catalogue", DEADLINE_S)[0]
        status, payload, fields = self.ask("reader-1", "GET", href)
        self.case.assertEqual(status, 200, payload)
        return payload, fields["Content-Type"].partition(";")[0], device, None


PORTS = [Coap, Mqtt, Amqp, Dds, Hypercat]
THERE = [port for port in PORTS if (BUILD / f".libs/{port.name}.so").exists()]  # an adapter may be left out of a build


class Matrix(GatewayCase):
    links = ["mqtt"]
    allowed = [r"is insecure", r"insecure = true"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if Amqp in THERE:
            queues = [f"{way}-{port.name}" for way in ("to", "from") for port in THERE]
            cls.rabbit = Rabbit(cls.root, cls.pki, content=definitions(queues))
            cls.addClassCleanup(cls.rabbit.close)
            cls.rabbit.start()

    def configuration(self, **changes):
        self.ports = {port.name: port(self) for port in THERE}
        settings = super().configuration(profiles=Groups([{"name": "readers", "devices": ["reader-*"], "reads": ["*/{path}"]}]))
        settings["endpoints"] = Groups([
            {"name": name, "adapter": name, **port.endpoint()} for name, port in self.ports.items()])
        settings["routes"] = Groups([self.route(source, sink) for source in self.ports for sink in self.ports])
        return settings

    def route(self, source, sink):
        route = {"name": f"{source}-{sink}", "from": source, "to": sink,
                 **self.ports[source].from_here(sink), **self.ports[sink].to_here(source)}
        if sink == "coap":
            route.pop("source_device", None)  # a command says whom it is for
        elif source == sink:
            route["back"] = True
        return route

    def setUp(self):
        super().setUp()
        for port in self.ports.values():
            port.begin(list(self.ports))
        self.tail = Process([BUILD / "tidegatectl", "--json", "--run", self.gateway.run, "tail"], Lines(parse=lambda line: json.loads(line) if line.startswith("{") else None))
        self.addCleanup(self.tail.kill)

        def listens():  # it has no way to say so
            self.ports["mqtt"].publisher.publish("mqtt/probe/x", "0")
            return self.tail.lines.all()
        wait_until(listens, "tail shows something")

    def wait_event(self, **members):
        def found(events):
            return next((e for e in events if all(e.get(m) == v for m, v in members.items())), None)
        return self.tail.lines.wait_for(found, f"tail shows {members}", DEADLINE_S)

    def pair(self, source, sink, number):
        from_, to = self.ports[source], self.ports[sink]
        data = {"id": 0, "seq": number, "value": number + 0.5, "scale": "PERCENT", "text": f'reading "{number}"'}
        path = from_.send(sink, data)
        payload, content_type, device, id_ = to.receive(source)
        self.assertEqual(json.loads(payload)["data"], data)
        if source != "dds" and to.carries:
            self.assertEqual(payload, json.dumps({"data": data}), "byte by byte")
        if to.carries:
            self.assertEqual(content_type, JSON_TYPE)
        # The way that is shown: of a command it is that of whom it is for.
        whom = "actuator-1" if sink == "coap" else from_.device
        if device is not None:
            self.assertEqual(device, whom)
        accepted = self.wait_event(what="command accepted" if sink == "coap" else "accepted", to=sink, device=whom,
                                   **({} if sink == "coap" else {"path": path}))
        if id_ is not None:
            self.assertEqual(accepted["id"], id_)
        self.assertRegex(accepted["id"], r"^[0-9a-f]{8}-[0-9a-f]{4}-7")
        self.wait_event(what="command delivered" if sink == "coap" else "delivered", id=accepted["id"])
        step = next(s for s in self.gateway.ctl("routes", "test", source, from_.device, path) if s["goes"])
        self.assertEqual((step["route"], step["to"]), (f"{source}-{sink}", sink))
        self.assertEqual(step["address"], accepted["address"])

    def row(self, source):
        if source not in self.ports:
            self.skipTest(f"{source} is not built")
        for number, sink in enumerate(self.ports):
            with self.subTest(source=source, sink=sink):
                self.pair(source, sink, number)
        devices = {reading["device"] for reading in self.gateway.ctl("readings")["readings"]}
        self.assertIn(self.ports[source].device, devices)
        self.assertNotIn(source, devices, "a command is no reading")

    def test_from_coap(self):
        self.row("coap")

    def test_from_mqtt(self):
        self.row("mqtt")

    def test_from_amqp(self):
        self.row("amqp")

    def test_from_dds(self):
        self.row("dds")

    def test_from_hypercat(self):
        self.row("hypercat")


if __name__ == "__main__":
    main()
