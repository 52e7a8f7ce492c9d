# SPDX-License-Identifier: Apache-2.0
"""The amqp adapter and RabbitMQ, for the benchmark: messages that the gateway makes go into a queue, and come out of it again."""
import time

from harness import wait_until
from harness.gateway import Gateway, Groups
from harness.process import children
from harness.rabbit import Rabbit, definitions
from parts import CpuMeter

MESSAGES = 2_000_000_000  # never reached


class AmqpBench:
    def __init__(self, folder, pki):
        folder.mkdir()
        self.rabbit = Rabbit(folder, pki, content=definitions(["bench"]))
        plant = {"name": "plant", "adapter": "amqp", "broker": [f"amqps://localhost:{self.rabbit.port}"],
                 "certificate": pki.certificate("cloud"), "key": pki.key("cloud"), "trust": pki.certificate("cloud-ca")}
        self.sink = self._gateway(folder / "sink", plant, {"generate": MESSAGES, "window": 1000}, "end", "plant", "/amq/queue/bench")
        self.source = self._gateway(folder / "source", {**plant, "sources": ["/amq/queue/bench"], "receive_window": 500}, {},
                                    "plant", "end", "x")

    def _gateway(self, folder, plant, end, origin, to, address):
        return Gateway(folder, {
            "gateway": {"name": "hall-3", "site": "plant-7"},
            "endpoints": Groups([plant, {"name": "end", "adapter": "loopback", "submit": False, **end}]),
            "routes": Groups([{"name": "all", "from": origin, "match": "/{path}", "to": to, "address": address}])})

    def start(self):
        self.rabbit.start()

    def measure(self, gateway, counter, seconds):
        """(messages a second, {process: µs a message}); `counter` of the amqp endpoint counts what is settled."""
        def count():
            return gateway.endpoint("plant")["counters"][counter]
        gateway.start()
        wait_until(lambda: count() > 500, "messages go through")
        meter = CpuMeter({"amqp": gateway.pid("plant"), "core": gateway.process.pid, "the other end": gateway.pid("end"),
                          "RabbitMQ": children(self.rabbit.process.pid)[0]})  # behind its script
        before, begin = count(), time.monotonic()
        time.sleep(seconds)
        done, taken = count() - before, time.monotonic() - begin
        cpu = meter.microseconds_each(done)
        gateway.stop()
        return done / taken, cpu

    def stop(self):
        for gateway in (self.sink, self.source):
            if gateway.is_running():
                gateway.stop()
            gateway.close()
        self.rabbit.close()
