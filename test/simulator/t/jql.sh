# JQL: what it means, and Jira's error messages
start --issues 400 --projects PLATFORM,MOBILE,TO --seed 5

total() { search "$1" 'maxResults: 5000' | jq '.issues | length'; }
truth() { sim issues | jq -s "[.[] | select($1)] | length"; }
error() { search "$1" | jq -r '.errorMessages[0]'; }

is 'project =' "$(total 'project = PLATFORM')" "$(truth '.project == "PLATFORM"')"
is 'project in' "$(total 'project in (MOBILE, "TO")')" "$(truth '.project != "PLATFORM"')"
is 'project by name and id' "$(total 'project = "mobile project" or project = 10102')" "$(truth '.project != "PLATFORM"')"
is 'project not in' "$(total 'project not in (MOBILE, "TO")')" "$(truth '.project == "PLATFORM"')"
at=$(sim issues | jq -s '.[200].updated_ms')
is 'updated >= ms' "$(total "updated >= $at")" "$(truth ".updated_ms >= $at")"
is 'updated > ms' "$(total "updated > $at")" "$(truth ".updated_ms > $at")"
is 'updated < ms AND project' "$(total "updated < $at AND project = PLATFORM")" "$(truth ".updated_ms < $at and .project == \"PLATFORM\"")"
is 'updated <= ms' "$(total "updated <= $at")" "$(truth ".updated_ms <= $at")"
local_time=$(TZ=Europe/Berlin date -d "@$((at / 1000))" '+%Y-%m-%d %H:%M')
minute=$((at / 60000 * 60000))
is 'a quoted date is in the zone' "$(total "updated >= \"$local_time\"")" "$(truth ".updated_ms >= $minute")"
is 'slashes do as well' "$(total "updated >= '${local_time//-//}'")" "$(truth ".updated_ms >= $minute")"
sim 'settings?timezone=America/New_York' >/dev/null
is 'in another zone it is another instant' "$(total "updated >= \"$local_time\"")" "$(truth ".updated_ms >= $minute + 6 * 3600000")"
is 'and dates are written in it' "$(search 'id = 10001' 'fields: ["updated"]' | jq -r '.issues[0].fields.updated[-5:]')" -0500
sim 'settings?timezone=Europe/Berlin' >/dev/null
sim 'edit?id=10001&updated=2025-10-26T00:30:00Z' >/dev/null
sim 'edit?id=10002&updated=2025-10-26T01:30:00Z' >/dev/null
is 'an hour that occurs twice is the first one' "$(total 'updated >= "2025-10-26 02:30" and updated < "2025-10-26 03:00"')" 2
is 'offsets follow summer time' "$(search 'id in (10001, 10002) ORDER BY id' 'fields: ["updated"]' | jq -c '[.issues[].fields.updated[11:]]')" '["02:30:00.000+0200","02:30:00.000+0100"]'
is 'a period' "$(total 'updated >= -60m')" "$(truth '.updated_ms >= 1769817600000 + 2000 - 3600000')"
is 'now()' "$(total 'updated > now()')" 0
is 'created, resolved, status' "$(total 'resolved > 0 and created > 0 and status = Done')" "$(truth '.status == "Done"')"
is 'statusCategory' "$(total 'statusCategory != Done')" "$(truth '.status_category != "done"')"
is 'priority, type' "$(total 'priority in (High, Low) and issuetype = Bug')" "$(truth '(.priority == "High" or .priority == "Low") and .issue_type == "Bug"')"
is 'assignee is EMPTY' "$(total 'assignee is EMPTY')" "$(truth '.assignee == null')"
is 'key and id' "$(search 'key in (PLATFORM-2, "TO-1") or id = 10003' | jq '.issues | length >= 2')" true
is 'ranges of ids' "$(total 'id > 10390')" 10
is 'ranges of keys' "$(total 'key <= PLATFORM-3')" 3
is 'OR, NOT and parentheses' "$(total 'project = PLATFORM and not (id < 10100 or id >= 10200)')" "$(truth '.project == "PLATFORM" and (.id | tonumber) >= 10100 and (.id | tonumber) < 10200')"
is 'id != null is all' "$(total 'id != null')" 400
is 'ORDER BY key sorts numbers' "$(search 'project = PLATFORM order by key desc' 'fields: ["key"], maxResults: 1' | keys)" "PLATFORM-$(truth '.project == "PLATFORM"')"
is 'ORDER BY several' "$(walk 'updated > 0 ORDER BY updated DESC, id ASC' 50 | jq -sc '[.[].id] == (sort_by(.fields.updated) | [.[].id])')" false
is 'dates are descending by default' "$(search 'updated > 0 order by created' 'maxResults: 1' | jq -r '.issues[0].id')" \
	"$(sim issues | jq -sr 'max_by(.created).id')"

is 'unknown project' "$(error 'project = NOPE')" "The value 'NOPE' does not exist for the field 'project'."
is 'unbounded' "$(error 'order by key desc')" 'Unbounded JQL queries are not allowed here. Please add a search restriction to your query.'
is 'empty' "$(error '')" 'Unbounded JQL queries are not allowed here. Please add a search restriction to your query.'
like 'a reserved word' "$(error 'project = TO')" "^Error in the JQL Query: 'TO' is a reserved JQL word\..*character 11\)$"
is 'an unknown field' "$(error 'sprint2 = 1')" "Field 'sprint2' does not exist or you do not have permission to view it."
like 'no operator' "$(error 'project PLATFORM')" "Expecting operator but got 'PLATFORM'"
like 'no value' "$(error 'project =')" 'Expecting either a value, list or function before the end of the query'
like 'an open string' "$(error 'project = "PLAT')" "The quoted string 'PLAT' has not been completed"
like 'an open parenthesis' "$(error '(project = PLATFORM')" "Expecting '\)' before the end"
like 'something after the end' "$(error 'project = PLATFORM project')" "Expecting either 'OR' or 'AND' but got 'project'"
like 'a wrong date' "$(error 'updated >= "yesterday"')" "^Date value 'yesterday' for field 'updated' is invalid"
like 'an operator that the field lacks' "$(error 'updated in (1, 2)')" "The operator 'in' is not supported by the 'updated' field"
is 'a wrong order' "$(error 'project = PLATFORM order by labels')" "Not able to sort using field 'labels'."
like 'too many orders' "$(error 'project = PLATFORM order by id,id,id,id,id,id,id,id')" 'exceeds the limit of 7'
is 'an unknown key' "$(error 'key = PLATFORM-99999')" "An issue with key 'PLATFORM-99999' does not exist for field 'key'."
is 'errors are 400 with an object' "$(search 'project = NOPE' '' -w '%{http_code}')" "{\"errorMessages\":[\"The value 'NOPE' does not exist for the field 'project'.\"],\"errors\":{}}400"
like 'deep nesting is an error' "$(error "$(printf '(%.0s' $(seq 300))")" 'nested too deeply'
