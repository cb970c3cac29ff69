# Jira Cloud: endpoints, pages, tokens, fields
start --issues 500 --seed 3

info=$(curl -sS "$S/rest/api/2/serverInfo")
is 'serverInfo needs no credentials and says Cloud' "$(jq -r .deploymentType <<<"$info")" Cloud
is 'serverInfo knows its base URL' "$(jq -r .baseUrl <<<"$info")" "$S"
is 'myself has the zone' "$(get /rest/api/3/myself | jq -r .timeZone)" Europe/Berlin
is 'field lists story points' \
	"$(get /rest/api/3/field | jq -r '.[] | select(.schema.custom // "" | endswith(":jsw-story-points")).id')" customfield_10016
is 'issue by key' "$(get '/rest/api/3/issue/PLATFORM-5?fields=summary' | jq -c '[.key, (.fields | keys)]')" '["PLATFORM-5",["summary"]]'
is 'an unknown issue is 404' "$(status get /rest/api/3/issue/PLATFORM-99999)" 404
is 'bulkfetch sorts by id and leaves out unknown ones' \
	"$(get /rest/api/3/issue/bulkfetch -d '{"issueIdsOrKeys":["10009","X-1","10003"],"fields":["summary"]}' | jq -c '[.issues[].id]')" '["10003","10009"]'
is 'projects by key' "$(get '/rest/api/3/project/search?keys=DATA&keys=NONE&keys=PLATFORM' | jq -c '[.values[].key]')" '["PLATFORM","DATA"]'
is 'a project' "$(get /rest/api/3/project/DATA | jq -r .key; get /rest/api/3/project/NONE -o /dev/null -w '%{http_code}')" $'DATA\n404'
is 'reconcileIssues' "$(id=$(get /rest/api/3/issue/PLATFORM-9 | jq .id -r); sim 'hide?key=PLATFORM-9' >/dev/null; search 'key = PLATFORM-9' | jq '.issues | length'; search 'key = PLATFORM-9' "reconcileIssues: [$id]" | jq '.issues | length')" $'0\n1'
is 'projects' "$(get /rest/api/3/project/search | jq -c '[.values[].key]')" '["PLATFORM","MOBILE","DATA"]'
is 'tenant info' "$(get /_edge/tenant_info | jq 'has("cloudId")')" true
is 'approximate-count' "$(get /rest/api/3/search/approximate-count -d '{"jql":"updated >= 0"}')" '{"count":500}'
is 'an unknown path is 404' "$(status get /rest/api/3/nothing)" 404
like 'the old search is gone' "$(get '/rest/api/3/search?jql=project=PLATFORM' -w '%{http_code}')" 'has been removed.*410$'
is 'the old search of version 2 is gone, too' "$(status get /rest/api/2/search -d '{}')" 410

# pages
is 'only ids by default' "$(search 'updated >= 0 ORDER BY id ASC' 'maxResults: 1' | jq -c '.issues')" '[{"id":"10001"}]'
is 'GET and POST agree' \
	"$(get '/rest/api/3/search/jql?maxResults=7&fields=summary,status&fields=labels' -G --data-urlencode 'jql=updated >= 0 ORDER BY key' | jq -c .issues | md5sum)" \
	"$(search 'updated >= 0 ORDER BY key' 'maxResults: 7, fields: ["summary", "status", "labels"]' | jq -c .issues | md5sum)"
