"""The original design as a peer to measure against: one FastAPI process, one in-memory hub.

A competent version of it, not a strawman: SQLAlchemy 2 async on SQLite with WAL and synchronous=FULL (what an ACK
promises must be on disk, as in Lingxi), Core statements without ORM overhead, users cached in memory, a JSON frame encoded once
for both sockets, bcrypt off the event loop. What makes it the original design is kept: each message is saved in a
transaction of its own by the socket's coroutine, then pushed through a dict of username -> WebSocket, then acknowledged.
"""

import asyncio
import json
import os
import time
from contextlib import asynccontextmanager

import bcrypt
import jwt
from fastapi import FastAPI, HTTPException, WebSocket, WebSocketDisconnect
from pydantic import BaseModel
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

DATABASE = os.environ.get("HUB_DATABASE", "hub.db")
SECRET = os.environ.get("HUB_JWT_SECRET", "a secret of the benchmark's peer, not of anything real")
BCRYPT_COST = int(os.environ.get("HUB_BCRYPT_COST", "4"))

metadata = MetaData()
users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("username", String(32), nullable=False, unique=True),
    Column("password", String(60), nullable=False),
    Column("nickname", String(64), nullable=False),
)
messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation", String(64), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("sender", String(32), nullable=False),
    Column("msg_id", String(64), nullable=False),
    Column("content", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("messages_log", "conversation", "seq", unique=True),
    UniqueConstraint("conversation", "sender", "msg_id"),
)

# SQLite has one writer: one connection for writing, and others that read beside it. Each use of the writer ends in its own
# commit or rollback; without the pool's second rollback, a message is a trip to aiosqlite's thread cheaper.
writer = create_async_engine(
    f"sqlite+aiosqlite:///{DATABASE}", pool_size=1, max_overflow=0, pool_timeout=60, pool_reset_on_return=None
)
reader = create_async_engine(f"sqlite+aiosqlite:///{DATABASE}", pool_size=4)


@event.listens_for(writer.sync_engine, "connect")
@event.listens_for(reader.sync_engine, "connect")
def pragmas(connection, _record):
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.close()


class Hub:
    """Who is connected: one socket a user, a newer one closes the older."""

    def __init__(self) -> None:
        self.sockets: dict[str, WebSocket] = {}

    async def register(self, username: str, socket: WebSocket) -> None:
        older = self.sockets.get(username)
        self.sockets[username] = socket
        if older is not None:
            await older.close(4002)

    def unregister(self, username: str, socket: WebSocket) -> None:
        if self.sockets.get(username) is socket:
            del self.sockets[username]

    async def push(self, username: str, text: str) -> bool:
        socket = self.sockets.get(username)
        if socket is None:
            return False
        try:
            await socket.send_text(text)
            return True
        except (RuntimeError, WebSocketDisconnect):
            return False


class Conversation:
    """The next seq of a conversation, and the lock that keeps saving and pushing in its order."""

    __slots__ = ("lock", "next_seq")

    def __init__(self, next_seq: int) -> None:
        self.lock = asyncio.Lock()
        self.next_seq = next_seq


hub = Hub()
known_users: set[str] = set()
conversations: dict[str, Conversation] = {}
loading = asyncio.Lock()
save_message = insert(messages)


@asynccontextmanager
async def lifespan(_app: FastAPI):
    async with writer.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield
    await writer.dispose()
    await reader.dispose()


app = FastAPI(lifespan=lifespan, openapi_url=None)


class Credentials(BaseModel):
    username: str
    password: str


def token_for(username: str) -> str:
    now = int(time.time())
    claims = {"sub": username, "username": username, "role": "user", "iat": now, "exp": now + 86400}
    return jwt.encode(claims, SECRET, algorithm="HS256")


@app.post("/api/v1/user/register")
async def register(body: Credentials):
    salt = bcrypt.gensalt(BCRYPT_COST)
    hashed = await asyncio.to_thread(bcrypt.hashpw, body.password.encode(), salt)
    row = {"username": body.username, "password": hashed.decode(), "nickname": body.username}
    try:
        async with writer.begin() as connection:
            await connection.execute(insert(users), row)
    except IntegrityError:
        raise HTTPException(409, "username_taken") from None
    return {"message": "register success"}


