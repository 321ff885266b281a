#!/usr/bin/env bash
# The first hour with Caseload, with curl alone: a team, notes, queues, a dashboard, and a leaver.
#
# Run it once, on a fresh database:
#
#   ADMIN_PASSWORD=… examples/curl/first-hour.sh
#
# BASE            where Caseload listens      http://127.0.0.1:8080
# ADMIN_EMAIL     the first administrator     admin@localhost
# ADMIN_PASSWORD  their password              must be given
# STAFF_PASSWORD  of the people made here     made up
#
# It ends with status 1, and shows the answer, as soon as one is not the expected one.
set -euo pipefail

# shellcheck source=examples/curl/helpers.sh
. "$(dirname "$0")/helpers.sh"

# --- The team ------------------------------------------------------------------------------------

heading "Sign in"
admin=$(token "$ADMIN_EMAIL" "$ADMIN_PASSWORD")
as "$admin"
ask 200 GET /v1/users/me

heading "Groups: Customer Service is there from the first start"
ask 200 GET '/v1/groups?key=customer_service'
only_row
customer_service=$(field id)
ask 201 POST /v1/groups '{"name":"Shipping"}'
shipping=$(field id)
ask 201 POST /v1/groups '{"name":"Finance"}'
finance=$(field id)
ask 201 POST /v1/groups '{"name":"Sales"}'
sales=$(field id)

heading "People: two agents and a manager"
password=$(text "$STAFF_PASSWORD")
ask 201 POST /v1/users "{\"email\":\"ana@shop.example\",\"name\":\"Ana Ruiz\",\"role\":\"agent\",\"password\":$password,\"time_zone\":\"Europe/Madrid\"}"
ana=$(field id)
ask 201 POST /v1/users "{\"email\":\"ben@shop.example\",\"name\":\"Ben Okafor\",\"role\":\"agent\",\"password\":$password,\"time_zone\":\"Africa/Lagos\"}"
ben=$(field id)
ask 201 POST /v1/users "{\"email\":\"claire@shop.example\",\"name\":\"Claire Martin\",\"role\":\"manager\",\"password\":$password,\"time_zone\":\"Europe/Paris\"}"
claire=$(field id)

heading "Memberships: a group can be given work once somebody is there to do it"
ask 200 PUT "/v1/groups/$customer_service/members/$ana"
ask 200 PUT "/v1/groups/$shipping/members/$ben"
ask 200 PUT "/v1/groups/$finance/members/$claire"
ask 200 PUT "/v1/groups/$sales/members/$claire"

ana_token=$(token ana@shop.example "$STAFF_PASSWORD")
ben_token=$(token ben@shop.example "$STAFF_PASSWORD")
claire_token=$(token claire@shop.example "$STAFF_PASSWORD")

# --- Notes and action items ----------------------------------------------------------------------

heading "Ana takes a call about order A-1001: a note and what follows from it, in one request"
as "$ana_token"
note='{
  "subject": {"type": "order", "id": "A-1001"},
  "title": "Customer called and requested rush shipping",
  "body": "From: buyer@customer.example\nSubject: Order A-1001\n\nCan it be here by Friday? My card was replaced last week.",
  "action_items": [
    {"title": "Call customer to get correct credit card expiration date", "due_in": "tomorrow",
     "assignee": {"type": "user", "id": "'$ana'"}},
    {"title": "Follow up on shipping in 3 weeks", "due_in": "in_3_weeks",
     "assignee": {"type": "group", "id": "'$shipping'"}}
  ]
}'
ask 201 POST /v1/notes "$note" 'Idempotency-Key: rush-A-1001'
says '"action_items":['
says 'Follow up on shipping in 3 weeks'
first=$(field id)

heading "The same once more, as after a lost answer: nothing is written twice"
ask 201 POST /v1/notes "$note" 'Idempotency-Key: rush-A-1001'
grep -qi '^Idempotency-Replayed: true' "$room/headers" || fail "The second answer is not a replay:"
[ "$(field id)" = "$first" ] || fail "The second answer is another note:"

heading "Notes on a vendor, a product and a domain"
ask 201 POST /v1/notes '{"subject":{"type":"vendor","id":"V-17"},"title":"Vendor quoted $150 for international shipping"}'
ask 201 POST /v1/notes '{"subject":{"type":"product","id":"P-204"},"title":"Two customers asked for a larger size"}'
ask 201 POST /v1/notes '{"subject":{"type":"domain","id":"shop.example"},"title":"The certificate was renewed"}'

heading "An action item for whoever comes first"
ask 201 POST /v1/action-items '{"subject":{"type":"product","id":"P-204"},"title":"Take new photographs","due_in":"today","assignee":{"type":"public"}}'
public_item=$(field id)

# --- Queues --------------------------------------------------------------------------------------

heading "Ana's queues, and everything in her own"
ask 200 GET /v1/queues
ask 200 GET '/v1/queues/mine/items?view=all'
says 'Call customer to get correct credit card expiration date'

heading "Ben takes the next item of Shipping"
as "$ben_token"
ask 200 POST "/v1/queues/$shipping/claim-next"
item=$(field id)

heading "Claire is too late, and is told who has it"
as "$claire_token"
ask 409 POST "/v1/action-items/$item/claim"
says '"code":"already_claimed"'
says 'Ben Okafor'

heading "Ana takes the public item"
as "$ana_token"
ask 200 POST "/v1/action-items/$public_item/claim"

# --- Working on an item --------------------------------------------------------------------------

heading "Ben completes his item, reopens it, puts it off, and gives it back to Shipping"
as "$ben_token"
ask 200 POST "/v1/action-items/$item/complete"
ask 200 POST "/v1/action-items/$item/reopen"
ask 200 POST "/v1/action-items/$item/snooze" '{"due_in":"in_1_week"}'
ask 200 POST "/v1/action-items/$item/release"

heading "Who did what about the order, and when"
ask 200 GET /v1/subjects/order/A-1001/timeline
says 'Customer called and requested rush shipping'

# --- Oversight -----------------------------------------------------------------------------------

heading "The dashboard is the managers'"
as "$claire_token"
ask 200 GET /v1/dashboard
as "$ana_token"
ask 403 GET /v1/dashboard

heading "Ana leaves: not while she holds open work"
as "$admin"
ask 409 PATCH "/v1/users/$ana" '{"active":false}'
says '"code":"open_work"'

heading "Offboarding moves it all to Ben; nothing is left without an owner"
as "$claire_token"
ask 200 POST "/v1/users/$ana/offboard" "{\"reassign_to\":{\"type\":\"user\",\"id\":\"$ben\"}}"
ask 200 GET /v1/reports/orphaned-work
says '"data":[]'

heading "Done."
