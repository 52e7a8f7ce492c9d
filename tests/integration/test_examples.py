# SPDX-License-Identifier: Apache-2.0
"""The worked configurations, each as it is installed but for addresses and ports, run with real messages."""
import base64
import http.client
import json
import re
import ssl
import subprocess
import unittest

from harness import SOURCE, Broker, Commander, Device, GatewayCase, main, wait_until
from harness.catalogue import Catalogue, item
from harness.process import free_port
from harness.proton import Proton
from harness.rabbit import Rabbit, definitions
from test_coap_client import KEY, Server
from test_coap_client_oscore import HAS_OSCORE, SECRET

SENML_JSON, SENML_TYPE = 110, "application/senml+json"


class Example(GatewayCase):
    """The broker of the harness stands for the one in the cloud."""

    name = None
    cloud = "cloud"  # the endpoint that leads there
    local = {}       # host in the file -> attribute that holds the broker on site
    allowed = [r"^warning: \w+: "]  # the broker that stands in for another is not there

    @property
    def links(self):
        return [self.cloud]

    def configuration(self, **changes):
        text = (SOURCE / f"conf/examples/{self.name}.conf").read_text(encoding="utf-8")
        for was, is_ in self.places().items():
            self.assertIn(was, text)
            text = text.replace(was, is_)
        self.assertNotIn(".example", text, "a place that nobody stands for")
        return text

    def places(self):
        """What stands in the file, and what is there in its place."""
        places = {"coaps://[::]:5684": f"coaps://127.0.0.1:{self.coap_port}"}
        for host, attribute in self.local.items():
            if not hasattr(self, attribute):
                setattr(self, attribute, self.start_broker(attribute))
            places[f"{host}:8883"] = f"localhost:{getattr(self, attribute).port}"
        return places

    def start_broker(self, name):
        folder = self.folder / name
        folder.mkdir()
        broker = Broker(folder, self.pki)
        self.addCleanup(broker.close)
        return broker.start()

    def prepare(self):
        """The file names certificates beside itself; one authority has made them all."""
        pki = self.gateway.folder / "pki"
        pki.mkdir()
        for place in ("gateway", "devices-ca", "cloud", "cloud-ca"):
            self.link(pki, place, place)
        for name in {"ward", "board", "yard"}:
            self.link(pki, name, "cloud")
            self.link(pki, f"{name}-ca", "cloud-ca")

    def link(self, folder, name, to):
        for kind, path in (("crt", self.pki.certificate(to)), ("key", self.pki.key(to))):
            (folder / f"{name}.{kind}").symlink_to(path)

    def wait_subscribed(self, *names):
        for name in names:
            wait_until(lambda name=name: self.gateway.endpoint(name)["counters"].get("subscriptions"), f"{name} is subscribed")

    def device(self, name, endpoint, path):
        """One that is asked over the session that it has opened, at this path."""
        key = bytes.fromhex(self.gateway.ctl("device", "add", name, "--psk", "--endpoint", endpoint)["key"])
        device = Device(name, self.coap_port, key, "--set", path)
        self.addCleanup(device.close)
        return device.start()

    def at(self, topic, count=1):
        return self.subscriber.wait_for(count, lambda m: m.topic == topic)

    def records(self, topic, count=1):
        """The SenML records of the one message there."""
        message = self.at(topic, count)[-1]
        self.assertEqual(message.content_type, SENML_TYPE)
        return message, json.loads(message.payload)


