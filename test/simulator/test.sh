#!/usr/bin/env bash
# Try everything that README.md promises, with curl and jq. Prints TAP.
#
#   test.sh [file …]    all of t/*.sh, or those
set -uo pipefail
cd "$(dirname "$0")" || exit 1

for tool in curl jq; do
	command -v $tool >/dev/null || { echo "1..0 # SKIP $tool is not installed"; exit 0; }
done

work=$(mktemp -d)
count=0
failed=0
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; rm -rf "$work"' EXIT

ok() {			# name, exit status of what was tried
	count=$((count + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		failed=$((failed + 1))
	fi
}

is() {			# name, got, wanted
	[ "$2" == "$3" ]
	ok "$1" $?
	[ "$2" == "$3" ] || printf '#      got: %s\n#   wanted: %s\n' "${2:0:500}" "${3:0:500}"
}

like() {		# name, got, extended regular expression
	[[ "$2" =~ $3 ]]
	ok "$1" $?
	[[ "$2" =~ $3 ]] || printf '#      got: %s\n# expected: %s\n' "${2:0:500}" "$3"
}

# Start one more simulator; its URL is in S.
start() {
	local out
	exec {out}< <(exec ./simulator --exit-with-parent "$@" 2>"$work/stderr")
	pids+=($!)
	read -r -t 60 -u "$out" S || { cat "$work/stderr"; echo "Bail out! the simulator did not start"; exit 1; }
	start_out=$out
}

sim() {			# action, curl arguments
	local action=$1
	shift
	curl -sS -m 60 "$@" "${S%/jira}/_sim/$action"
}

auth=(-u ada@example.com:sim-token)
get() {			# path, curl arguments
	local path=$1
	shift
	curl -sS -m 30 "${auth[@]}" "$@" "$S$path"
}

# POST a Cloud search: JQL, more members of the body, curl arguments.
search() {
	local jql=$1 more=${2:-}
	shift
	[ $# -eq 0 ] || shift
	get /cloud/rest/api/3/search/jql -H 'Content-Type: application/json' "$@" \
		-d "$(jq -nc --arg jql "$jql" "{jql: \$jql} + {$more}")"
}

# GET a Server search: JQL, more query.
server() {
	get "/server/rest/api/2/search?${2:-}" -G --data-urlencode "jql=$1"
}

status() { "$@" -o /dev/null -w '%{http_code}\n'; }
keys() { jq -r '[.issues[].key] | join(" ")'; }

# Walk all pages of a Cloud search and print the issues, one a line.
walk() {
	local token=null page
	while :; do
		page=$(search "$1" "fields: [\"updated\", \"summary\"], maxResults: ${2:-100}, nextPageToken: $token")
		jq -c '.issues[]' <<<"$page"
		token=$(jq -c '.nextPageToken' <<<"$page")
		[ "$token" != null ] || break
	done
}

for file in "${@:-t/*.sh}"; do
	for part in $file; do
		echo "# $part"
		# shellcheck disable=SC1090
		. "$part"
	done
done
echo "1..$count"
exit $((failed > 0))
