# SPDX-License-Identifier: Apache-2.0
"""The gateway as client of HyperCat catalogues, good ones and hostile ones, and what it hands on to a broker."""
import json
import os
import random
import re
import signal
import threading
import time

from harness import GatewayCase, main, wait_until
from harness import catalogue as cats
from harness.catalogue import TYPE, Catalogue, item, nested
from harness.gateway import Gateway, Groups
from harness.process import free_port
from harness.sensors import Sensor


KILLS = 12


class Harvest(GatewayCase):
    park = {}  # more settings of the endpoint
    server = {}  # of the catalogue's server
    links = ["cloud", "park"]

    def configuration(self, **changes):
        self.catalogue = Catalogue(self.pki, **self.server)
        self.addCleanup(lambda: self.catalogue.close())
        self.fill()
        settings = super().configuration(**changes)
        settings["endpoints"] = Groups([
            {"name": "park", "adapter": "hypercat_client", "catalogues": [f"{self.catalogue.url}/cat"],
             "hosts": ["127.0.0.1"], "trust": self.pki.certificate("cloud-ca"), "harvest_interval_s": 1, "poll_interval_s": 1,
             "jitter_percent": 0, "backoff_min_ms": 100, "backoff_max_s": 1, **self.more()},
            settings["endpoints"][1],
        ])
        settings["routes"] = Groups([
            {"name": "telemetry", "from": "park", "match": "/{path}", "to": "cloud", "address": "up/{device}/{path}"},
        ])
        return settings

    def more(self):
        return dict(self.park)

    def fill(self):
        self.catalogue.list("/cat", item("/lots/7/free"), item("lots/8/free", "application/json"))
        self.catalogue.put("/lots/7/free", "12")
        self.catalogue.put("/lots/8/free", '{"free":3}', "application/json")

    def arrived(self, path):
        return [m for m in self.subscriber.messages() if m.topic == f"up/park/{path}"]

    def wait_arrived(self, path, count=1):
        wait_until(lambda: len(self.arrived(path)) >= count, f"{count} readings of {path}")
        return self.arrived(path)

    def counters(self):
        return self.gateway.endpoint("park")["counters"]

    def wait_counter(self, name, least=1):
        wait_until(lambda: self.counters().get(name, 0) >= least, f"the counter {name} is at {least}")


class Readings(Harvest):
    def test_what_a_catalogue_lists_arrives_at_the_broker(self):
        first, second = self.wait_arrived("lots/7/free")[0], self.wait_arrived("lots/8/free")[0]
        self.assertEqual((first.payload, second.payload), ("12", '{"free":3}'))
        self.assertEqual(second.content_type, "application/json")
        self.assertEqual(first.device, "park")
        self.assertIn(str(self.catalogue.port), json.dumps(self.gateway.ctl("sessions")))

    def test_only_what_has_changed_is_a_reading(self):
        self.wait_arrived("lots/7/free")
        wait_until(lambda: self.catalogue.count("/lots/7/free", 304) >= 2, "it was asked for again, and had not changed")
        self.catalogue.put("/lots/7/free", "11")
        self.assertEqual([m.payload for m in self.wait_arrived("lots/7/free", 2)], ["12", "11"])
        wait_until(lambda: self.catalogue.count("/cat", 304) >= 2, "the catalogue was asked for again, and had not changed")

    def test_what_is_listed_later_comes_and_what_is_not_any_more_goes(self):
        self.wait_arrived("lots/7/free")
        self.catalogue.put("/lots/9/free", "99")
        self.catalogue.list("/cat", item("/lots/9/free"))
        self.wait_arrived("lots/9/free")
        wait_until(lambda: self.counters().get("resources") == 1, "one resource is left")
        before = self.catalogue.count("/lots/7/free")
        more = self.catalogue.count("/lots/9/free") + 2
        wait_until(lambda: self.catalogue.count("/lots/9/free") >= more, "polls go on")
        self.assertLessEqual(self.catalogue.count("/lots/7/free"), before + 1)


class WithoutTags(Readings):
    server = {"etags": False}

    def test_only_what_has_changed_is_a_reading(self):
        self.wait_arrived("lots/7/free")
        self.wait_counter("unchanged", 3)
        self.catalogue.put("/lots/7/free", "11")
        self.assertEqual([m.payload for m in self.wait_arrived("lots/7/free", 2)], ["12", "11"])


