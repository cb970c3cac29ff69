# Control: edits, the lag of the index, clock, credentials
start --issues 200

one() { search "$1" 'fields: ["*all"]' | jq -c ".issues[0]$2"; }

# edits
is 'edit answers key and instant' "$(sim 'edit?key=PLATFORM-7&summary=New%20one&status=Done')" '{"ok":true,"id":"10014","key":"PLATFORM-7","updated_ms":1769817600000}' 
is 'edit changes the issue' "$(one 'key = PLATFORM-7' '.fields | [.summary, .status.name, .resolution.name, .updated]')" '["New one","Done","Done","2026-01-31T01:00:00.000+0100"]'
is 'the clock moves on' "$(sim 'edit?key=PLATFORM-7&priority=Low' | jq .updated_ms)" 1769817601000
is 'the edited issue is last' "$(walk 'updated > 0 ORDER BY updated ASC, key' | tail -1 | jq -r .key)" PLATFORM-7
sim edit -d '{"id":"10014","fields":{"assignee":null,"labels":["a","b"],"description":"x\ny","story_points":3.5},"raw":{"duedate":"51502-01-01","customfield_1":{"a":"\u0000"}},"remove":["updated","reporter"]}' >/dev/null
is 'edit takes JSON' "$(one 'id = 10014' '.fields | [.assignee, .labels, .customfield_10016, .duedate, has("updated"), has("reporter")]')" '[null,["a","b"],3.5,"51502-01-01",false,false]'
like 'dictated JSON goes as it is' "$(search 'id = 10014' 'fields: ["*all"]')" '"customfield_1":\{"a":"\\u0000"\}'
is 'a description becomes ADF' "$(one 'id = 10014' '.fields.description.content | [.[].content[0].text]')" '["x","y"]'
is 'the truth knows' "$(sim issues | jq -c 'select(.id == "10014") | [.summary, .labels, .story_points, .assignee]')" '["New one",["a","b"],3.5,null]'
is 'an instant may be given' "$(sim 'edit?id=10003&updated=2025-06-01T00:00:00.5%2B02:00' | jq .updated_ms)" 1748728800500
like 'an unknown status is an error' "$(sim 'edit?id=10003&status=Nope' -w '%{http_code}')" 'unknown status.*400$'
like 'an unknown issue is an error' "$(sim 'edit?key=X-1')" 'there is no issue'
is 'bulk edits share an instant' "$(sim 'bulk?project=PLATFORM&count=60&priority=High' >/dev/null; sim issues | jq -s 'group_by(.updated_ms) | map(length) | max')" 60
at=$(sim issues | jq -s 'group_by(.updated_ms) | max_by(length) | .[0].updated_ms')
is 'and a walk has them all' "$(walk "updated = $at ORDER BY updated ASC, key" 7 | jq -r '.key' | sort -u | wc -l)" 60
is 'bulk with steps' "$(sim 'bulk?project=MOBILE&count=5&step_ms=10' | jq .edited)" 5
is 'add' "$(sim 'add?project=NEWP&count=3&summary=hello' | jq -r .key)" NEWP-3
is 'added issues are found' "$(search 'project = NEWP ORDER BY key' 'fields: ["summary"]' | jq -c '[.issues[] | [.key, .fields.summary]]')" '[["NEWP-1","hello"],["NEWP-2","hello"],["NEWP-3","hello"]]'
is 'move keeps the id' "$(sim 'move?key=NEWP-2&to=MOBILE' >/dev/null; get /rest/api/3/issue/NEWP-2?fields=project | jq -c '[.key, .fields.project.key]' | sed 's/-[0-9]*//')" '["MOBILE","MOBILE"]'
is 'and leaves the project' "$(search 'project = NEWP' 'fields: ["key"]' | jq '.issues | length')" 2
is 'delete' "$(sim 'delete?key=NEWP-1' >/dev/null; search 'project = NEWP' 'fields: ["key"]' | keys)" NEWP-3
is 'an edit in the middle of a walk comes again, and none is skipped' \
	"$(page=$(search 'updated > 0 ORDER BY updated ASC, key' 'maxResults: 100, fields: ["key"]'); id=$(jq -r '.issues[5].id' <<<"$page")
	sim "edit?id=$id" >/dev/null; token=$(jq -c .nextPageToken <<<"$page")
	{ jq -r '.issues[].id' <<<"$page"; search 'updated > 0 ORDER BY updated ASC, key' "maxResults: 100, fields: [\"key\"], nextPageToken: $token" | tee "$work/2" | jq -r '.issues[].id'
	search 'updated > 0 ORDER BY updated ASC, key' "maxResults: 100, fields: [\"key\"], nextPageToken: $(jq -c .nextPageToken "$work/2")" | jq -r '.issues[].id'; } | sort | uniq -c | awk '{n[$1]++} END {print n[1], n[2]}')" '201 1'

