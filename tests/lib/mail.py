"""A mail server (TEST): aiosmtpd, which speaks SMTP, with STARTTLS or TLS and a login when asked for. It keeps nothing.

Its one argument is JSON: {"port", "tls": null | "starttls" | "implicit", "certificate", "key", "user", "password",
"answers": [...]}. Each of `answers` is the reply to one recipient, in their order; then every recipient is taken.
Prints one line of JSON once it listens, and one for each message. Ends with its standard input.
"""

import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

OPTIONS = json.loads(sys.argv[1])
ANSWERS = list(OPTIONS.get("answers", []))


def tell(**what):
    print(json.dumps(what), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if ANSWERS:
            answer = ANSWERS.pop(0)
            tell(refused=address, answer=answer)
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
        tell(
            sender=envelope.mail_from,
            recipients=envelope.rcpt_tos,
            headers=[[name, str(value)] for name, value in message.items()],
            text=parts.get("text/plain"),
            html=parts.get("text/html"),
            encrypted=session.ssl is not None or OPTIONS.get("tls") == "implicit",
            authenticated=session.authenticated,
        )
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    wanted = (OPTIONS["user"].encode(), OPTIONS["password"].encode())
    return AuthResult(success=(data.login, data.password) == wanted)


def main():
    context = None
    if OPTIONS.get("tls"):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(OPTIONS["certificate"], OPTIONS["key"])
    more = {}
    if OPTIONS.get("user"):
        more = dict(auth_required=True, authenticator=authenticate, auth_require_tls=True)
    if OPTIONS.get("tls") == "starttls":
        more.update(tls_context=context, require_starttls=True)
    if OPTIONS.get("tls") == "implicit":
        more.update(ssl_context=context)
        if OPTIONS.get("user"):
            more.update(auth_require_tls=False)
    controller = Controller(Handler(), hostname="127.0.0.1", port=OPTIONS["port"], **more)
    controller.start()
    tell(port=controller.server.sockets[0].getsockname()[1])
    sys.stdin.read()
    controller.stop()


main()
