"""Services on loopback that messages are sent to: a web hook and a mail server."""

import json
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class _Served:
    """A server that answers in a thread of its own while the block lasts."""

    server: socketserver.BaseServer

    def __enter__(self) -> Any:
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class WebHook(_Served):
    """Keeps the JSON that is posted to it."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """Keep the body and answer."""
                received.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]


class MailServer(_Served):
    """Speaks as much SMTP as a letter needs, and keeps sender, recipients and letter."""

    def __init__(self) -> None:
        self.received: list[tuple[str, list[str], bytes]] = []
        received = self.received

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                """Answer command after command; one that is not known is taken for granted."""
                sender, recipients = "", []
                self.answer("220 loopback")
                for line in self.rfile:
                    command = line.decode().strip()
                    match command.upper().partition(" ")[0]:
                        case "MAIL":
                            sender = command.partition("<")[2].partition(">")[0]
                        case "RCPT":
                            recipients.append(command.partition("<")[2].partition(">")[0])
                        case "DATA":
                            self.answer("354 go on")
                            letter = b"".join(iter(self.rfile.readline, b".\r\n"))
                            received.append((sender, recipients, letter))
                        case "QUIT":
                            self.answer("221 bye")
                            return
                    self.answer("250 fine")

            def answer(self, words: str) -> None:
                """Send one line."""
                self.wfile.write(f"{words}\r\n".encode())

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
