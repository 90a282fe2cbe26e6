"""What schemathesis cannot know: credentials, and identifiers of things that exist.

Half of the requests get them, so that they come past the first checks; the others stay as they were generated.
RUBRICA_FUZZ is JSON: {"credentials": {scheme: token}, "things": [{schema of an identifier: identifier}]}, where the members of
one entry of `things` belong together.
"""

import json
import os
import random

import schemathesis

WORLD = json.loads(os.environ["RUBRICA_FUZZ"])
CHANCE = random.Random(1)

# Members of bodies that hold identifiers, and of which kind.
MEMBERS = {
    "document_id": "DocumentId",
    "documents": "DocumentId",
    "key_id": "KeyId",
    "order_id": "OrderId",
    "participant_id": "ParticipantId",
}

# A CPF with right check digits, of nobody.
IDENTIFIER = "52998224725"


@schemathesis.hook
def before_call(context, case, kwargs):
    raw = case.operation.definition.raw
    known = [scheme for way in raw.get("security", []) for scheme in way if scheme in WORLD["credentials"]]
    if known and CHANCE.random() < 0.95:
        case.headers["authorization"] = f"Bearer {WORLD['credentials'][CHANCE.choice(known)]}"
    if CHANCE.random() < 0.5:
        return
    things = CHANCE.choice(WORLD["things"])
    for parameter in raw.get("parameters", []):
        kind = parameter.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
        if parameter["in"] == "path" and kind in things:
            case.path_parameters[parameter["name"]] = things[kind]
    # A long poll of twenty seconds finds nothing that a short one does not.
    if case.query and isinstance(case.query.get("wait_ms"), int):
        case.query["wait_ms"] = case.query["wait_ms"] % 50
    fill(case.body, things)


def fill(body, things):
    """Puts identifiers that exist where the body has identifiers, at any depth."""
    if isinstance(body, list):
        for item in body:
            fill(item, things)
    if not isinstance(body, dict):
        return
    for name, value in body.items():
        known = things.get(MEMBERS.get(name))
        if known and isinstance(value, list):
            body[name] = [known]
        elif known:
            body[name] = known
        elif name == "identifier":
            body[name] = IDENTIFIER
        else:
            fill(value, things)
