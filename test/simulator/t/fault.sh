# Faults, barrier, log
start --issues 120

fault() { sim fault -d "$1" >/dev/null; }
page() { search 'project = PLATFORM ORDER BY updated' "${1:-maxResults: 5}" -w '\n%{http_code}\n' "${@:2}"; }
exit_code() { page '' -o /dev/null >/dev/null 2>&1; echo $?; }
with() { fault "$1"; page "${2:-}"; }
code() { tail -1; }
body() { sed '$d'; }

is 'status' "$(with '{"status":503}' | code)" 503
is 'once' "$(page | code)" 200
is 'skip and times' "$(fault '{"status":500,"skip":1,"times":2}'; for i in 1 2 3 4; do page | code; done | xargs)" '200 500 500 200'
is 'in order' "$(fault '[{"status":502},{"status":504}]'; for i in 1 2 3; do page | code; done | xargs)" '502 504 200'
is 'always, until cleared' "$(fault '{"status":500,"times":-1}'; page | code; page | code; sim 'faults?clear=1' >/dev/null; page | code)" $'500\n500\n200'
is 'by path' "$(fault '{"match":"/rest/api/3/myself","status":500}'; page | code; status get /rest/api/3/myself)" $'200\n500'
is 'by content' "$(fault '{"containing":"MOBILE","status":500}'; page | code; status search 'project = MOBILE' '')" $'200\n500'
is 'faults are listed' "$(fault '{"status":500,"times":-1}'; sim faults | jq -c '[.[] | [.match, .status]]'; sim 'faults?clear=1' >/dev/null)" '[["search",500]]'
like 'headers, with dates' "$(fault '{"status":429,"headers":{"Retry-After":"{now+5}","X-RateLimit-Reset":"{minute+60}","X-A":"{epoch-1}"}}'; page '' -i | tr -d '\r' | paste -sd' ')" \
	'Retry-After: [A-Z][a-z]{2}, [0-9]{2} .* GMT .*X-RateLimit-Reset: [0-9-]{10}T[0-9:]{5}Z .*X-A: [0-9]{10} '
is 'body and type' "$(fault '{"body":{"errorMessages":"odd"},"status":400,"content_type":"text/x"}'; page '' -w '%{content_type}' | xargs -0)" '{"errorMessages":"odd"}text/x'
is 'a login page' "$(fault '{"html":true}'; page '' -o /dev/null -w '%{http_code} %{content_type}')" '200 text/html;charset=UTF-8'
is 'nothing visible' "$(with '{"seraph":true}' | body)" '{"issues":[],"isLast":true}'
is 'truncated' "$(fault '{"truncate":100}'; exit_code)" 18
is 'truncated, without a length' "$(fault '{"truncate":100,"chunked":true}'; exit_code)" 18
is 'chunked' "$(with '{"chunked":true}' | body | jq '.issues | length')" 5
is 'reset' "$(fault '{"close":true}'; exit_code)" 56
is 'closed' "$(fault '{"close":"fin"}'; exit_code)" 52
is 'drip' "$(with '{"drip":64,"drip_ms":1}' 'maxResults: 5, fields: ["*all"]' | body | jq '.issues | length')" 5
fault '{"delay_ms":60}'
is 'delay' "$(page '' -o /dev/null -w '%{time_total}' | awk '{print ($1 >= 0.06)}')" 1
is 'hang' "$(fault '{"hang":true}'; search 'project = PLATFORM' '' -m 0.2 2>/dev/null; echo $?)" 28
is 'redirect' "$(fault '{"redirect":"https://example.com/x"}'; page '' -o /dev/null -w '%{http_code} %{redirect_url}')" '302 https://example.com/x'
is 'a big body' "$(fault '{"big_body":3000000}'; page '' -o /dev/null -w '%{size_download}')" 3000000
is 'a bomb' "$(fault '{"big_body":3000000,"gzip":true}'; page '' --compressed -o "$work/bomb" -w '%{size_download}' | awk '{print ($1 < 30000)}'; wc -c <"$work/bomb")" $'1\n3000000'
is 'gzip says the same' "$(fault '{"gzip":true}'; page 'fields: ["*all"], maxResults: 50' --compressed -w '' | jq -c .issues | md5sum)" "$(page 'fields: ["*all"], maxResults: 50' -w '' | jq -c .issues | md5sum)"