@app.post("/api/v1/user/login")
async def login(body: Credentials):
    async with reader.connect() as connection:
        hashed = await connection.scalar(select(users.c.password).where(users.c.username == body.username))
    if hashed is None or not await asyncio.to_thread(bcrypt.checkpw, body.password.encode(), hashed.encode()):
        raise HTTPException(401, "invalid_credentials")
    return {"token": token_for(body.username)}


async def user_exists(username: str) -> bool:
    if username in known_users:
        return True
    async with reader.connect() as connection:
        found = await connection.scalar(select(users.c.id).where(users.c.username == username))
    if found is not None:
        known_users.add(username)
    return found is not None


async def conversation_of(key: str) -> Conversation:
    if key not in conversations:
        async with loading:
            if key not in conversations:
                async with reader.connect() as connection:
                    head = await connection.scalar(
                        select(func.max(messages.c.seq)).where(messages.c.conversation == key)
                    )
                conversations[key] = Conversation((head or 0) + 1)
    return conversations[key]


def encode(frame: dict) -> str:
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


async def private_message(sender: str, frame: dict) -> dict:
    """Saves, pushes to the recipient, echoes to the sender; the ACK to send."""
    msg_id, to, content = frame["msg_id"], frame["to"], frame["content"]
    if not await user_exists(to):
        return {"type": 3, "msg_id": msg_id, "status": "failed", "reason": "user_not_found"}
    key = "d:" + ":".join(sorted((sender, to)))
    conversation = await conversation_of(key)
    async with conversation.lock:
        row = {
            "conversation": key,
            "seq": conversation.next_seq,
            "sender": sender,
            "msg_id": msg_id,
            "content": content,
            "created_at": time.time_ns() // 1_000_000,
        }
        try:
            async with writer.begin() as connection:
                result = await connection.execute(save_message, row)
        except IntegrityError:
            return await first_answer(key, sender, msg_id)
        conversation.next_seq += 1
        message_id = result.inserted_primary_key[0]
        text = encode(
            {
                "type": 2,
                "id": message_id,
                "seq": row["seq"],
                "conversation": key,
                "msg_id": msg_id,
                "from": sender,
                "to": to,
                "content": content,
                "created_at": row["created_at"],
            }
        )
        delivered = await hub.push(to, text)
        if to != sender:
            await hub.push(sender, text)
    status = "delivered" if delivered else "stored"
    return {"type": 3, "msg_id": msg_id, "status": status, "id": message_id, "seq": row["seq"]}


async def first_answer(key: str, sender: str, msg_id: str) -> dict:
    """A repeated message is answered with the id and seq of the first."""
    where = (messages.c.conversation == key) & (messages.c.sender == sender) & (messages.c.msg_id == msg_id)
    async with reader.connect() as connection:
        row = (await connection.execute(select(messages.c.id, messages.c.seq).where(where))).one()
    return {"type": 3, "msg_id": msg_id, "status": "stored", "id": row.id, "seq": row.seq}


async def answer(username: str, text: str) -> dict:
    try:
        frame = json.loads(text)
        kind, msg_id = frame["type"], str(frame.get("msg_id", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return {"type": 3, "msg_id": "", "status": "failed", "reason": "invalid_request"}
    if kind == 1:
        return {"type": 3, "msg_id": msg_id, "status": "received"}
    texts = [frame.get(field) for field in ("msg_id", "to", "content")]
    if kind != 2 or not all(isinstance(text, str) and text for text in texts):
        return {"type": 3, "msg_id": msg_id, "status": "failed", "reason": "invalid_request"}
    return await private_message(username, frame)


@app.websocket("/api/v1/ws")
async def websocket(socket: WebSocket, token: str = ""):
    await socket.accept()
    try:
        username = jwt.decode(token, SECRET, algorithms=["HS256"])["username"]
    except (jwt.InvalidTokenError, KeyError):
        await socket.close(4001)
        return
    await hub.register(username, socket)
    try:
        while True:
            ack = await answer(username, await socket.receive_text())
            await socket.send_text(encode(ack))
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        hub.unregister(username, socket)
