"""What schemathesis cannot know from the document: our formats, which refusals are facts, how not to lock itself out."""

import ipaddress
import os
import re
import zlib
from urllib.parse import urlencode

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import JsonSchemaError, RejectedPositiveData

# --- Formats of ours ---------------------------------------------------------------------------------------------

ZONES = ["UTC", "Europe/Paris", "America/Montreal", "Africa/Casablanca", "Asia/Kathmandu", "Pacific/Apia", "Etc/GMT+12"]
schemathesis.openapi.format("time-zone", st.sampled_from(ZONES))
schemathesis.openapi.format("duration", st.from_regex(r"\AP([1-9][0-9]?[DWMY]|T[1-9][0-9]?[HMS])\Z"))

# --- Refusals that no schema can foretell --------------------------------------------------------------------------

# A request that fits its schema may be refused for what is in the database, or for a rule between two members that
# is said in words. Each broken rule's code and place tell such a refusal from one that the schema should have said.
FACTS = [
    # what the database holds
    ("unknown", r"#/(.*/)?(id|user_id|contact_id|owner_id|issue_id|group_id|into|close_previous)|#/refresh_token"),  # nobody's
    ("unknown_value", r"#/(.*/)?(subject/type|action|due_in|status|contact_status|purpose|outcome|mood|channel)|#/keys/\d+"),  # no value of the picklist
    ("unknown_value", r"#/(.*/)?(types|info_used)/\d+|#/(.*/)?variables/.+|#/picklist"),
    ("unknown_variable", r"variable|#/select/filter/variable|#/(.*/)?variables/.+"),  # nobody set it up
    ("weak", r"#/(new_)?password"),  # a pattern, or well known
    ("unchanged", r"#/new_password"),
    ("not_checked", r"#/reference"),  # a check that would cost too much
    ("no_contact", r"#/(.*/)?(contact_status|close_previous)"),  # there is none to say it of
    ("inactive", r"#/(.*/)?(assignee|(groups_)?reassign_to)/id|#/owner_id"),
    ("same", r"#/((groups_)?reassign_to/id|into|contact_id)"),  # who leaves cannot take over, and nothing is merged into itself
    ("missing", r"#/keys"),  # an active value of the picklist is not named
    ("foreign", r"cursor"),
    ("wrong", r"#/current_password"),
    ("used_before", r"Idempotency-Key"),
    ("too_early", r"#/expires_at"),  # it is later by now
    ("unknown", r"#/target/(users/\d+)|#/(rule_ids|ids)/\d+|#/work_item_id"),  # no rule's, no item's, nobody's
    ("inactive", r"#/target/(id|users/\d+)"),
    ("nobody_there", r"#/target/(id|group_id)"),  # a group without members
    ("missing", r"#/ids"),  # an active rule is not named
    ("unknown_value", r"#/work_item_type|#/draft/type"),  # no type of work items
    ("origin", r"#/origins"),  # browsers write it in another way
    # a format with a range
    ("range", r"#/(.*/)?(due_(at|on)|occurred_at)"),
    ("future", r"#/occurred_at"),  # it is later by now
    # words, of which white space and signs have none
    ("invalid_value", r"q|#/select/filter/(q|number)"),
    # rules between members
    ("ambiguous", r"#/(.*/)?(due_at|issue|follow_up)|#/who|#/(.*/)?who/anonymous"),
    ("not_here", r"type|category|status|assignee"),  # an inbox shows work items, or communications
    ("required", r"#/order_id"),  # what is sold has an order
    ("required", r"#/(.*/)?(due_at|subject|(assignee|(groups_)?reassign_to)/id)|#/(set|select|key|refresh_token|duration)"),
    ("unexpected", r"#/(.*/)?(assignee|(groups_)?reassign_to)"),  # the public has no id
    ("required", r"#|#/who|#/(.*/)?(channel_other|variables/.+|follow_up|issue|complete)"),
    ("required", r"#/(rules/\d+/)?target|#/(forms|origins)"),  # of kinds of targets and keys each has its own
    ("unexpected", r"#/(rules/\d+/)?target"),
    ("repeated", r"#/(rules/\d+/)?target|#/ids/\d+"),
    ("value", r"#/(.*/)?reference/\d+"),  # each comparison takes its own
    ("too_early", r"#/(.*/)?office_hours"),
    ("not_here", r"#/(forms|origins|scopes|user_id)"),
    ("not_here", r"#/(duration|group_id)|#/(.*/)?channel_other"),  # some values have one, others do not
    ("repeated", r"sort|#/actions/\d+/issue_id"),
    # what is fetched from elsewhere, and what becomes of it
    ("not_applicable", r"#/(api_version|map)"),  # of each kind of shop its own
    ("required", r"#/(credentials|source|next|statuses|reason|contact_id|set|mapping/external_id)"),
    ("no_key", r"#/credentials"),
    ("unknown", r"#/(interaction_id|answer_id|answers/\d+)"),
    ("unknown_value", r"#/(.*/)?(work_item_type|category|type|status|statuses/\d+/transitions/\d+)"),
    ("other_type", r"#/type"),
    ("other_contact", r"#/(interaction_id|contact_id|who|work_item_id|answer_id|answers/\d+)"),
    ("not_here", r"#/(assignee|answers)"),  # what a contact sent is somebody's to answer, and answers nothing
    ("answered", r"#/answers/\d+"),
    ("not_outbound", r"#/answer_id"),
    ("not_here", r"#/(.*/)?(order_id|reason)"),
    ("ambiguous", r"#/(.*/)?(callback_at|who)"),
    ("range", r"#/(.*/)?(callback_at|callback_local)"),
    ("local_time", r"#/(.*/)?callback_local"),  # a day that no month has
    ("inactive", r"#/statuses/0/active"),
    ("repeated", r"#/statuses/\d+/(key|transitions/\d+)"),
    ("schema", r"#/reference_schema"),
    ("*", r"#/(.*/)?reference(/.*)?"),  # whatever its type says of it
    ("taken", r"#/interaction_id"),  # it belongs to another work item
    ("cron", r"#/schedule"),  # its fields have ranges
    ("language", r"#/conditions/contact/languages(/\d+)?"),
    ("required", r"#/(email|phone|name|external_id|id)"),  # a form says which
    # days and times say where a report begins and ends
    ("ambiguous", r"from|to"),
    ("range", r"from|to|created_at_(gte|lt)"),
    ("required", r"from"),
    ("too_many", r"group_by|top"),
    ("unknown_value", r"group_by"),  # a report is not split by what it counts by
    ("time_zone", r"time_zone"),
    # NUL is no text anywhere; saying so at each string would drown the document
    ("nul", r".+"),
    # patterns that every language reads have no names for characters beyond ASCII, nor for how long the whole is
    ("invisible", r".+"),
    ("blank", r".+"),
    ("phone", r"#/(.*/)?phones"),
]