class Repeated(Harvest):
    park = {"repeat_unchanged": True}

    def test_each_poll_is_a_reading(self):
        self.assertEqual({m.payload for m in self.wait_arrived("lots/7/free", 3)}, {"12"})


class Token(Harvest):
    server = {"token": "s3cret-key"}

    def more(self):
        path = self.root / "token"
        path.write_text("s3cret-key\n", encoding="ascii")
        path.chmod(0o600)
        return {"token": path}

    def test_the_key_is_shown_to_the_catalogue_alone(self):
        other = Catalogue(self.pki)
        self.addCleanup(other.close)
        other.put("/elsewhere", "1")
        self.catalogue.list("/cat", item("/lots/7/free"), item(f"https://127.0.0.1:{other.port}/elsewhere"))
        self.wait_arrived("lots/7/free")
        self.wait_arrived("elsewhere")
        self.assertEqual({given for _, given in other.authorizations}, {None})


class Certificate(Harvest):
    server = {"client_authority": "cloud-ca"}

    def more(self):
        return {"certificate": self.pki.certificate("cloud"), "key": self.pki.key("cloud")}

    def test_the_gateway_shows_its_certificate(self):
        self.wait_arrived("lots/7/free")
        names = {dict(rdn[0] for rdn in c["subject"])["commonName"] for c in self.catalogue.clients if c}
        self.assertEqual(names, {"cloud"})


class Nested(Harvest):
    def fill(self):
        self.catalogue.list("/cat", nested("/east/cat"), nested("https://LOCALHOST:" + str(self.catalogue.port) + "/cat#top"))
        self.catalogue.list("/east/cat", nested("./deeper/cat"), nested("/cat"), item("lots/1"), item("/west/../lots/2"))
        self.catalogue.list("/east/deeper/cat", nested("../cat"), item("lots/1"), item("/lots/2"), item("/lots/a%20b%2Fc%25?d=e/f"))
        for path in "/east/lots/1", "/east/deeper/lots/1", "/lots/2", "/lots/a%20b%2Fc%25?d=e/f":
            self.catalogue.put(path, path)

    def test_catalogues_in_catalogues_are_followed_once_each(self):
        self.wait_arrived("east/lots/1")
        self.wait_arrived("east/deeper/lots/1")
        self.wait_arrived("lots/2")
        self.wait_arrived("lots/a b%2Fc%25?d=e%2Ff")
        self.wait_counter("harvests", 3)
        wait_until(lambda: self.counters().get("resources") == 4, "four resources are told")
        self.assertIn("4 resources of 3 catalogues", json.dumps(self.gateway.endpoint("park")))


class Depth(Nested):
    park = {"depth_max": 1}
    allowed = [r"entries of the catalogues were left out by the limits"]

    def test_catalogues_in_catalogues_are_followed_once_each(self):
        self.wait_arrived("east/lots/1")
        self.wait_counter("harvests", 3)
        self.assertEqual(self.catalogue.count("/east/deeper/cat"), 0)


class Limits(Harvest):
    park = {"items_max": 10}
    allowed = Depth.allowed

    def fill(self):
        self.catalogue.list("/cat", *(item(f"/lots/{n}") for n in range(5000)))
        for n in range(5000):
            self.catalogue.put(f"/lots/{n}", str(n))

    def test_more_items_than_allowed_are_left_out(self):
        self.wait_arrived("lots/9")
        self.wait_counter("items_over_limit", 1)
        wait_until(lambda: self.counters().get("resources") == 10, "ten resources are told")
        self.assertEqual(self.catalogue.count("/lots/10"), 0)


class Devices(Harvest):
    """A route says whom it takes a resource for."""
    park = {"host_in_path": True}

    def configuration(self, **changes):
        settings = super().configuration(**changes)
        settings["routes"] = Groups([
            {"name": "telemetry", "from": "park", "match": "{host}/lots/{lot}/{path}", "source_device": "{host}-lot-{lot}",
             "to": "cloud", "address": "up/{device}/{path}"},
        ])
        return settings

    def test_the_device_is_the_one_of_the_route(self):
        first = self.subscriber.wait_for(1, lambda m: m.topic == "up/localhost-lot-7/free")[0]
        self.assertEqual((first.device, first.payload), ("localhost-lot-7", "12"))


