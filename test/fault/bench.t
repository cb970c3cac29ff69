#!/usr/bin/env bash
# What make bench and make bench-plot run works: once, with 1000 issues.  Its figures say nothing here.
set -uo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
for tool in jq curl cc; do
	command -v "$tool" >/dev/null || { echo "1..0 # SKIP $tool is not installed"; exit 0; }
done
count=0
failed=0
BENCH_RESULTS=$(mktemp -d)
export BENCH_RESULTS
trap 'rm -rf "$BENCH_RESULTS"' EXIT

is() {			# name, got, wanted
	count=$((count + 1))
	if [ "$2" == "$3" ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		printf '#      got: %s\n#   wanted: %s\n' "${2//$'\n'/ }" "$3" >&2
		failed=$((failed + 1))
	fi
}
table() { jq -c "$1" "$BENCH_RESULTS/table.json"; }
runs() { jq -cs "$1" "$BENCH_RESULTS/runs.jsonl"; }

[ -n "${RESOLUTE_CLUSTER:-}" ] || { echo "1..0 # SKIP there is no cluster to install into"; exit 0; }
"$top/test/cluster" install "$RESOLUTE_CLUSTER" "$top/test/unit"
output=$(BENCH_HERE=1 PARTS= SCALE=1000 ROUNDS=1 "$top/test/bench/bench" 2>"$BENCH_RESULTS/messages")
status=$?
is 'it ends, whether bars were kept or not' "$((status <= 1))" 1
is 'the status tells whether one was missed' "$status" "$(table '[.table[] | select(.ok == false)] | if . == [] then 0 else 1 end')"
is 'every run succeeds' "$(runs 'map(.status // "succeeded") | unique')" '["succeeded"]'
is 'first runs insert all' "$(runs 'map(select(.figure | test("^(first|projected)-")) | .inserted) | unique')" '[1000]'
is 'runs with nothing changed write nothing' "$(runs 'map(select(.figure | startswith("reread-")) | [.unchanged, .changes]) | unique')" \
	"$(psql -XAtc "SELECT CASE WHEN current_setting('server_version_num')::int >= 150000 THEN '[[1000,0]]' ELSE '[[1000,null]]' END")"
is 'runs with everything changed update all' "$(runs 'map(select(.figure | startswith("changed-")) | .updated) | unique')" '[1000]'
is 'every bar is in the table' "$(table '[.table[] | select(.bar) | .name | sub("^(CALL|run_flow) "; "") | sub("(CALL|run_flow)"; "")] | unique | length')" \
	"$(psql -XAtc "SELECT CASE WHEN current_setting('server_version_num')::int >= 150000 THEN 15 ELSE 13 END")"
is 'every group of figures' "$(table '[.table[].group | sub("[0-9]+ issues"; "N")] | unique | length')" 10
is 'each with its numbers' "$(table '[.table[] | select((.value | type) != "number" or .runs < 1)]')" '[]'
is 'as text' "$(grep -c 'bars kept$' <<<"$output")" 1
is 'as Markdown, each bar in a row' "$(grep -cE '^\| .* \| (ok|\*\*missed\*\*) \|$' "$BENCH_RESULTS/table.md")" "$(table '[.table[] | select(.bar)] | length')"
is 'and five tables' "$(grep -c '^| ---' "$BENCH_RESULTS/table.md")" 5
"$top/test/bench/plot" >/dev/null
is 'as a drawing' "$(grep -c '<polyline' "$BENCH_RESULTS/bench.svg"; tail -1 "$BENCH_RESULTS/bench.svg")" $'7\n</svg>'
[ $failed = 0 ] || sed 's/^/# /' "$BENCH_RESULTS/messages" >&2
echo "1..$count"
