"""Keeps the text of every answer that Freshet streams in a database, and how it
ended: each once and whole, whenever this program or the server is killed.

    python3 examples/database/keep.py [URL [FILE]]

docs/final-answer.md explains it.
"""

import asyncio
import json
import sqlite3
import sys

import httpx

url, file = (sys.argv[1:] + ["http://127.0.0.1:4437", "answers.db"][len(sys.argv) - 1 :])[:2]

SCHEMA = """
create table if not exists answers (
  stream text primary key,           -- as the header Freshet-Stream has it
  text   text not null default '',
  cursor text not null default '',   -- up to where text was read
  reason text                        -- how it ended; null until it has
)"""


def advance(db, stream, cursor, events):
    """Takes in events that follow cursor, in one transaction. Returns where the
    row is then, or None if it was not at cursor: another worker was faster."""
    text, at, reason = "", cursor, None
    for kind, data, event_id in events:
        at = event_id or at
        if kind == "stream-closed":
            reason = json.loads(data)["reason"]
        elif kind == "stream-gap" and json.loads(data)["resumed"] != "-1":
            return restart(db, stream)
        elif kind != "stream-gap":
            text += piece(data)
    with db:
        moved = db.execute(
            "update answers set text = text || ?, cursor = ?, reason = ? where stream = ? and cursor = ? and reason is null",
            [text, at, reason, stream, cursor],
        )
    return at if moved.rowcount else None


def restart(db, stream):
    """The store has lost some of what was read: all of it is read again."""
    with db:
        db.execute("update answers set text = '', cursor = '' where stream = ? and reason is null", [stream])


def piece(data):
    """The text in an event of chat completions, Responses or Messages, or in a chat
    completion that was not streamed; none in what is of another kind or shape."""
    try:
        event = json.loads(data)
        if event.get("type") == "response.output_text.delta":
            text = event["delta"]
        elif event.get("type") == "content_block_delta":
            text = event["delta"]["text"]
        else:
            choice = event["choices"][0]
            text = choice.get("delta", choice.get("message"))["content"]
    except (ValueError, AttributeError, LookupError, TypeError):  # such as [DONE]
        return ""
    return text if isinstance(text, str) else ""


async def arrivals(response):
    """Yields the events of a response, those together that arrive together."""
    kind = data = event_id = rest = ""
    async for text in response.aiter_text():
        *lines, rest = (rest + text).split("\n")
        events = []
        for line in lines:
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                data = f"{data}\n{value}" if data else value
            elif name == "id":
                event_id = value
            elif line == "":
                if data:
                    events.append((kind, data, event_id))
                kind = data = ""
        if events:
            yield events


async def keep(http, db, stream):
    """Follows a stream to its end."""
    with db:
        db.execute("insert or ignore into answers (stream) values (?)", [stream])
    while True:
        cursor, reason = db.execute("select cursor, reason from answers where stream = ?", [stream]).fetchone()
        if reason:
            print(stream, reason, flush=True)
            return
        headers = {"Accept": "text/event-stream"}
        if cursor:
            headers["Last-Event-ID"] = cursor
        try:
            async with http.stream("GET", f"{url}/v1/stream/{stream}", headers=headers) as response:
                if response.status_code == 404:
                    advance(db, stream, cursor, [("stream-closed", '{"reason": "deleted"}', "")])
                elif response.is_success:
                    async for events in arrivals(response):
                        cursor = advance(db, stream, cursor, events)
                        if cursor is None:
                            break
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.5)


async def streams(http):
    """Yields the names of all answers that there are."""
    after = ""
    while after is not None:
        query = {"prefix": "gen/", "after": after, "limit": 1000}
        response = await http.get(f"{url}/v1/streams", params=query)
        response.raise_for_status()
        page = response.json()
        for stream in page["streams"]:
            yield stream["stream"]
        after = page.get("after")


async def main():
    db = sqlite3.connect(file)
    db.execute(SCHEMA)
    rows = db.execute("select stream, reason from answers").fetchall()
    seen = {stream for stream, reason in rows if reason}
    timeout = httpx.Timeout(45, pool=None)  # three heartbeats
    async with httpx.AsyncClient(timeout=timeout, limits=httpx.Limits(max_connections=1000)) as http, asyncio.TaskGroup() as tasks:

        def see(stream):
            if stream not in seen:
                seen.add(stream)
                tasks.create_task(keep(http, db, stream))

        for stream, _ in rows:
            see(stream)  # even one that is not there any more
        while True:
            try:
                async for stream in streams(http):
                    see(stream)
            except httpx.HTTPError as error:
                print(error, file=sys.stderr)
            await asyncio.sleep(1)


if __name__ == "__main__":
    asyncio.run(main())