class Healthcare(Example):
    name, cloud, local = "healthcare", "clinic", {"broker.ward.example": "ward"}

    def places(self):
        return {**super().places(), "mqtt-1.clinic.example:8883": f"localhost:{self.broker.port}",
                "mqtt-2.clinic.example:8883": f"localhost:{free_port()}"}

    def test_vital_signs_alarms_and_pumps(self):
        self.wait_subscribed("ward")
        monitor, other = self.psk_sensor("monitor-7", "field"), self.psk_sensor("thermometer-1", "field")
        pack = '[{"bn":"urn:dev:mac:0024befffe804ff1/","n":"3346/0/5700","u":"beat/m","v":71,"t":-1},{"n":"3320/0/5700","u":"%","v":98}]'
        file = self.folder / "vitals.json"
        file.write_text(pack, encoding="ascii")
        self.assertEqual(monitor.send_file("vitals", file, content_format=SENML_JSON).code, "2.04")
        message, records = self.records("clinic-north/ward-2/vitals/monitor-7/vitals")
        self.assertEqual(message.device, "monitor-7")
        self.assertEqual([(r["n"], r["v"]) for r in records],
                         [("urn:dev:mac:0024befffe804ff1/3346/0/5700", 71), ("urn:dev:mac:0024befffe804ff1/3320/0/5700", 98)])
        self.assertTrue(all(r["t"] > 1e9 for r in records), records)
        self.assertEqual(monitor.post("alarm/asystole", "1").code, "2.04")
        alarm = self.at("clinic-north/ward-2/alarm/monitor-7/asystole")[0]
        self.assertEqual((alarm.payload, alarm.device), ("1", "monitor-7"))
        self.assertEqual(other.post("alarm/asystole", "1").code, "4.03")
        self.assertEqual(other.post("alive", "1").code, "2.04")
        self.at("clinic-north/ward-2/alive/thermometer-1")
        pumps = Commander(self.ward, None)
        pumps.publish("infusion/4/rate", '[{"n":"urn:dev:ow:10e2073a01080063:rate","u":"l/s","v":0.01}]', content_type=SENML_TYPE, qos=2)
        message, records = self.records("clinic-north/ward-2/infusion/infusion-4/rate")
        self.assertEqual((message.device, records[0]["v"]), ("infusion-4", 0.01))


class Transport(Example):
    name, cloud, local = "transport", "depot", {"board.tram.example": "board"}

    def places(self):
        return {**super().places(), "fleet-1.depot.example:8883": f"localhost:{self.broker.port}",
                "fleet-2.depot.example:8883": f"localhost:{free_port()}"}

    def test_positions_events_and_orders(self):
        self.wait_subscribed("board", "depot")
        board = Commander(self.board, None)
        board.publish("cab-a/3336/0/5514", "52.51")
        message = self.at("fleet/depot-east/tram-2043.cab-a/3336/0/5514")[0]
        self.assertEqual((message.payload, message.device), ("52.51", "tram-2043.cab-a"))
        self.assertTrue(0 < message.expiry_s <= 600, message)
        bearing = self.psk_sensor("bearing-3", "axles")
        self.assertEqual(bearing.post("3303/0/5700", "41.5").code, "2.04")
        self.at("fleet/depot-east/tram-2043.bearing-3/3303/0/5700")
        door = self.device("door-1", "axles", "3306/0/5850")
        depot = Commander(self.broker, self.subscriber)
        depot.publish("fleet/depot-east/tram-2043/door-1/do/3306/0/5850", "1")
        door.wait("request", method="PUT")
        done = self.at("fleet/depot-east/tram-2043/door-1/done/3306/0/5850")[0]
        self.assertEqual(done.outcome, "delivered")

    def test_a_tunnel(self):
        """Events wait, in order, for the line."""
        self.wait_subscribed("board")
        board = Commander(self.board, None)
        self.broker.stop()
        board.publish_lines("cab-a/event/door", [f"{n}" for n in range(50)], qos=1)
        wait_until(lambda: self.gateway.outbox("depot")["ledger"]["held"] == 50, "all of them wait")
        self.broker.start_with_subscribers()
        messages = self.at("fleet/depot-east/tram-2043.cab-a/event/door", 50)
        self.assertEqual([m.payload for m in dict.fromkeys(messages)], [f"{n}" for n in range(50)])