def is_fact(rule):
    place = rule.get("pointer") or rule.get("parameter") or rule.get("header") or ""
    return any(code in (rule["code"], "*") and re.fullmatch(where, place) for code, where in FACTS)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    # Who asks with `fields=` for some members of each row gets those only; a schema cannot follow a parameter.
    if isinstance(failure, JsonSchemaError) and "fields" in (case.query or {}) and failure.instance_path[:-1] == ["data"]:
        return not failure._raw_message.endswith("is a required property")
    # Generated clients send null where nobody gave them a body that is optional.
    if isinstance(failure, AcceptedNegativeData) and case.body is None:
        return bool(case.operation.definition.raw["requestBody"].get("required"))
    if not isinstance(failure, RejectedPositiveData):
        return True
    rules = response.json().get("errors", [])
    return not (rules and all(is_fact(rule) for rule in rules))


# --- Keeping the run going -----------------------------------------------------------------------------------------

# Who asks must not deactivate, demote or revoke itself: somebody else stands in for them as the target. And the type of
# subject in most examples must not be retired.
STAND_INS = {"order": "domain"} | dict(pair.split("=") for pair in os.environ["CASELOAD_STAND_INS"].split())

# Values of the picklists, which the document cannot list.
WORDS = {
    "type": ["order", "customer", "vendor", "product"],
    "action": ["call"],
    "due_in": ["today", "tomorrow", "in_1_week", "in_3_months"],
    "contact_status": ["active", "overdue_account"],
    "purpose": ["sales", "credit_control"],
    "outcome": ["resolved", "no_answer"],
    "mood": ["happy", "angry"],
    "channel": ["phone", "email"],
}

