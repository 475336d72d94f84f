"""Follows the stream at a URL over SSE with httpx until it is told the end.

It writes as the scripts in ../node do, for which app.mjs says how:
python3 follow-httpx.py URL json|text
"""

import json
import sys
import time

import httpx

url, content = sys.argv[1:]
report = {"opens": 0, "gaps": 0, "reason": "", "stopped": ""}
last_id = None


def take(kind, data):
    if kind == "stream-gap":
        report["gaps"] += 1
    elif kind == "stream-closed":
        report["reason"] = json.loads(data)["reason"]
    else:
        sys.stdout.buffer.write(data.encode() + (b"\n" if content == "json" else b""))


def follow(client):
    global last_id
    headers = {"Accept": "text/event-stream"}
    if last_id:
        headers["Last-Event-ID"] = last_id
    with client.stream("GET", url, headers=headers) as response:
        response.raise_for_status()
        report["opens"] += 1
        rest, event_id, kind, data = "", None, "", []
        for text in response.iter_text():
            *lines, rest = (rest + text).split("\n")
            for line in lines:
                name, _, value = line.partition(": ")
                if name == "id":
                    event_id = value
                elif name == "event":
                    kind = value
                elif name == "data":
                    data.append(value)
                elif line == "":
                    last_id = event_id or last_id
                    if data:
                        take(kind, "\n".join(data))
                    if kind == "stream-closed":
                        return
                    kind, data = "", []


with httpx.Client(timeout=30) as client:
    while not report["reason"]:
        try:
            follow(client)
        except httpx.TransportError as error:
            print(error, file=sys.stderr)
            time.sleep(0.1)
sys.stdout.flush()
report["stopped"] = "stream-closed"
print(json.dumps(report), file=sys.stderr)
