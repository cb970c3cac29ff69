# Options, TLS, ports, speed
start --issues 10 --port-file "$work/port" --log "$work/log" --email e@x.org --token t0
is 'the port file' "http://127.0.0.1:$(cat "$work/port")" "$S"
is 'the account' "$(curl -sS -u e@x.org:t0 -o /dev/null -w '%{http_code}' "$S/rest/api/3/myself")" 200
is 'the log file' "$(curl -sS -o /dev/null "$S/rest/api/3/myself"; jq -sc 'map([.path, .status])' "$work/log")" '[["/rest/api/3/myself",200],["/rest/api/3/myself",401]]'
sim quit >/dev/null
is 'quit ends it' "$(read -r -t 10 -u "$start_out" _; echo $?; [ -e "$work/port" ] && echo there)" 1
is 'a wrong zone' "$(./simulator --timezone Mars/Olympus 2>&1)" 'simulator: unknown time zone: Mars/Olympus'
is 'a wrong end' "$(./simulator --end soon 2>&1 | cut -c1-22)" 'simulator: --end is "n'
is 'twice the same project' "$(./simulator --projects A,A 2>&1 | cut -c1-28)" 'simulator: projects must be '
is 'an unknown option' "$(./simulator --nope >/dev/null 2>&1; echo $?)" 2
start --issues 20 --end now
is 'data up to now' "$(sim issues | jq -s --argjson now "$(date +%s000)" 'max_by(.updated_ms).updated_ms | . > $now - 120000 and . <= $now + 5000')" true
is 'ends with its parent' "$(port=$(timeout 20 bash -c './simulator --issues 1 --exit-with-parent --port-file "$0" >/dev/null &
	until [ -s "$0" ]; do :; done; cat "$0"' "$work/port2"); while curl -s -m 5 "http://127.0.0.1:$port/_sim" >/dev/null; do :; done; echo "${port:+gone}")" gone

if command -v openssl >/dev/null && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
	-addext subjectAltName=IP:127.0.0.1,DNS:localhost -keyout "$work/key" -out "$work/cert" 2>/dev/null; then
	start --issues 10 --tls-cert "$work/cert" --tls-key "$work/key" --tls-port-file "$work/tls"
	read -r -t 10 -u "$start_out" tls
	is 'the TLS port' "https://127.0.0.1:$(cat "$work/tls")" "$tls"
	is 'an untrusted certificate' "$(curl -s "$tls/rest/api/2/serverInfo"; echo $?)" 60
	is 'a trusted one' "$(curl -sS --cacert "$work/cert" "$tls/rest/api/2/serverInfo" | jq -r .deploymentType)" Cloud
else
	echo '# openssl cannot make a certificate here: TLS was not tried'
fi

# Not a timed test, only told: 100 000 issues over one connection.
start --issues 100000 --projects PLATFORM
for i in $(seq 0 100 99900); do
	printf 'url = "%s/server/rest/api/2/search?maxResults=100&startAt=%s&fields=*all&jql=project=PLATFORM"\noutput = /dev/null\n' "$S" "$i"
done >"$work/urls"
began=$(date +%s%N)
curl -sS "${auth[@]}" -K "$work/urls"
ended=$(date +%s%N)
is 'all were sent' "$(sim stats | jq .issues)" 100000
echo "# $(sim stats | jq -r .bytes) bytes in $(((ended - began) / 1000000)) ms"
