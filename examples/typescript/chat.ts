// A client of Lingxi: node dist/chat.js URL USER PASSWORD TO. Sends the lines of its input to TO, prints what comes.
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import WebSocket from "ws";

const [url = "", username = "", password = "", to = ""] = process.argv.slice(2);
const waiting = new Map<string, object>(); // messages without an ACK, in the order in which they were said
const cursors = new Map<string, number>(); // the last entry of each conversation that was shown
const asked = new Map<string, number>(); // behind which entry something was missing, and was asked for
let [ws, ended, wait, tries]: [WebSocket | undefined, boolean, number, number] = [undefined, false, 0, 0];

const post = (path: string, body: object) => fetch(`${url}/api/v1/${path}`,
  { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
const send = (frame: object) => ws?.readyState === WebSocket.OPEN && ws.send(JSON.stringify(frame));
const leave = () => { if (ended && waiting.size === 0) { ws?.close(); } };

function heard(frame: any) {
  const { type, event, conversation: key, seq } = frame;
  if (type === 3 && waiting.delete(frame.msg_id)) {
    console.log(frame.status, frame.message ?? "");
    leave();
  } else if (event === "drain") { // the server goes away, and says when to come back
    wait = frame.reconnect_in_ms;
  } else if (event === "gap") { // more is missing than is pushed at once
    for (const gap of frame.conversations) if (!cursors.has(gap.conversation)) cursors.set(gap.conversation, gap.after);
    send({ type: 7, cursors: Object.fromEntries(frame.conversations.map((g: any) => [g.conversation, cursors.get(g.conversation)])) });
  } else if (key && frame.id && seq > (cursors.get(key) ?? 0)) { // an entry that is new here
    const last = cursors.get(key) ?? seq - 1;
    if (seq > last + 1 && asked.get(key) !== last) { // those before it come first, if there are any
      asked.set(key, last);
      return send({ type: 7, cursors: { [key]: last } });
    }
    cursors.set(key, seq);
    if (type === 2 || type === 4) {
      console.log(`${frame.from}: ${frame.content}`);
      send({ type: 8, conversation: key, seq, kind: "read" });
    }
  }
}

function open(token: string) {
  ws = new WebSocket(`${url.replace("http", "ws")}/api/v1/ws`, { headers: { Authorization: `Bearer ${token}` } });
  ws.on("error", () => {}); // it is closed, too
  ws.on("message", (text) => { tries = 0; heard(JSON.parse(text.toString())); });
  ws.on("open", () => {
    if (cursors.size > 0) send({ type: 7, cursors: Object.fromEntries(cursors) });
    for (const frame of waiting.values()) send(frame);
    leave();
  });
  ws.on("close", (code) => {
    if (code === 4001 || code === 4002) { console.error(code === 4001 ? "log in again" : "connected elsewhere"); process.exit(1); }
    if (ended && waiting.size === 0) process.exit(0);
    setTimeout(open, wait || Math.random() * Math.min(10_000, 250 * 2 ** tries++), token);
    wait = 0;
  });
}

const made = await post("user/register", { username, password });
if (!made.ok && made.status !== 409) throw new Error(await made.text()); // 409: there is such an account
const session = await post("user/login", { username, password });
if (!session.ok) throw new Error(await session.text());
open((await session.json()).token);
for await (const line of createInterface({ input: process.stdin })) {
  const frame = { type: 2, msg_id: randomUUID(), to, content: line };
  waiting.set(frame.msg_id, frame); // it is repeated on the next connection if this one breaks
  send(frame);
}
ended = true;
leave();
