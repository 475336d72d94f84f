"""Follows the stream at a URL with websockets until it is told the end.

It writes as the scripts in ../node do, for which app.mjs says how:
python3 follow-websockets.py URL json|text
"""

import asyncio
import json
import sys

import websockets

url, content = sys.argv[1:]
report = {"opens": 0, "gaps": 0, "reason": "", "stopped": ""}
offset = None


def take(message):
    global offset
    for record in message.get("records", []):
        data = record["data"]
        if content == "json":
            data = json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n"
        sys.stdout.buffer.write(data.encode())
        offset = record["offset"]
    if message["op"] == "gap":
        report["gaps"] += 1
    if message["op"] == "closed":
        report["reason"] = message["reason"]


async def follow():
    async for socket in websockets.connect(
        url.replace("http", "ws", 1), subprotocols=["freshet.v1.json"], max_size=None
    ):
        report["opens"] += 1
        try:
            await socket.send(json.dumps({"op": "follow", "id": 1, **({"offset": offset} if offset else {})}))
            async for raw in socket:
                take(json.loads(raw))
                if report["reason"]:
                    await socket.close()
                    return str(socket.close_code)
        except websockets.ConnectionClosed as error:
            print(error, file=sys.stderr)


report["stopped"] = asyncio.run(follow())
sys.stdout.flush()
print(json.dumps(report), file=sys.stderr)