class Energy(Example):
    """With the meter that speaks OSCORE where libcoap does: it stands there commented out."""

    name, cloud = "energy", "control"
    allowed = [r"meter-\d"]

    def start_meter(self, power, energy, *options):
        meter = Server()
        meter.start("-d", "10", *options)
        self.addCleanup(meter.stop)
        for path, value in (("3305/0/5800", power), ("3305/0/5805", energy)):
            subprocess.run(["coap-client-openssl", "-m", "put", "-u", "gateway", "-k", KEY, "-e", value, "-B", "20",
                            f"{meter.uri}/{path}"], check=True, timeout=60, capture_output=True)
        return meter

    def places(self):
        if not hasattr(self, "meter"):
            self.meter = self.start_meter("1500", "42")
            context = self.folder / "meter-2.oscore"
            context.write_text(f'master_secret,hex,"{SECRET}"\nsender_id,hex,"02"\nrecipient_id,hex,"01"\n', encoding="ascii")
            self.remote = self.start_meter("0", "43", "-E", str(context)) if HAS_OSCORE else self.meter
        return {**super().places(), "scada.grid.example:8883": f"localhost:{self.broker.port}",
                "coaps://[fd00::7]:5684": self.meter.uri, "coap://[fd00::8]:5683": f"coap://127.0.0.1:{self.remote.port}",
                "/3305/0/5805 900": "/3305/0/5805 1"}

    def configuration(self, **changes):
        text = super().configuration(**changes)
        return re.sub("(?m)^#(?! )", "", text) if HAS_OSCORE else text

    def prepare(self):
        super().prepare()
        keys = self.gateway.folder / "keys"
        keys.mkdir()
        (keys / "remote.oscore").touch(mode=0o600)
        (keys / "remote.oscore").write_text(
            f"[meter-2]\nmaster_secret = {SECRET}\nsender_id = 01\nrecipient_id = 02\n", encoding="ascii")

    @unittest.skipUnless(HAS_OSCORE, "this libcoap has no OSCORE (that of Debian 13 has)")
    def test_a_meter_behind_a_proxy(self):
        self.gateway.ctl("device", "add", "meter-2", "--enrol-only", "--endpoint", "remote")
        self.assertEqual(self.at("grid-south/substation-12/meter-2/3305/0/5805")[0].payload, "43")
        self.assertIn("AES-CCM-16-64-128", json.dumps(self.gateway.ctl("sessions")))

    def test_meters_overload_and_switching(self):
        path = self.folder / "devices.csv"
        path.write_text(f"name,endpoint,key\nmeter-1,meters,{KEY.encode().hex()}\n", encoding="ascii")
        self.assertEqual(self.gateway.say("device", "import", str(path))[0], 0)
        self.assertEqual(self.at("grid-south/substation-12/meter-1/3305/0/5800")[0].payload, "1500")
        self.assertEqual(self.at("grid-south/substation-12/meter-1/3305/0/5805")[0].payload, "42")
        feeder = self.device("feeder-2", "feeders", "3312/0/5850")
        self.assertEqual(feeder.post("overload", "312"), "2.04")
        relay = feeder.events("request", method="PUT") or [feeder.wait("request", method="PUT")]
        self.assertEqual((relay[0]["path"].strip("/"), relay[0]["payload"]), ("3312/0/5850", "312"))
        self.assertEqual(self.at("grid-south/substation-12/overload/feeder-2")[0].payload, "312")
        self.assertEqual(self.at("grid-south/substation-12/switched/feeder-2")[0].outcome, "delivered")
        self.wait_subscribed("control")
        Commander(self.broker, self.subscriber).publish("grid-south/substation-12/switch/feeder-2/0", "1")
        wait_until(lambda: any(r["payload"] == "1" for r in feeder.events("request", method="PUT")), "it is switched on again")
        self.at("grid-south/substation-12/switched/feeder-2", 2)


class Assets(Example):
    name, cloud = "assets", "tracking"
    local = {"north.yard.example": "north", "south.yard.example": "south"}

    def places(self):
        if not hasattr(self, "rabbit"):
            queues, bindings = ("seen", "maintenance"), (("tracking", "seen", "seen.#"), ("tracking", "maintenance", "maintenance.#"))
            self.rabbit = Rabbit(self.folder, self.pki, content=definitions(queues, (("tracking", "topic"),), bindings))
            self.addCleanup(self.rabbit.close)
            self.rabbit.start()
        places = {**super().places(), "tracking-1.port.example:5671": f"localhost:{self.rabbit.port}",
                  "tracking-2.port.example:5671": f"localhost:{free_port()}"}
        del places["coaps://[::]:5684"]
        return places

    def test_tags(self):
        self.wait_subscribed("north", "south")
        client = Proton(self.rabbit)
        self.addCleanup(client.close)
        for queue in ("seen", "maintenance"):
            client.receive(f"/amq/queue/{queue}")
        pack = '[{"bn":"urn:epc:id:sscc:0614141.1234567890/","n":"3336/0/5514","u":"lat","v":51.9},{"n":"3336/0/5515","u":"lon","v":4.1}]'
        Commander(self.north, None).publish("tags/77/fence-3", pack, content_type=SENML_TYPE)
        messages = client.message("/amq/queue/seen", count=2)
        self.assertEqual({(m["subject"], m["properties"]["device"], m["content_type"]) for m in messages},
                         {("seen.port-west.north.tag-77", "tag-77", SENML_TYPE)})
        self.assertEqual([json.loads(m["message"])[0]["v"] for m in messages], [51.9, 4.1])
        self.assertEqual(len({m["id"][1] for m in messages}), 2)
        Commander(self.south, None).publish("tags/78/3316/0/low", "2.61")
        low = client.message("/amq/queue/maintenance")
        self.assertEqual((low["message"], low["properties"]["device"]), ("2.61", "tag-78"))


