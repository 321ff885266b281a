"""The first hour with Caseload, with a client generated from its OpenAPI document: a team, notes,
queues, a dashboard, and a leaver. The README beside this file says how to run it."""

import os
import secrets
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from caseload_client import AuthenticatedClient, Client
from caseload_client.api.action_items import (
    claim_action_item,
    complete_action_item,
    create_action_item,
    release_action_item,
    reopen_action_item,
    snooze_action_item,
)
from caseload_client.api.auth import create_token
from caseload_client.api.dashboard import read_dashboard
from caseload_client.api.groups import add_group_member, create_group, list_groups
from caseload_client.api.notes import create_note
from caseload_client.api.offboarding import offboard_user
from caseload_client.api.queues import claim_next_item, list_queue_items, list_queues
from caseload_client.api.reports import list_orphaned_work
from caseload_client.api.subjects import list_subject_timeline
from caseload_client.api.users import create_user, read_me, update_user
from caseload_client.models import (
    AssigneeRef,
    AssigneeType,
    CreatedNoteView,
    DueInput,
    GroupView,
    ListQueueItemsView,
    NewActionItem,
    NewGroup,
    NewNote,
    NewUser,
    Offboarding,
    Problem,
    Role,
    SignIn,
    Status,
    Subject,
    UserPatch,
    UserView,
)

BASE = os.environ.get("BASE", "http://127.0.0.1:8080")
ADMIN_EMAIL = os.environ.get("ADMIN_EMAIL", "admin@localhost")
ADMIN_PASSWORD = os.environ["ADMIN_PASSWORD"]
STAFF_PASSWORD = os.environ.get("STAFF_PASSWORD") or secrets.token_hex(16)

T = TypeVar("T")

# --- Helpers -------------------------------------------------------------------------------------


def log(response: httpx.Response) -> None:
    request = response.request
    print(f"  {response.status_code}  {request.method:5} {urlsplit(str(request.url)).path}")


# Whatever the document does not know is an exception; what it knows comes back typed.
SETTINGS = {"event_hooks": {"response": [log]}}
stranger = Client(base_url=BASE, raise_on_unexpected_status=True, httpx_args=SETTINGS)


def good(answer: T | Problem | None) -> T:
    """What came back; a problem is raised."""
    if answer is None:
        raise SystemExit("an answer without a body")
    if isinstance(answer, Problem):
        raise SystemExit(f"{answer.status} {answer.code}: {answer.detail}")
    return answer


def refused(status: int, code: str, answer: object) -> Problem:
    """The problem that must come back, with this status and code."""
    assert isinstance(answer, Problem), answer
    assert (answer.status, answer.code) == (status, code), answer
    return answer


def sign_in(email: str, password: str) -> AuthenticatedClient:
    tokens = good(create_token.sync(client=stranger, body=SignIn(email=email, password=password)))
    return AuthenticatedClient(
        base_url=BASE, token=tokens.access_token, raise_on_unexpected_status=True, httpx_args=SETTINGS
    )


def heading(text: str) -> None:
    print(f"\n{text}")


# --- The team ------------------------------------------------------------------------------------

heading("Sign in")
admin = sign_in(ADMIN_EMAIL, ADMIN_PASSWORD)
assert good(read_me.sync(client=admin)).role == Role.ADMIN

heading("Groups: Customer Service is there from the first start")
[customer_service] = good(list_groups.sync(client=admin, key="customer_service")).data


def make_group(name: str) -> GroupView:
    return good(create_group.sync(client=admin, body=NewGroup(name=name)))


shipping = make_group("Shipping")
finance = make_group("Finance")
sales = make_group("Sales")

heading("People: two agents and a manager")


def hire(email: str, name: str, role: Role, time_zone: str) -> UserView:
    new = NewUser(email=email, name=name, role=role, time_zone=time_zone, password=STAFF_PASSWORD)
    return good(create_user.sync(client=admin, body=new))


ana = hire("ana@shop.example", "Ana Ruiz", Role.AGENT, "Europe/Madrid")
ben = hire("ben@shop.example", "Ben Okafor", Role.AGENT, "Africa/Lagos")
claire = hire("claire@shop.example", "Claire Martin", Role.MANAGER, "Europe/Paris")

heading("Memberships: a group can be given work once somebody is there to do it")
for group, user in [(customer_service, ana), (shipping, ben), (finance, claire), (sales, claire)]:
    good(add_group_member.sync(group.id, user.id, client=admin))
as_ana = sign_in(ana.email, STAFF_PASSWORD)
as_ben = sign_in(ben.email, STAFF_PASSWORD)
as_claire = sign_in(claire.email, STAFF_PASSWORD)

