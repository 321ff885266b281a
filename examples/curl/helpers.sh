# What the examples share: asking, and holding each answer to what is expected. To be sourced, not run.
# shellcheck shell=bash

BASE=${BASE:-http://127.0.0.1:8080}
ADMIN_EMAIL=${ADMIN_EMAIL:-admin@localhost}
ADMIN_PASSWORD=${ADMIN_PASSWORD:?must be the password of the first administrator}
STAFF_PASSWORD=${STAFF_PASSWORD:-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')}

room=$(mktemp -d)
trap 'rm -rf -- "$room"' EXIT

# --- Helpers -------------------------------------------------------------------------------------

heading() { printf '\n%s\n' "$*"; }

fail() {
    printf '\n%s\n' "$*" >&2
    [ ! -s "$room/body" ] || { cat "$room/body" && echo; } >&2
    exit 1
}

# as TOKEN: the requests that follow are this person's. In a file, so that no process list shows it.
as() { printf 'Authorization: Bearer %s\n' "$1" >"$room/credential"; }

# ask STATUS METHOD PATH [JSON [HEADER]]: asks, and fails unless the answer has this status.
ask() {
    local expected=$1 method=$2 path=$3 json=${4:-} header=${5:-Accept: application/json} status
    : >"$room/body"
    set -- --silent --show-error --max-time 30 --request "$method" --header @"$room/credential" --header "$header" \
        --dump-header "$room/headers" --output "$room/body" --write-out '%{http_code}'
    if [ -n "$json" ]; then
        set -- "$@" --header 'Content-Type: application/json' --data-binary @-
    fi
    status=$(printf '%s' "$json" | curl "$@" "$BASE$path") || fail "$method $path cannot be asked at $BASE."
    [ "$status" = "$expected" ] || fail "$method $path answered $status instead of $expected:"
    printf '  %s  %-5s %s\n' "$status" "$method" "$path"
}

# field NAME: a text member of the answer itself; what is nested in it is taken out first.
field() {
    local value
    value=$(sed -E -e 's/\\.//g' -e 's/^\{(.*)\}$/\1/' -e ':again' -e 's/[{[][^][{}]*[]}]//g' -e 't again' "$room/body" |
        sed -n -E 's/^(.*,)?"'"$1"'":"([^"]*)".*$/\2/p')
    [ -n "$value" ] || fail "The answer has no \"$1\":"
    printf '%s' "$value"
}

# only_row: makes the one row of a list the answer.
only_row() {
    sed -E -e 's/^\{"data":\[(.*)\],"next_cursor":.*$/\1/' "$room/body" >"$room/row"
    mv "$room/row" "$room/body"
}

# says TEXT: fails unless the answer holds this text.
says() { grep -qF -- "$1" "$room/body" || fail "The answer does not hold $1:"; }

# text STRING: the string as JSON.
text() { printf '"%s"' "$(printf '%s' "$1" | sed -e 's/[\\"]/\\&/g')"; }

# token EMAIL PASSWORD: signs in.
token() {
    : >"$room/credential"
    ask 200 POST /v1/auth/token "{\"email\":$(text "$1"),\"password\":$(text "$2")}" >&2
    field access_token
}