# what the index knows
ids() { search "$1" | jq -c '[.issues[].id]'; }
is 'hidden' "$(sim 'hide?id=10020' >/dev/null; ids 'id > 10019 and id < 10022')" '["10021"]'
is 'but there' "$(status get /rest/api/3/issue/10020)" 200
is 'revealed' "$(sim reveal >/dev/null; ids 'id > 10019 and id < 10022')" '["10021","10020"]'
is 'hidden for two searches' "$(sim 'hide?id=10020&lag=2' >/dev/null; ids 'id > 10019 and id < 10021'; ids 'id > 10019 and id < 10021')" $'[]\n["10020"]'
sim 'edit?id=10030&summary=newer' >/dev/null
is 'a stale copy' "$(sim 'stale?id=10030' >/dev/null; one 'id = 10030' .fields.summary | grep -c newer)" 0
is 'is over when revealed' "$(sim 'reveal?id=10030' >/dev/null; one 'id = 10030' .fields.summary)" '"newer"'
is 'no stale copy without an edit' "$(sim 'stale?id=10150' -o /dev/null -w '%{http_code}')" 400
is 'an edit with lag' "$(sim 'edit?id=10031&summary=late&lag=forever' >/dev/null; one 'id = 10031' .fields.summary | grep -c late; sim reveal >/dev/null; one 'id = 10031' .fields.summary)" $'0\n"late"'
is 'a deletion with lag' "$(sim 'delete?id=10032&lag=2' >/dev/null; ids 'id = 10032'; search 'id = 10032' | jq -r '.errorMessages | length')" $'["10032"]\n1'
is 'a project without access' "$(sim 'project?key=DATA&visible=0' >/dev/null; search 'project = DATA' | jq -r '.errorMessages[0]'; search 'updated > 0' 'fields: ["project"]' | jq '[.issues[] | select(.fields.project.key == "DATA")] | length')" \
	$'The value \'DATA\' does not exist for the field \'project\'.\n0'

# clock
is 'the clock is set' "$(sim 'clock?now=2026-03-01T00:00:00Z&tick_ms=0' | jq -r .now)" 2026-03-01T00:00:00.000Z
is 'and edits take it' "$(sim 'edit?id=10040' | jq .updated_ms; sim 'edit?id=10041' | jq .updated_ms)" $'1772323200000\n1772323200000'
is 'advance' "$(sim 'clock?advance_ms=1500' | jq -r .now)" 2026-03-01T00:00:01.500Z
date_header() { get /rest/api/2/serverInfo -D - -o /dev/null | tr -d '\r' | sed -n 's/^Date: //p'; }
is 'Date by the clock' "$(sim 'clock?date=clock' >/dev/null; date_header)" 'Sun, 01 Mar 2026 00:00:01 GMT'
is 'with a skew' "$(sim 'clock?skew_ms=60000' >/dev/null; date_header)" 'Sun, 01 Mar 2026 00:01:01 GMT'
is 'no Date' "$(sim 'clock?date=none' >/dev/null; date_header)" ''
sim 'clock?date=real&skew_ms=0' >/dev/null
now=$(date +%s)
is 'the real Date' "$(($(date -d "$(date_header)" +%s) - now < 5))" 1
like 'a wrong instant' "$(sim 'clock?now=tomorrow')" error

