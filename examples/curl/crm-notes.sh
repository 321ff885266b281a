#!/usr/bin/env bash
# CRM notes with curl alone: drop-downs of one's own, a contact, what to do next, a call list, and many re-assigned.
#
# Run it once on a database; `first-hour.sh` may have been there before:
#
#   ADMIN_PASSWORD=… examples/curl/crm-notes.sh
#
# BASE, ADMIN_EMAIL, ADMIN_PASSWORD and STAFF_PASSWORD are those of `first-hour.sh`.
#
# It ends with status 1, and shows the answer, as soon as one is not the expected one.
set -euo pipefail

# shellcheck source=examples/curl/helpers.sh
. "$(dirname "$0")/helpers.sh"

# --- Set-up --------------------------------------------------------------------------------------

heading "A drop-down of one's own, with the values of a picklist; CRM notes must say it"
admin=$(token "$ADMIN_EMAIL" "$ADMIN_PASSWORD")
as "$admin"
ask 201 POST /v1/picklists '{"name":"store_types","description":"What a customer sells."}'
ask 201 POST /v1/picklists/store_types/items '{"label":"Grocery","labels":{"fr":"Épicerie"},"color":"#2b8a3e"}'
ask 201 POST /v1/picklists/store_types/items '{"label":"Toys","labels":{"fr":"Jouets"},"color":"#1971c2"}'
ask 201 POST /v1/variables '{"key":"store","label":"Store","labels":{"fr":"Magasin"},"picklist":"store_types","required":true}'

heading "Two reps"
password=$(text "$STAFF_PASSWORD")
ask 201 POST /v1/users "{\"email\":\"rosa@shop.example\",\"name\":\"Rosa Lind\",\"role\":\"agent\",\"password\":$password}"
ask 201 POST /v1/users "{\"email\":\"tom@shop.example\",\"name\":\"Tom Baker\",\"role\":\"agent\",\"password\":$password}"
tom=$(field id)

# --- Notes ---------------------------------------------------------------------------------------

heading "Rosa finds the customer by its postal code"
as "$(token rosa@shop.example "$STAFF_PASSWORD")"
ask 201 POST /v1/contacts '{"company":"Épicerie du Coin","phones":["(514) 555-0123"],"postal_code":"H2X 1Y4","country":"CA","variables":{"store":"grocery"}}'
contact=$(field id)
ask 200 GET '/v1/contacts?country=CA&postal_code_prefix=H2X'
says 'Épicerie du Coin'

heading "What to do next, and how things stand: the store is copied from the contact"
ask 201 POST /v1/action-items "{\"contact_id\":\"$contact\",\"title\":\"Call about the spring promotion\",\"action\":\"call\",\"due_in\":\"tomorrow\",\"contact_status\":\"warm_prospect\"}"
first=$(field id)
says '"variables":{"store":"grocery"}'
ask 200 GET "/v1/contacts/$contact"
says '"status":"warm_prospect"'

heading "A new note closes the last one"
ask 201 POST /v1/action-items "{\"contact_id\":\"$contact\",\"title\":\"Send a sample\",\"action\":\"send_sample\",\"due_in\":\"in_1_week\",\"close_previous\":true}"
second=$(field id)
says "\"closed_previous\":\"$first\""

heading "Mark complete and write the next one; then complete that, and be warned that nothing follows"
ask 200 POST "/v1/action-items/$second/complete" '{"next":{"title":"Ask how they liked it","action":"call","due_in":"in_2_weeks"}}'
says '"warnings":[]'
ask 200 GET "/v1/action-items?contact_id=$contact"
only_row
ask 200 POST "/v1/action-items/$(field id)/complete"
says '"warnings":["no_follow_up_planned"]'

# --- Lists ---------------------------------------------------------------------------------------

heading "The overdue section, in the colours of the picklists"
ask 201 POST /v1/action-items "{\"contact_id\":\"$contact\",\"title\":\"Call back\",\"action\":\"call\",\"due_at\":\"2020-01-01T09:00:00Z\",\"contact_status\":\"overdue_account\"}"
ask 200 GET '/v1/action-items?bucket=overdue&assignee=me&expand=labels'
says '"bucket":"overdue"'
says '#c92a2a'

heading "A call list for a spreadsheet, with names and numbers"
ask 200 GET '/v1/action-items?variable=store:grocery&expand=contact&fields=title,due_at,contact&format=csv'
says 'contact.name'
says 'Épicerie du Coin'
says '+15145550123'

heading "All of it to Tom, with a new date"
ask 200 POST /v1/action-items/bulk "{\"select\":{\"filter\":{\"variable\":\"store:grocery\",\"assignee\":\"me\"}},\"set\":{\"assignee\":{\"type\":\"user\",\"id\":\"$tom\"},\"due_in\":\"in_1_week\"}}"
says '"message":"1 of 1 changed."'

heading "Done."