class Cities(Example):
    name, cloud = "cities", "platform"

    def places(self):
        if not hasattr(self, "catalogue"):
            self.https_port = free_port()
            self.catalogue = Catalogue(self.pki)
            self.addCleanup(lambda: self.catalogue.close())
            lot = item("/parking/7/free")
            lot["item-metadata"][1]["val"] = "car park 7, free places"
            self.catalogue.list("/cat", lot, item("/parking/7/secret"))
            self.catalogue.put("/parking/7/free", "12")
            self.catalogue.put("/parking/7/secret", "1")
        return {**super().places(), "platform.city.example:8883": f"localhost:{self.broker.port}",
                "https://cat.city.example/cat": f"{self.catalogue.url}/cat", "parking.city.example": "127.0.0.1",
                "https://[::]:8443": f"https://127.0.0.1:{self.https_port}"}

    def prepare(self):
        super().prepare()
        self.pki.leaf("web", "cloud-ca", "DNS:localhost,IP:127.0.0.1")
        self.link(self.gateway.folder / "pki", "open-data", "web")

    def status_of(self, path, name, key):
        """What an app gets there."""
        token = base64.b64encode(f"{name}:{key}".encode()).decode()
        context = ssl.create_default_context(cafile=str(self.pki.certificate("cloud-ca")))
        connection = http.client.HTTPSConnection("localhost", self.https_port, context=context, timeout=60)
        try:
            connection.request("GET", path, headers={"Authorization": f"Basic {token}"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def test_air_lamps_and_parking(self):
        self.assertEqual(self.at("riverside/parking/7/free")[0].payload, "12")
        air = self.psk_sensor("air-5", "street")
        pack = '[{"n":"urn:dev:ow:air5/3325/0/5700","u":"ppm","v":412}]'
        self.assertEqual(air.post("3325/0/5700", pack, content_format=SENML_JSON).code, "2.04")
        message, records = self.records("riverside/air/air-5/3325/0/5700")
        self.assertEqual((message.device, records[0]["v"]), ("air-5", 412))
        self.assertEqual(air.post("3311/0/5850", "1").code, "4.03")
        lamp = self.device("lamp-1", "street", "3311/0/5851")
        self.assertEqual(lamp.post("3301/0/5700", "17"), "2.04")
        self.at("riverside/quarter-4/lamp-1/3301/0/5700")
        neighbour = self.psk_sensor("lamp-2", "street")
        reply = neighbour.request("get", "readings/lamp-1/3301/0/5700")
        self.assertEqual((reply.code, reply.text), ("2.05", "17"))
        self.wait_subscribed("platform")
        Commander(self.broker, self.subscriber).publish("riverside/quarter-4/light/lamp-1/3311/0/5851", "40")
        self.assertEqual(lamp.wait("request", method="PUT")["payload"], "40")
        self.assertEqual(self.at("riverside/quarter-4/lit/lamp-1/3311/0/5851")[0].outcome, "delivered")
        self.assertEqual(self.subscriber.messages(lambda m: "secret" in m.topic), [])
        key = self.gateway.ctl("device", "add", "app-1", "--psk", "--endpoint", "open-data")["key"]
        self.assertEqual(self.status_of("/readings/air-5/3325/0/5700", "app-1", key), (200, pack))
        self.assertEqual(self.status_of("/readings/parking/parking/7/free", "app-1", key), (200, "12"))
        self.assertNotEqual(self.status_of("/readings/lamp-1/3301/0/5700", "app-1", key)[0], 200)


if __name__ == "__main__":
    main()
