"""A bridge in one file: chats, calls and accounts as the school tells of them, kept in memory.

    PREAU_MESSENGER_SECRET=... python docs/messenger/receiver.py 8090

A real bridge keeps what it has seen in a database, in the same transaction as what it did, and calls its
messenger where this one changes a dictionary.
"""

import hmac
import json
import os
import sys
import time
from typing import Any

from aiohttp import web

WINDOW = 300
"""Seconds that a post may be old, or its sender's clock be wrong."""


class Receiver:
    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.chats: dict[str, dict[str, Any]] = {}
        self.calls: dict[str, dict[str, Any]] = {}
        self.accounts: dict[str, str] = {}
        self.answers: dict[str, dict[str, str]] = {}

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        if not self.is_genuine(request.headers, body):
            return web.Response(status=401)
        told = json.loads(body)
        if told["id"] not in self.answers:  # else it is told again: the answer may have been lost
            self.answers[told["id"]] = self.act(told)
        return web.json_response(self.answers[told["id"]])

    def is_genuine(self, headers: Any, body: bytes) -> bool:
        timestamp = headers.get("Preau-Timestamp", "")
        if not (timestamp.isascii() and timestamp.isdigit() and abs(time.time() - int(timestamp)) <= WINDOW):
            return False
        signed = hmac.digest(self.secret.encode(), timestamp.encode() + b"." + body, "sha256").hex()
        given = headers.get("Preau-Signature", "")
        return hmac.compare_digest(f"v1={signed}".encode(), given.encode())

    def act(self, told: dict[str, Any]) -> dict[str, str]:
        match told["command"]:
            case "CREATE_CHAT" | "SET_MEMBERS" | "RENAME_CHAT":
                chat = self.chats.setdefault(told["chat"]["id"], {})
                chat |= told["chat"] | {name: told[name] for name in ("members",) if name in told}
            case "DELETE_CHAT":
                self.chats.pop(told["chat"]["id"], None)
                gone = [call["id"] for call in self.calls.values() if call["chat"] == told["chat"]["id"]]
                for call in gone:
                    del self.calls[call]
            case "DELETE_CALL":
                self.calls.pop(told["call"]["id"], None)
            case "LINK_PROFILE":
                self.accounts[told["user"]] = told["account"]
            case "UNLINK_PROFILE":
                self.accounts.pop(told["user"], None)
            case of_call:
                status = {"PUBLISH_CALL": "PUBLISHED", "FINISH_CALL": "FINISHED"}.get(of_call)
                call = self.calls.setdefault(told["call"]["id"], {"chat": told["chat"]["id"], "status": "CREATED"})
                call |= told["call"] | ({"status": status} if status else {})
        if told["command"] in ("CREATE_CHAT", "CREATE_CALL"):
            what = "chat" if told["command"] == "CREATE_CHAT" else "call"
            return {"url": f"https://messenger.example/{told[what]['id']}"}
        return {}


def application(receiver: Receiver) -> web.Application:
    app = web.Application()
    app.router.add_post("/", receiver.receive)
    return app


if __name__ == "__main__":
    bridge = Receiver(os.environ["PREAU_MESSENGER_SECRET"])
    web.run_app(application(bridge), host="127.0.0.1", port=int(sys.argv[1]))