class Reload(Harvest):
    allowed = [r"reload"]

    def test_a_reload_takes_over_what_is_wanted(self):
        self.wait_arrived("lots/8/free")
        pid = self.gateway.pid("park")
        settings = self.configuration_now
        settings["endpoints"][0]["content_types"] = ["text/*"]
        self.gateway.configure(settings)
        self.gateway.ctl("reload")
        wait_until(lambda: self.counters().get("resources") == 1, "one resource is left")
        self.catalogue.put("/lots/7/free", "11")
        self.assertEqual([m.payload for m in self.wait_arrived("lots/7/free", 2)], ["12", "11"])
        self.assertEqual(self.gateway.pid("park"), pid)

    def configuration(self, **changes):
        self.configuration_now = super().configuration(**changes)
        return self.configuration_now


class Filters(Harvest):
    park = {"take": ["urn:X-hypercat:rels:hasDescription:en *free*"], "leave": ["secret *"], "content_types": ["text/*"]}

    def fill(self):
        self.catalogue.list("/cat", item("/lots/7/free"), item("/lots/8/free", "application/json"), item("/lots/9/full"),
                            item("/lots/10/free", "text/plain", cats.pair("secret", "yes")), item("/lots/11/free"))
        for n in 7, 8, 10:
            self.catalogue.put(f"/lots/{n}/free", str(n))
        self.catalogue.put("/lots/11/free", "x", "image/png")

    def test_only_the_items_that_are_wanted_are_taken(self):
        self.wait_arrived("lots/7/free")
        self.wait_counter("items_left", 4)
        self.assertEqual(self.arrived("lots/11/free"), [])
        self.assertEqual({path for path, _ in self.catalogue.asked} - {"/lots/11/free"}, {"/cat", "/lots/7/free"})


class Hostile(Harvest):
    park = {"catalogue_max_bytes": 65536, "timeout_s": 3}
    allowed = [r'catalogue "https://localhost:\d+/\S+" was not read', r'entries of "\S+" lead elsewhere', r'no reading of "',
               r'"\S+" does not serve', r"entries of the catalogues were left out by the limits"]

    def good_still_arrives(self):
        """Whatever goes on beside it."""
        before = len(self.arrived("lots/7/free"))
        self.catalogue.put("/lots/7/free", f"{time.monotonic_ns()}")
        self.wait_arrived("lots/7/free", before + 1)

    def nest(self, path, page):
        self.catalogue.pages[path] = page
        self.catalogue.list("/cat", item("/lots/7/free"), nested(path))
        wait_until(lambda: self.catalogue.count(path) >= 2, f"{path} was asked for, and again")
        wait_until(lambda: self.counters().get("catalogues_failed", 0) >= 1, "and has failed")
        self.good_still_arrives()

    def test_a_catalogue_of_100_mb(self):
        self.nest("/huge", cats.huge(100 << 20))

    def test_a_catalogue_that_says_it_has_100_mb(self):
        self.nest("/huge", cats.huge(100 << 20, with_length=True))

    def test_a_catalogue_of_10000_levels(self):
        self.nest("/deep", (TYPE, b'{"items":' + b"[" * 10000 + b"]" * 10000 + b"}"))

    def test_a_catalogue_that_is_broken(self):
        self.nest("/broken", (TYPE, b'{"items":[{"href":"/a"'))

    def test_a_catalogue_of_other_types(self):
        self.nest("/types", (TYPE, b'{"items":{"href":7}}'))

    def test_a_catalogue_that_leads_to_another(self):
        self.catalogue.list("/target", item("/lots/8/free"))
        self.nest("/redirect", cats.redirect("/target"))
        self.nest("/redirect2", cats.redirect("file:///etc/passwd"))
        self.assertEqual(self.catalogue.count("/target"), 0)

    def test_a_body_without_end_and_one_that_is_slow(self):
        self.catalogue.pages["/endless"] = cats.endless(self.catalogue)
        self.catalogue.pages["/slow"] = cats.slow(self.catalogue)
        self.catalogue.list("/cat", item("/lots/7/free"), item("/endless"), item("/slow"))
        wait_until(lambda: self.catalogue.count("/endless") >= 2 and self.catalogue.count("/slow") >= 2, "both were asked for")
        self.wait_counter("failed_polls", 2)
        self.good_still_arrives()
        self.assertEqual(self.arrived("endless") + self.arrived("slow"), [])

    def test_hrefs_to_elsewhere_are_refused(self):
        hrefs = ["file:///etc/passwd", "http://localhost/x", "ftp://localhost/x", "https://10.1.2.3/x", "https://[::1]/x",
                 "https://169.254.169.254/latest/meta-data", "gopher://x/", "https://user:password@localhost/", "javascript:x",
                 "//example.com/x", "https://localhost:1/x", "https://127.1/x"]
        self.catalogue.list("/cat", item("/lots/7/free"), *(item(href) for href in hrefs), nested("https://example.org/cat"))
        self.wait_counter("refused_schemes", 5)
        self.wait_counter("refused_hosts", 6)
        self.good_still_arrives()
        wait_until(lambda: self.counters().get("resources") == 2, "two resources are told")  # https://127.1/x is 127.0.0.1, which is allowed here

    def test_a_resource_that_asks_for_patience_gets_it(self):
        self.catalogue.pages["/busy"] = cats.later(5)
        self.catalogue.list("/cat", item("/busy"))
        wait_until(lambda: self.catalogue.count("/busy") >= 2, "it was asked for, and again")
        first, second = [at for path, at in self.catalogue.times if path == "/busy"][:2]
        self.assertGreater(second - first, 4.9)