# pages
first=$(page | body)
token=$(jq -c .nextPageToken <<<"$first")
next() { page "maxResults: 5, nextPageToken: $token" | body; }
is 'a repeated token' "$(fault '{"repeat_token":true}'; next | jq -c .nextPageToken)" "$token"
is 'no token' "$(with '{"no_token":true}' 'maxResults: 5' | body | jq -c '[has("nextPageToken"), .isLast]')" '[false,false]'
is 'token null' "$(with '{"token_null":true}' | body | jq -c '[has("nextPageToken"), .nextPageToken, .isLast]')" '[true,null,false]'
is 'token empty' "$(with '{"token_empty":true}' | body | jq -c '[.nextPageToken, .isLast]')" '["",false]'
is 'no isLast' "$(with '{"no_is_last":true}' | body | jq -c 'has("isLast")')" false
empty=$(fault '{"empty_page":true}'; next)
is 'an empty page has a new token' "$(jq -c "[(.issues | length), (.nextPageToken != $token)]" <<<"$empty")" '[0,true]'
is 'and the walk goes on there' "$(page "maxResults: 5, nextPageToken: $(jq -c .nextPageToken <<<"$empty")" | body | jq -c .issues)" "$(next | jq -c .issues)"
is 'an empty first page' "$(with '{"empty_page":true}' | body >"$work/e"; page "maxResults: 5, nextPageToken: $(jq -c .nextPageToken "$work/e")" | body | jq -c .issues)" "$(jq -c .issues <<<"$first")"
is 'no issues' "$(with '{"no_issues":true}' | body | jq -c 'has("issues")')" false
is 'not an object' "$(with '{"not_object":true}' | body)" '[1, 2, 3]'
is 'rows' "$(with '{"rows":2}' | body | jq -c '[(.issues | length), has("nextPageToken")]')" '[2,true]'
is 'duplicate rows' "$(with '{"duplicate_rows":true}' | body | jq -c '[(.issues | length), (.issues | unique | length)]')" '[10,5]'
is 'always the first page' "$(fault '{"ignore_position":true}'; next | jq -c .issues)" "$(jq -c .issues <<<"$first")"
is 'another total' "$(fault '{"total":3}'; server 'project = PLATFORM' | jq .total)" 3
is 'Server: an empty page' "$(fault '{"empty_page":true}'; server 'project = PLATFORM' | jq -c '.issues')" '[]'

# rows
all='maxResults: 3, fields: ["*all"]'
like 'NUL escape' "$(with '{"nul_escape":true}' "$all")" '"summary":"before\\u0000after"'
like 'lone surrogate' "$(with '{"lone_surrogate":true}' "$all")" '"summary":"before\\ud83dafter"'
is 'bad UTF-8' "$(with '{"bad_utf8":true}' "$all" | body | iconv -f UTF-8 -t UTF-8 >/dev/null 2>&1; echo $?)" 1
like 'huge number' "$(with '{"huge_number":true}' "$all")" '"customfield_10016":1e999999'
is 'deep nesting' "$(with '{"deep_nesting":300}' "$all" | grep -o '\[\[\[*' | awk '{print length}' | sort -n | tail -1)" 300
is 'no updated' "$(with '{"no_updated":true}' "$all" | body | jq -c '[.issues[].fields | has("updated")]')" '[false,true,true]'
is 'dictated fields of a row' "$(with '{"row":1,"fields":{"summary":5},"remove":["status"]}' "$all" | body | jq -c '.issues[1].fields | [.summary, has("status")]')" '[5,false]'
is 'of all rows' "$(with '{"row":-1,"fields":{"labels":null}}' "$all" | body | jq -c '[.issues[].fields.labels]')" '[null,null,null]'
is 'a recorded page' "$(echo '{"issues":[],"x":1}' | sim page --data-binary @- >/dev/null; page | body | xargs -0; page | body | jq '.issues | length')" $'{"issues":[],"x":1}\n\n\n5'
like 'an unknown member' "$(sim fault -d '{"bogus":1}')" 'unknown member of a fault: bogus'
like 'a body that is not JSON' "$(sim fault -d 'x')" 'not JSON'

# barrier, log
sim 'log?clear=1' >/dev/null
sim 'stats?clear=1' >/dev/null
sim 'block?skip=1' >/dev/null
page >/dev/null
page >"$work/a" &
a=$!
is 'a request waits at the barrier' "$(sim 'wait?blocked=1' | jq -c '[.blocked, .searches]')" '[1,2]'
is 'the log has it, without an answer' "$(sim log | jq -c '[.[] | .status]')" '[200,null]'
is 'others pass' "$(status get /rest/api/3/myself)" 200
page >"$work/b" &
b=$!
sim 'wait?blocked=2' >/dev/null
is 'one may go' "$(sim 'release?n=1' >/dev/null; sim 'wait?answered=3' | jq .blocked)" 1
sim release >/dev/null
wait $a $b
is 'all may go' "$(cat "$work/a" "$work/b" | grep -c '^200$')" 2
is 'nothing waits any more' "$(page | code)" 200
is 'a wait has a deadline' "$(sim 'wait?searches=999&timeout_ms=50' -o /dev/null -w '%{http_code}')" 408
sim block >/dev/null
search 'project = PLATFORM' '' -m 0.2 2>/dev/null
is 'a blocked peer that leaves is forgotten' "$(sim 'wait?open=0' | jq .blocked)" 0
sim release >/dev/null
fault '{"hang":true}'
page >/dev/null 2>&1 &
hung=$!
sim 'wait?hanging=1' >/dev/null
sim release >/dev/null
wait $hung
is 'a hanging request ends with release' "$?" 52
is 'the log tells method, path, body, scheme' \
	"$(sim 'log?clear=1' | jq -c '.[0] | [.method, .path, .search, .body.jql, .headers.Authorization, .status, .issues, .dropped]')" \
	'["POST","/cloud/rest/api/3/search/jql",true,"project = PLATFORM ORDER BY updated","Basic",200,5,null]'
is 'the log is cleared' "$(sim log)" '[]'
is 'keep-alive: one connection' "$(a=$(sim stats | jq .connections); curl -sS "${auth[@]}" "$S/rest/api/3/myself" "$S/rest/api/3/field" "$S/rest/api/2/serverInfo" >/dev/null; b=$(sim stats | jq .connections); echo $((b - a)))" 1