# --- Notes and action items ----------------------------------------------------------------------

heading("Ana takes a call about order A-1001: a note and what follows from it, in one request")
call = NewNote(
    subject=Subject(type_="order", id="A-1001"),
    title="Customer called and requested rush shipping",
    body="From: buyer@customer.example\nSubject: Order A-1001\n\nCan it be here by Friday? My card was replaced last week.",
    action_items=[
        NewActionItem(
            title="Call customer to get correct credit card expiration date",
            due_in="tomorrow",
            assignee=AssigneeRef(type_=AssigneeType.USER, id=ana.id),
        ),
        NewActionItem(
            title="Follow up on shipping in 3 weeks",
            due_in="in_3_weeks",
            assignee=AssigneeRef(type_=AssigneeType.GROUP, id=shipping.id),
        ),
    ],
)
first = good(create_note.sync(client=as_ana, body=call, idempotency_key="rush-A-1001"))
assert [item.assignee.type_ for item in first.action_items] == [AssigneeType.USER, AssigneeType.GROUP]

heading("The same once more, as after a lost answer: nothing is written twice")
again = create_note.sync_detailed(client=as_ana, body=call, idempotency_key="rush-A-1001")
assert isinstance(again.parsed, CreatedNoteView) and again.parsed.id == first.id
assert again.headers["Idempotency-Replayed"] == "true"

heading("Notes on a vendor, a product and a domain")
for kind, name, title in [
    ("vendor", "V-17", "Vendor quoted $150 for international shipping"),
    ("product", "P-204", "Two customers asked for a larger size"),
    ("domain", "shop.example", "The certificate was renewed"),
]:
    good(create_note.sync(client=as_ana, body=NewNote(subject=Subject(type_=kind, id=name), title=title)))

heading("An action item for whoever comes first")
photographs = good(
    create_action_item.sync(
        client=as_ana,
        body=NewActionItem(
            subject=Subject(type_="product", id="P-204"),
            title="Take new photographs",
            due_in="today",
            assignee=AssigneeRef(type_=AssigneeType.PUBLIC),
        ),
    )
)

# --- Queues --------------------------------------------------------------------------------------

heading("Ana's queues, and everything in her own")
queues = good(list_queues.sync(client=as_ana))
assert [queue.key for queue in queues.data] == ["mine", str(customer_service.id), "public"]
mine = good(list_queue_items.sync("mine", client=as_ana, view=ListQueueItemsView.ALL))
assert [item.title for item in mine.data] == ["Call customer to get correct credit card expiration date"]

heading("Ben takes the next item of Shipping")
item = good(claim_next_item.sync(str(shipping.id), client=as_ben))
assert item.assignee.id == ben.id

heading("Claire is too late, and is told who has it")
too_late = refused(409, "already_claimed", claim_action_item.sync(item.id, client=as_claire))
assert too_late["holder"]["name"] == "Ben Okafor"

heading("Ana takes the public item")
good(claim_action_item.sync(photographs.id, client=as_ana))

# --- Working on an item --------------------------------------------------------------------------

heading("Ben completes his item, reopens it, puts it off, and gives it back to Shipping")
assert good(complete_action_item.sync(item.id, client=as_ben)).status == Status.COMPLETED
assert good(reopen_action_item.sync(item.id, client=as_ben)).status == Status.OPEN
later = good(snooze_action_item.sync(item.id, client=as_ben, body=DueInput(due_in="in_1_week")))
assert later.due_at != item.due_at
assert good(release_action_item.sync(item.id, client=as_ben)).assignee.id == shipping.id

heading("Who did what about the order, and when")
timeline = good(list_subject_timeline.sync("order", "A-1001", client=as_ben))
assert any(entry.event == "note.created" and entry.actor.name == "Ana Ruiz" for entry in timeline.data)

# --- Oversight -----------------------------------------------------------------------------------

heading("The dashboard is the managers'")
assert len(good(read_dashboard.sync(client=as_claire)).users) == 4
refused(403, "missing_scope", read_dashboard.sync(client=as_ana))

heading("Ana leaves: not while she holds open work")
refused(409, "open_work", update_user.sync(ana.id, client=admin, body=UserPatch(active=False)))

heading("Offboarding moves it all to Ben; nothing is left without an owner")
handed_over = good(
    offboard_user.sync(
        ana.id,
        client=as_claire,
        body=Offboarding(reassign_to=AssigneeRef(type_=AssigneeType.USER, id=ben.id)),
    )
)
assert handed_over.reassigned_to.id == ben.id
assert good(list_orphaned_work.sync(client=as_claire)).data == []

heading("Done.")