class Loopback(Harvest):
    """The catalogue's own host is allowed by its name, but that leads to the loopback interface."""
    park = {"hosts": []}
    links = ["cloud"]
    allowed = [r'"localhost:\d+" does not serve \(its address (127\.0\.0\.1|::1) is loopback']

    def test_a_name_that_leads_to_the_loopback_interface_is_refused(self):
        self.wait_counter("refused_addresses")
        self.assertEqual(self.catalogue.asked, [])
        self.assertEqual(self.gateway.endpoint("park")["link"], "down")


class Strangers(Harvest):
    server = {"certificate": "gateway"}  # issued under devices-ca
    links = ["cloud"]
    allowed = [r'"localhost:\d+" does not serve \(certificate verify failed']

    def test_a_server_without_a_good_certificate_gets_nothing(self):
        self.wait_counter("catalogues_failed", 2)
        self.assertEqual(self.catalogue.asked, [])


class Kills(Harvest):
    allowed = [r"cloud: ", r"park: "]  # it says what died

    def test_the_process_is_killed(self):
        self.wait_arrived("lots/7/free")
        os.kill(self.gateway.pid("park"), signal.SIGKILL)
        self.catalogue.put("/lots/7/free", "11")
        wait_until(lambda: [m.payload for m in self.arrived("lots/7/free")][-1] == "11", "the new value arrives")

    def test_whatever_is_killed_the_last_state_arrives(self):
        chance = random.Random(time.time_ns())
        for number in range(KILLS):
            self.wait_arrived("lots/7/free")
            timer = threading.Timer(chance.uniform(0, 1.2), self.catalogue.put, ("/lots/7/free", f"state {number}"))
            timer.start()
            time.sleep(chance.uniform(0, 1.2))  # the random moment
            victim = ("park", "cloud", "core")[number % 3]
            if victim == "core":
                self.gateway.kill()
                self.gateway.start()
            else:
                os.kill(wait_until(lambda name=victim: self.gateway.pid(name), f"'{victim}' runs"), signal.SIGKILL)
            timer.join()
            wait_until(lambda n=number: f"state {n}" in [m.payload for m in self.arrived("lots/7/free")], f"state {number} arrives")
        states = [m.payload for m in self.arrived("lots/7/free") if m.payload.startswith("state")]
        firsts = list(dict.fromkeys(states))
        self.assertEqual(firsts, [f"state {n}" for n in range(KILLS)])

    def test_the_server_goes_and_comes_back(self):
        self.wait_arrived("lots/7/free")
        port, pages = self.catalogue.port, self.catalogue.pages
        self.catalogue.close()
        wait_until(lambda: self.gateway.endpoint("park")["link"] == "down", "the link is down")
        self.catalogue = Catalogue(self.pki, port=port)
        self.catalogue.pages = pages
        self.catalogue.put("/lots/7/free", "13")
        wait_until(lambda: self.arrived("lots/7/free")[-1].payload == "13", "the new value arrives")
        self.wait_link("park")