# Lists of them.
LISTS = {"types": ["billing", "shipping"], "info_used": ["policy_book"]}

# What random values hardly ever name: a body that says something else does without.
WITHOUT = ["contact_id", "owner_id", "issue_id", "group_id", "close_previous", "channel_other", "variables", "answers"]

# A person and a group that can take work.
ASSIGNEES = dict(pair.split("=") for pair in os.environ["CASELOAD_ASSIGNEES"].split())

# Of these members only one may be given.
ONE_OF = [("due_in", "due_on", "due_at"), ("set", "command"), ("ids", "filter")]


def put_in_words(body):
    """Puts words and ids that exist where a valid body has random ones, one member of several, and due dates."""
    if isinstance(body, list):
        for item in body:
            put_in_words(item)
    if not isinstance(body, dict):
        return
    for name, words in WORDS.items():
        value = body.get(name)
        is_subject = name != "type" or isinstance(body.get("id"), str) and value not in ("user", "group", "public")
        if isinstance(value, str) and is_subject and not seldom(value):
            body[name] = words[zlib.crc32(value.encode("utf-8", "replace")) % len(words)]
    for name, words in LISTS.items():
        if isinstance(body.get(name), list) and not seldom(body[name]):
            body[name] = words[: len(body[name])]
    for name in WITHOUT:
        if name in body and len(body) > 1 and not seldom(body[name]):
            del body[name]
    id_of = ASSIGNEES.get(body.get("type"))
    if body.keys() <= {"type", "id"} and body.get("type") in ("user", "group", "public") and not seldom(body.get("id")):
        body["id"] = id_of
    for item in [*(body.get("action_items") or []), body.get("next")]:
        if isinstance(item, dict) and not any(item.get(name) for name in ONE_OF[0]) and not seldom(item):
            item["due_in"] = "today"
    for names in ONE_OF:
        given = [name for name in names if body.get(name) is not None]
        if not seldom(body):
            for name in given[1:]:
                del body[name]
    for value in body.values():
        put_in_words(value)


# What random text hardly ever names, and the keys that examples share; most valid requests do without.
SELDOM = {"query": ["cursor"], "headers": ["X-Act-As", "If-Match", "Idempotency-Key"]}

WAITS = {str(seconds) for seconds in range(1, 31)}


def seldom(value):
    """One in ten; the same request always means the same, or no failure could be found again."""
    return zlib.crc32(str(value).encode()) % 10 == 0


# The addresses that documentation may use.
ADDRESSES = ipaddress.ip_network("2001:db8::/32").hosts()

# Every server should understand a URL of 8,000 octets (RFC 9110, 4.1); half of it is left to the path. We do more, but
# actix-web refuses 64 KiB by itself, with an empty 400, and a filter of 10,000 characters beyond ASCII, each up to 12
# octets, is longer. The phase "coverage" does not come by here: it tries such lengths in ASCII, one at a time.
LONGEST_QUERY = 4000


@schemathesis.hook
def filter_query(context, query):
    return len(urlencode(query or {}, doseq=True)) < LONGEST_QUERY


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is not None and case.meta.generation.mode.is_positive:
        body = case.body if isinstance(case.body, (dict, list)) else None
        for container, names in SELDOM.items():
            values = getattr(case, container) or {}
            for name in names:
                if name in values and not seldom((values[name], case.query, body)):
                    del values[name]
        put_in_words(body)
    if case.method.upper() not in ("GET", "HEAD", "OPTIONS"):
        for name, value in case.path_parameters.items():
            case.path_parameters[name] = STAND_INS.get(value, value)
    # No need to wait for an event that does not come, up to half a minute each time.
    if case.path == "/v1/events" and str((case.query or {}).get("wait")) in WAITS:
        case.query["wait"] = int(seldom(case.query))
    # Failed sign-ins are counted by address; each comes from one of its own.
    case.headers["X-Forwarded-For"] = str(next(ADDRESSES))