# credentials
code() { curl -sS -o /dev/null -w '%{http_code}' "$@" "$S/rest/api/3/myself"; }
is 'Basic' "$(code -u ada@example.com:sim-token)" 200
is 'Bearer' "$(code -H 'Authorization: Bearer sim-token')" 200
is 'a wrong token' "$(code -u ada@example.com:wrong)" 401
is 'a wrong user' "$(code -u eve@example.com:sim-token)" 401
is 'none' "$(code)" 401
is 'the token is changed' "$(sim 'auth?token=next' >/dev/null; code -u ada@example.com:sim-token; code -u ada@example.com:next)" 401200
sim 'auth?auth=anonymous' >/dev/null
like 'bad credentials served as nobody' "$(search 'project = PLATFORM' '' -i | tr -d '\r' | paste -sd' ')" 'HTTP/1.1 200 .*X-Seraph-LoginReason: AUTHENTICATED_FAILED.*\{"issues":\[\],"isLast":true\}'
like 'a CAPTCHA' "$(sim 'auth?auth=captcha' >/dev/null; get /rest/api/3/myself -i | tr -d '\r' | paste -sd' ')" 'HTTP/1.1 403 .*X-Authentication-Denied-Reason: CAPTCHA_CHALLENGE'
is 'no check' "$(sim 'auth?auth=off' >/dev/null; code)" 200
is 'reset undoes it all' "$(sim reset | jq -c '[.auth, .issues, .now]')" '["check",200,"2026-01-31T00:00:00.000Z"]'
is 'reset makes other data' "$(sim 'reset?issues=10&projects=ABC&flavour=server' | jq -c '[.issues, .flavour]'; sim issues | jq -r .project | uniq -c | xargs)" $'[10,"server"]\n10 ABC'
like 'an unknown action' "$(sim bogus -w '%{http_code}')" '400$'
like 'help' "$(curl -sS "$S/_sim")" actions

# wide issues
sim 'reset?issues=10&projects=ABC' >/dev/null
like 'too many custom fields' "$(sim 'settings?custom_fields=513' -w '%{http_code}')" 'custom_fields is out of range.*400$'
narrow=$(search 'project = ABC' 'fields: ["*all"]' | wc -c)
sim 'settings?custom_fields=300&custom_bytes=120' >/dev/null
is 'an issue with 300 custom fields has them all' "$(one 'project = ABC' '.fields | [keys[] | select(startswith("customfield_2"))] | length')" 300
is 'and is some 50 kB longer' "$((($(search 'project = ABC' 'fields: ["*all"]' | wc -c) - narrow) / 10 / 10000))" 5
is 'one of them by its id' "$(search 'project = ABC' 'fields: ["customfield_20002", "customfield_20301"]' | jq -c '.issues[0].fields | [keys, (.customfield_20002.value | length)]')" '[["customfield_20002"],120]'
is 'all but one' "$(search 'project = ABC' 'fields: ["*all", "-customfield_20001"]' | jq -c '.issues[0].fields | [has("customfield_20001"), has("customfield_20003")]')" '[false,true]'
is 'what an edit says comes once' "$(sim edit -d '{"id":"10001","raw":{"customfield_20001":7}}' >/dev/null; search 'id = 10001' 'fields: ["*all"]' | grep -o '"customfield_20001":.' )" '"customfield_20001":7'
is 'the field list names them' "$(get /rest/api/3/field | jq -c '[.[] | select(.id == "customfield_20300") | .name, .schema.custom]')" '["Custom 300","com.atlassian.jira.plugin.system.customfieldtypes:textarea"]'
is 'as Server does' "$(get /server/rest/api/2/search?maxResults=1 | jq '[.issues[0].fields | keys[] | select(startswith("customfield_2"))] | length')" 300
is 'none after a reset' "$(sim reset >/dev/null; one 'project = ABC' '.fields | has("customfield_20001")')" false