class Chain(GatewayCase):
    """Two gateways: what sensors hand in at the one, the other finds in its catalogue and sends to the cloud."""
    links = ["cloud", "park"]
    allowed = [r"park: ", r'"localhost:\d+" does not serve']

    def configuration(self, **changes):
        self.port = free_port()
        settings = super().configuration(**changes)
        field, cloud = settings["endpoints"]
        self.first = Gateway(self.folder / "first", {
            "gateway": {"name": "roof", "site": "plant-7"},
            "endpoints": Groups([field, {
                "name": "catalogue", "adapter": "hypercat", "listen": f"https://127.0.0.1:{self.port}",
                "certificate": self.pki.certificate("broker"), "key": self.pki.key("broker"),
            }]),
            "routes": Groups([{"name": "shown", "from": "field", "match": "{path}", "to": "catalogue", "address": "{path}"}]),
            "profiles": Groups([{"name": "readers", "devices": ["hall-3"], "reads": ["*/{path}"], "paths": ["nothing"]}]),
        })
        self.addCleanup(self.first.close)
        self.first.start()
        token = self.folder / "token"
        token.touch(mode=0o600)
        key = self.first.ctl("device", "add", "hall-3", "--psk", "--endpoint", "catalogue")["key"]
        token.write_text(f"hall-3:{key}\n", encoding="ascii")
        settings["endpoints"] = Groups([
            {"name": "park", "adapter": "hypercat_client", "catalogues": [f"https://localhost:{self.port}/cat"],
             "hosts": ["127.0.0.1"], "trust": self.pki.certificate("cloud-ca"), "token": token, "harvest_interval_s": 1,
             "poll_interval_s": 1, "backoff_min_ms": 100, "backoff_max_s": 1},
            cloud,
        ])
        settings["routes"] = Groups([
            {"name": "telemetry", "from": "park", "match": "readings/{sensor}/{path}", "source_device": "{sensor}",
             "to": "cloud", "address": "up/{device}/{path}"},
        ])
        return settings

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.first.stop(), 0, "the first gateway did not end well")
        unexpected = [line for line in self.first.complaints() if not re.search(r"catalogue: |no seccomp", line)]
        self.assertEqual(unexpected, [])

    def sensor(self, name):
        return Sensor(name, self.coap_port, key=self.first.add_text_psk(name, "field"))

    def expect(self, device, path, payload):
        def found():
            return [m for m in self.subscriber.messages() if m.topic == f"up/{device}/{path}" and m.payload == payload]
        message = wait_until(found, f"{payload} of {device} at {path} arrives")[0]
        self.assertEqual(message.device, device)
        return message

    def test_readings_go_from_gateway_to_gateway(self):
        pump, tank = self.sensor("pump-1"), self.sensor("tank 2")
        self.assertEqual(pump.post("temperature", "21.5", content_format=0).code, "2.04")
        self.assertEqual(tank.post("level/now", "[1]", content_format=50).code, "2.04")
        self.expect("pump-1", "temperature", "21.5")
        self.assertEqual(self.expect("tank 2", "level/now", "[1]").content_type, "application/json")
        os.kill(wait_until(lambda: self.first.pid("catalogue"), "the server runs"), signal.SIGKILL)
        self.assertEqual(pump.post("temperature", "22.5", content_format=0).code, "2.04")
        self.expect("pump-1", "temperature", "22.5")
        os.kill(wait_until(lambda: self.gateway.pid("park"), "the client runs"), signal.SIGKILL)
        self.assertEqual(pump.post("temperature", "23.5", content_format=0).code, "2.04")
        self.expect("pump-1", "temperature", "23.5")
        wait_until(lambda: self.gateway.endpoint("park")["counters"].get("resources") == 2, "two resources are told")
        self.assertEqual(self.gateway.endpoint("park")["counters"]["items_malformed"], 0)


if __name__ == "__main__":
    os.environ.setdefault("TMPDIR", "/tmp")
    main()
