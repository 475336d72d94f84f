"""A chat in the terminal, through Freshet, with httpx. It goes on with an answer
that was cut, and Ctrl-C stops the answer, at the model too.

    python3 examples/python/chat.py [URL [MODEL]]
"""

import json
import signal
import sys
import time
import uuid

import httpx

url, model = (sys.argv[1:] + ["http://127.0.0.1:4437", "demo"][len(sys.argv) - 1 :])[:2]


def events(response):
    """The server-sent events of a response, as pairs of id and data."""
    event_id = data = ""
    rest = ""
    for text in response.iter_text():
        *lines, rest = (rest + text).split("\n")
        for line in lines:
            name, _, value = line.partition(": ")
            if name == "id":
                event_id = value
            elif name == "data":
                data = value
            elif line == "" and data:
                yield event_id, data
                data = ""


def ask(client, messages):
    """Prints the answer to the last message as it comes, and returns it."""
    # With one key, every request for it is the same question: asked once.
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    body = {"model": model, "stream": True, "messages": messages}
    stream, stopped, said = "", False, ""

    def stop(*_):
        nonlocal stopped
        stopped = True
        signal.signal(signal.SIGINT, signal.default_int_handler)  # for a second Ctrl-C
        if stream:
            close(stream)

    signal.signal(signal.SIGINT, stop)
    while True:
        try:
            with client.stream("POST", f"{url}/v1/chat/completions", json=body, headers=headers) as response:
                if response.status_code < 500 and response.status_code != 429:
                    if response.is_error:
                        sys.exit(response.read().decode())
                    stream = response.headers["Freshet-Stream"]
                    if stopped:
                        close(stream)
                    for event_id, data in events(response):
                        headers["Last-Event-ID"] = event_id
                        if data == "[DONE]":
                            return said
                        chunk = json.loads(data)
                        if "error" in chunk:
                            print(f"\n[{chunk['error']['message']}]", file=sys.stderr)
                            return said
                        for choice in chunk["choices"]:
                            text = choice["delta"].get("content") or ""
                            print(text, end="", flush=True)
                            said += text
        except httpx.TransportError:
            pass
        time.sleep(0.5)


def close(stream):
    """To stop an answer is to close its stream, which every reader is told."""
    headers = {"Stream-Closed": "true", "Freshet-Close-Reason": "cancelled"}
    httpx.post(f"{url}/v1/stream/{stream}", headers=headers)


def main():
    messages = []
    with httpx.Client(timeout=45) as client:  # three heartbeats
        while True:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            print("\n> ", end="", file=sys.stderr, flush=True)
            question = sys.stdin.readline()
            if not question:
                return
            messages.append({"role": "user", "content": question.strip()})
            messages.append({"role": "assistant", "content": ask(client, messages)})


if __name__ == "__main__":
    main()
