# SPDX-License-Identifier: Apache-2.0
"""Readings through a real RabbitMQ and back: coap -> amqp -> RabbitMQ -> amqp -> mqtt, in one gateway; and whatever is killed, nothing is lost."""
import copy
import json
import os
import random
import re
import signal
import time

from harness import SOURCE, GatewayCase, Load, main, wait_until
from harness.gateway import Groups
from harness.rabbit import Cluster, Rabbit, definitions
from harness.sensors import reading_of

SENSORS, KILLS = 10, 5


def content(kind):
    return definitions([("history", {"x-queue-type": kind}), ("other", {"x-queue-type": kind})], [("readings", "topic")], [("readings", "history", "#")])


def installed_definitions(user):
    text = (SOURCE / "conf/examples/amqp-rabbitmq.json").read_text(encoding="utf-8")
    return json.loads(text.replace('"plant"', f'"{user}"'))


ROUTES = Groups([
    {"name": "readings", "from": "field", "match": "/{path}", "to": "plant", "address": "{site}.{device}.{path}"},
    {"name": "history", "from": "history", "match": "amq/queue/history/{path}", "to": "cloud", "address": "history/{path}"},
])


class AmqpCase(GatewayCase):
    allowed = [r"(plant|history|cloud|field): "]
    links = ["cloud", "plant", "history"]
    settings = {"limits": {"restart_min_ms": 10, "restart_max_ms": 100}}

    def start_rabbit(self):
        self.rabbit = Rabbit(self.folder, self.pki, content=content("classic"))
        self.addCleanup(self.rabbit.close)
        self.rabbit.start()
        return [self.rabbit.port]

    def configuration(self, **changes):
        ports = self.start_rabbit()
        made = super().configuration(routes=ROUTES, **changes)
        amqp = {"adapter": "amqp", "broker": [f"amqps://localhost:{port}" for port in ports],
                "certificate": self.pki.certificate("cloud"), "key": self.pki.key("cloud"), "trust": self.pki.certificate("cloud-ca"),
                "backoff_min_ms": 50, "backoff_max_s": 1}
        made["endpoints"] += [{"name": "plant", **amqp, "target": "/exchange/readings"},
                              {"name": "history", **amqp, "sources": ["/amq/queue/history"]}]
        return made

    def wait_counter(self, name, counter, value):
        wait_until(lambda: self.gateway.endpoint(name)["counters"][counter] == value, f"'{name}' counts {value} {counter}")

    def begin_load(self, *options, rate=20):
        self.load = Load(self.folder, self.coap_port, self.keys(SENSORS), "--rate", rate,
                         "--ack-timeout", 0.2, "--response-timeout", 2, "--retransmits", 3, *options).start()

    def wait_for_more(self):
        """Something arrives that was not there before."""
        self.subscriber.wait_for(len({m.id for m in self.subscriber.messages()}) + 1, deadline_s=120)

    def finish_load(self):
        """Every acknowledged reading has come out at the far end; the gateway holds nothing any more."""
        self.load.stop()
        acknowledged = self.load.acknowledged()
        self.assertTrue(acknowledged, "no reading was acknowledged: the case proves nothing")
        self.wait_for_readings_of(acknowledged, deadline_s=120)
        for name in ("plant", "cloud"):
            wait_until(lambda n=name: self.gateway.outbox(n)["ledger"]["held"] == 0, f"the outbox of '{name}' is empty", 60)
            self.assertEqual(self.gateway.outbox(name)["ledger"]["dropped"], {})

    def kill_endpoint(self, name):
        pid = wait_until(lambda: self.gateway.pid(name), f"'{name}' runs")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.gateway.pid(name) not in (None, pid), f"'{name}' runs again")


class Chain(AmqpCase):
    allowed = []

    def test_a_reading_goes_all_the_way(self):
        sensor = self.psk_sensor("pump-7")
        for number in range(5):
            self.assertEqual(sensor.post("hall/temp", f"{number}", content_format=50).code, "2.04")
        messages = self.subscriber.wait_for(5)
        self.assertEqual([m.payload for m in messages], [str(n) for n in range(5)], "they are in order")
        for message in messages:
            self.assertEqual(message.topic, "history/plant-7.pump-7.hall/temp")
            self.assertEqual(message.content_type, "application/json")
            self.assertEqual(message.device, "history")
        self.wait_counter("plant", "confirmed", 5)
        self.wait_counter("history", "accepted", 5)
        self.assertIn("TLSv1.3", str(self.gateway.endpoint("plant")))

    def test_order_under_load(self):
        self.begin_load("--count", 2000, rate=200)
        self.load.wait()
        self.finish_load()
        last = {}
        for name, number in map(reading_of, self.subscriber.messages()):
            self.assertGreater(number, last.get(name, 0), f"{name}: {number} came behind {last.get(name)}")
            last[name] = number


