"""A client of Lingxi: python chat.py URL USER PASSWORD TO. Sends the lines of its input to TO, prints what comes."""
import asyncio, contextlib, json, sys, threading, urllib.error, urllib.request, uuid
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

url, user, password, to = sys.argv[1:]
waiting = {}  # messages without an ACK, in the order in which they were said
cursors = {}  # the last entry of each conversation that was shown
asked = {}  # behind which entry something was missing, and was asked for
ended = False  # nothing more will be said

def post(path, **body):
    request = urllib.request.Request(f"{url}/api/v1/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))

async def heard(ws, frame):
    kind, event, key, seq = (frame.get(field) for field in ("type", "event", "conversation", "seq"))
    if kind == 3 and waiting.pop(frame["msg_id"], None):
        print(frame["status"], frame.get("message", ""), flush=True)
        if ended and not waiting: await ws.close()
    elif event == "drain":  # the server goes away, and says when to come back
        await asyncio.sleep(frame["reconnect_in_ms"] / 1000)
    elif event == "gap":  # more is missing than is pushed at once
        behind = {gap["conversation"]: cursors.setdefault(gap["conversation"], gap["after"]) for gap in frame["conversations"]}
        await send(ws, type=7, cursors=behind)
    elif key and "id" in frame and seq > (last := cursors.get(key, seq - 1)):  # an entry that is new here
        if seq > last + 1 and asked.get(key) != last:  # those before it come first, if there are any
            asked[key] = last
            return await send(ws, type=7, cursors={key: last})
        cursors[key] = seq
        if kind in (2, 4):
            print(f"{frame['from']}: {frame['content']}", flush=True)
            await send(ws, type=8, conversation=key, seq=seq, kind="read")

async def send(ws, **frame):
    with contextlib.suppress(ConnectionClosed):  # whoever reads hears of it
        await ws.send(json.dumps(frame))

async def say(ws, lines):
    global ended
    while line := None if ended else await lines.get():
        frame = {"type": 2, "msg_id": str(uuid.uuid4()), "to": to, "content": line.rstrip("\n")}
        waiting[frame["msg_id"]] = frame  # sent again on the next connection, if this one breaks
        await send(ws, **frame)
    ended = True
    if not waiting: await ws.close()

async def main():
    try: post("user/register", username=user, password=password)
    except urllib.error.HTTPError as error:
        if error.code != 409: raise  # 409: there is such an account
    bearer = {"Authorization": "Bearer " + post("user/login", username=user, password=password)["token"]}
    lines, loop = asyncio.Queue(), asyncio.get_running_loop()
    read = lambda: [loop.call_soon_threadsafe(lines.put_nowait, line) for source in (sys.stdin, [""]) for line in source]
    threading.Thread(target=read, daemon=True).start()
    async for ws in connect(url.replace("http", "ws", 1) + "/api/v1/ws", additional_headers=bearer):  # again, when it breaks
        if cursors: await send(ws, type=7, cursors=cursors)
        for frame in waiting.values(): await send(ws, **frame)
        saying = asyncio.create_task(say(ws, lines))
        try:
            async for text in ws: await heard(ws, json.loads(text))
        except ConnectionClosed: pass
        saying.cancel()
        if ws.close_code in (4001, 4002): sys.exit("log in again" if ws.close_code == 4001 else "connected elsewhere")
        if ended and not waiting: return

asyncio.run(main())
