# SPDX-License-Identifier: Apache-2.0
"""Requests of aiocoap, one after the other, each with a line of what came of it: aiocoap_client.py PORT"""
import asyncio
import sys

import aiocoap

BASE = f"coap://127.0.0.1:{sys.argv[1]}"


async def request(context, name, code, path, payload=b"", **options):
    message = aiocoap.Message(code=code, uri=BASE + path, payload=payload)
    for option, value in options.items():
        setattr(message.opt, option, value)
    response = await context.request(message).response
    print(name, response.code.dotted, response.payload.decode())


async def run():
    context = await aiocoap.Context.create_client_context()
    await request(context, "post", aiocoap.POST, "/hall/temperature", b"21.5", content_format=0)
    await request(context, "put", aiocoap.PUT, "/a", b"1")
    await request(context, "fetch", aiocoap.FETCH, "/a", b"3")
    await request(context, "delete", aiocoap.DELETE, "/a")
    await request(context, "links", aiocoap.GET, "/.well-known/core?ct=40")
    await request(context, "whole", aiocoap.GET, "/.well-known/core")
    await request(context, "body", aiocoap.POST, "/big", b"b" * 5000)
    await context.shutdown()


asyncio.run(run())