class AsInstalled(AmqpCase):
    """With the exchange, the queues and the few permissions of the example."""
    allowed = []

    def start_rabbit(self):
        self.rabbit = Rabbit(self.folder, self.pki, content=installed_definitions("cloud"))
        self.addCleanup(self.rabbit.close)
        self.rabbit.start()
        return [self.rabbit.port]

    def configuration(self, **changes):
        made = super().configuration(**changes)
        next(e for e in made["endpoints"] if e["name"] == "history")["sources"] = ["/amq/queue/orders"]
        made["routes"] = Groups([ROUTES[0], {**ROUTES[1], "match": "amq/queue/orders/{path}"}])
        return made

    def test_the_definitions_suffice(self):
        sensor = self.psk_sensor("pump-7")
        for number in range(3):
            self.assertEqual(sensor.post("hall/temp", f"{number}").code, "2.04")
        self.wait_counter("plant", "confirmed", 3)
        self.wait_counter("history", "receivers", 1)


class Reload(AmqpCase):
    """Under load, nothing is lost, and no link is touched but the one whose settings want it."""

    def configuration(self, **changes):
        made = super().configuration(**changes) if not hasattr(self, "made") else copy.deepcopy(self.made)
        self.made = copy.deepcopy(made)
        return made

    def change(self, name, **settings):
        made = self.configuration()
        next(e for e in made["endpoints"] if e["name"] == name).update(settings)
        self.made = copy.deepcopy(made)
        self.gateway.configure(made)
        self.gateway.ctl("reload")

    def connects(self):
        return {name: self.gateway.endpoint(name)["counters"]["connects"] for name in ("plant", "history", "cloud")}

    def test_under_load(self):
        self.begin_load(rate=50)
        self.wait_for_more()
        before = {"plant": 1, "history": 1, "cloud": 1}
        wait_until(lambda: self.connects() == before, "each has connected once")
        for name, settings in [("plant", {"window": 7}), ("plant", {"links": 3, "address_refused": "reject"}), ("history", {"release_limit": 9}),
                               ("history", {"backoff_max_s": 2, "confirm_timeout_s": 20})]:
            self.change(name, **settings)
            self.wait_for_more()
        self.assertEqual(self.connects(), before, "none of that wants a new connection")
        for name, settings in [("history", {"receive_window": 17}), ("plant", {"container_id": "another"}),
                               ("history", {"sources": ["/amq/queue/history", "/amq/queue/other"]}), ("plant", {"idle_timeout_s": 60})]:
            before[name] += 1
            self.change(name, **settings)
            wait_until(lambda wanted=dict(before): self.connects() == wanted, f"'{name}' alone has connected anew")
            self.wait_for_more()
        self.finish_load()


class Kills(AmqpCase):
    """kill -9 at random moments under load."""

    def kill_again_and_again(self, kill, times=KILLS):
        moment = random.Random(time.time_ns())
        self.begin_load()
        for number in range(times):
            self.wait_for_more()
            time.sleep(moment.uniform(0, 0.2))  # the random moment
            kill(number)
        self.wait_for_more()
        self.finish_load()

    def test_amqp_processes(self):
        self.kill_again_and_again(lambda number: self.kill_endpoint(("plant", "history")[number % 2]))

    def test_core(self):
        def kill(_):
            self.gateway.kill()
            self.gateway.start()
        self.kill_again_and_again(kill)

    def test_rabbit(self):
        def kill(_):
            self.rabbit.kill()
            self.rabbit.start()
        self.kill_again_and_again(kill, 2)


class ClusterKills(AmqpCase):
    def start_rabbit(self):
        self.cluster = Cluster(self.folder, self.pki, content=content("quorum"))
        self.addCleanup(self.cluster.close)
        self.cluster.start()
        return [node.port for node in self.cluster.nodes]

    def node_of(self, name):
        """The node that the endpoint is connected to."""
        self.wait_link(name)
        port = re.search(r"localhost:(\d+)", str(self.gateway.endpoint(name)["detail"]))[1]
        return next(node for node in self.cluster.nodes if node.port == int(port))

    def test_the_node_that_the_gateway_is_connected_to(self):
        self.begin_load()
        for name in ("plant", "history"):
            self.wait_for_more()
            node = self.node_of(name)
            node.kill()
            wait_until(lambda n=name, gone=node: self.gateway.endpoint(n)["link"] == "up" and self.node_of(n) is not gone,
                       f"'{name}' is connected to another node", 60)
            self.wait_for_more()
            node.start()
        self.wait_for_more()
        self.finish_load()


if __name__ == "__main__":
    main()
