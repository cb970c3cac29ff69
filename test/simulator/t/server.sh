# Jira Server: endpoints, numbered pages, shapes
start --issues 300 --flavour server --context /jira

is 'the context is part of the URL' "${S##*/}" jira
is 'nothing is outside the context' "$(curl -sS -o /dev/null -w '%{http_code}' "${auth[@]}" "${S%/jira}/rest/api/2/myself")" 404
is 'serverInfo says Server' "$(curl -sS "$S/rest/api/2/serverInfo" | jq -r .deploymentType)" Server
is 'myself has a name and no account id' "$(get /rest/api/2/myself | jq -c '[.name, has("accountId")]')" '["ada",false]'
is 'story points are a float' "$(get /rest/api/2/field | jq -r '.[] | select(.name == "Story Points").schema.custom')" com.atlassian.jira.plugin.system.customfieldtypes:float
is 'search/jql is 404' "$(status get /rest/api/2/search/jql?jql=project=PLATFORM)" 404
is 'version 3 is 404' "$(status get /rest/api/3/search?jql=project=PLATFORM)" 404

page=$(server 'ORDER BY updated ASC, key ASC' 'maxResults=10&startAt=295')
is 'startAt, maxResults, total' "$(jq -c '[.startAt, .maxResults, .total, (.issues | length)]' <<<"$page")" '[295,10,300,5]'
is 'POST and GET agree' "$(get /rest/api/2/search -d '{"jql":"ORDER BY updated ASC, key ASC","maxResults":10,"startAt":295}')" "$page"
is 'navigable fields by default' "$(jq -c '.issues[0].fields | [has("summary"), has("comment")]' <<<"$page")" '[true,false]'
is 'descriptions are text' "$(jq -r '[.issues[].fields.description | type] | unique - ["null", "string"] | length' <<<"$page")" 0
is 'people have names' "$(server 'assignee is not EMPTY' 'maxResults=1' | jq -c '.issues[0].fields.assignee | [has("name"), has("key"), has("accountId")]')" '[true,true,false]'
is 'maxResults is lowered silently' \
	"$(sim 'settings?server_cap=7' >/dev/null; server 'project = PLATFORM' 'maxResults=50' | jq -c '[.maxResults, (.issues | length)]')" '[7,7]'
is 'maxResults=0 only counts' "$(server 'project in (PLATFORM, MOBILE, DATA)' 'maxResults=0' | jq -c '[.total, .issues]')" '[300,[]]'
is 'the Cloud prefix works here, too' "$(get /cloud/rest/api/3/search/jql -d '{"jql":"project = PLATFORM"}' | jq 'has("isLast")')" true
is 'numbered pages drift' \
	"$(sim reset >/dev/null; a=$(server 'ORDER BY updated ASC, key' 'maxResults=3&startAt=3' | jq -r '.issues[0].key')
	sim 'edit?id=10001' >/dev/null; b=$(server 'ORDER BY updated ASC, key' 'maxResults=3&startAt=3' | jq -r '.issues[0].key'); [ "$a" != "$b" ] && echo moved)" moved