is 'at most 100 with fields' "$(search 'updated >= 0' 'maxResults: 1000, fields: ["summary"]' | jq '.issues | length')" 100
is 'up to 5000 with ids' "$(search 'updated >= 0' 'maxResults: 5000' | jq -c '[(.issues | length), .isLast, has("nextPageToken")]')" '[500,true,false]'
is 'fields are honoured' "$(search 'key = PLATFORM-1' 'fields: ["summary", "nope"]' | jq -c '.issues[0].fields | keys')" '["summary"]'
is '*all without one' "$(search 'key = PLATFORM-1' 'fields: ["*all", "-comment"]' | jq -c '.issues[0].fields | [has("comment"), has("worklog"), length > 50]')" '[false,true,true]'
is '*navigable' "$(search 'key = PLATFORM-1' 'fields: ["*navigable"]' | jq -c '.issues[0].fields | [has("comment"), has("summary")]')" '[false,true]'
is 'version 2 has text, 3 has ADF' \
	"$(for v in 2 3; do get "/rest/api/$v/search/jql?fields=description" -G --data-urlencode 'jql=key = PLATFORM-5' | jq -r '.issues[0].fields.description | type'; done | paste -sd' ')" 'string object'
is 'a walk by updated brings every issue once, in order' \
	"$(walk 'updated >= 0 ORDER BY updated ASC, key ASC' 30 | jq -rc .id | sort | uniq -c | awk '$1 == 1' | wc -l)" 500
is 'a walk is the truth' \
	"$(walk 'project = PLATFORM ORDER BY id' 100 | jq -c '[.id, .key, .fields.summary]' | md5sum)" \
	"$(sim 'issues?project=PLATFORM' | jq -c '[.id, .key, .summary]' | md5sum)"
first=$(search 'project = PLATFORM ORDER BY updated' 'maxResults: 3')
token=$(jq -c .nextPageToken <<<"$first")
is 'a token goes on' "$(search 'project = PLATFORM ORDER BY updated' "maxResults: 3, nextPageToken: $token" | jq '.issues | length')" 3
is 'a token of another query is 400' "$(status search 'project = MOBILE ORDER BY updated' "nextPageToken: $token")" 400
is 'a token that is none is 400' "$(status search 'project = MOBILE' 'nextPageToken: "abc"')" 400
sim 'settings?expire_tokens=1' >/dev/null
is 'an expired token is 400' "$(status search 'project = PLATFORM ORDER BY updated' "nextPageToken: $token")" 400
is 'a body that is no object is 400' "$(status get /rest/api/3/search/jql -d '[1]')" 400
is 'fields must be an array' "$(status search 'project = PLATFORM' 'fields: "summary"')" 400
is 'expand must be a string' "$(status search 'project = PLATFORM' 'expand: ["names"]')" 400
is 'page_cap' "$(sim 'settings?page_cap=5' >/dev/null; search 'updated >= 0' 'maxResults: 50, fields: ["summary"]' | jq '.issues | length')" 5

# what is in an issue
sim 'settings?page_cap=100' >/dev/null
is 'ignore_fields' "$(sim 'settings?ignore_fields=1' >/dev/null; search 'updated >= 0' 'maxResults: 1, fields: ["summary"]' | jq '.issues[0].fields | has("comment")'; sim 'settings?ignore_fields=0' >/dev/null)" true
is 'some have no assignee' "$(sim issues | jq -s '[.[] | select(.assignee == null)] | length > 20')" true
is 'dates have the offset of the zone' \
	"$(search 'key = PLATFORM-1' 'fields: ["updated"]' | jq -r '.issues[0].fields.updated[-5:]')" +0100
is 'second story points' \
	"$(sim 'settings?second_points=1' >/dev/null; get /rest/api/3/field | jq '[.[] | select(.name == "Story Points" or .name == "Story point estimate")] | length')" 2
is 'issues are about 4 kB' "$(search 'project = PLATFORM' 'maxResults: 100, fields: ["*all"]' | wc -c | awk '{print ($1 > 390000 && $1 < 500000)}')" 1
is 'the data follow from the seed' \
	"$(sim 'reset?issues=50&seed=9' >/dev/null; sim issues | sed 's/127[^/]*//' | md5sum; sim 'reset?issues=60&seed=1' >/dev/null)" \
	"$(sim 'reset?issues=50&seed=9' >/dev/null; sim issues | sed 's/127[^/]*//' | md5sum)"
