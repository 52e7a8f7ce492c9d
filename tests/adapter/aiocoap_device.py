# SPDX-License-Identifier: Apache-2.0
"""A device of aiocoap that OSCORE protects: aiocoap_device.py PORT FOLDER SECRET. Observable: /count, which changes ten times a second; /kept
is what was put there."""
import asyncio
import json
import pathlib
import sys
import types

sys.modules.setdefault("lakers", types.ModuleType("lakers"))  # for EDHOC, which Debian does not have and this does not use

import aiocoap  # noqa: E402
from aiocoap import resource
from aiocoap.credentials import CredentialsMap
from aiocoap.oscore_sitewrapper import OscoreSiteWrapper


class Count(resource.ObservableResource):
    """Only for those who are protected."""

    def __init__(self):
        super().__init__()
        self.value = 0

    async def run(self):
        while True:
            await asyncio.sleep(0.1)
            self.value += 1
            self.updated_state()

    async def render_get(self, request):
        return aiocoap.Message(payload=str(self.value).encode(), content_format=0)


class Kept(resource.Resource):
    def __init__(self):
        super().__init__()
        self.payload = b""

    async def render_get(self, request):
        return aiocoap.Message(payload=self.payload)

    async def render_put(self, request):
        self.payload = request.payload
        return aiocoap.Message(code=aiocoap.CHANGED)


async def run(port, folder, secret):
    context = folder / "context"
    context.mkdir(exist_ok=True)
    (context / "settings.json").write_text(json.dumps(
        {"sender-id_hex": "02", "recipient-id_hex": "01", "secret_hex": secret, "salt_hex": "9e7ca92223786340",
         "algorithm": "AES-CCM-16-64-128", "kdf-hashfun": "sha256"}), encoding="ascii")
    credentials = CredentialsMap()
    credentials.load_from_dict({":gateway": {"oscore": {"basedir": str(context)}}})
    site = resource.Site()
    count = Count()
    site.add_resource([".well-known", "core"], resource.WKCResource(site.get_resources_as_linkheader))
    site.add_resource(["count"], count)
    site.add_resource(["kept"], Kept())
    await aiocoap.Context.create_server_context(
        OscoreSiteWrapper(site, credentials), bind=("127.0.0.1", port), server_credentials=credentials)
    print("ready", flush=True)
    await count.run()


asyncio.run(run(int(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]))
