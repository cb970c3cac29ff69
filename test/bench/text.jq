# table.json as text.
def number: if . == null then "-" elif fabs >= 1000 then round | tostring elif fabs >= 100 then (. * 10 | round) / 10 | tostring
    else (. * 1000 | round) / 1000 | tostring end;
def blanks($n): " " * ([$n, 0] | max) // "";
def pad_left($n): blanks($n - length) + .;
def pad_right($n): . + blanks($n - length);
# The groups in the order of the table.
def groups: reduce .[] as $f ([]; if length > 0 and .[-1][0].group == $f.group then .[-1] += [$f] else . + [[$f]] end);

"resolute on PostgreSQL \(.server), \(.machine), settings: \(.settings), load \(.load)",
"median (range) of so many runs; ratios are of one round each",
(.table | groups[] | "", .[0].group,
    (.[] | "  " + (.name | pad_right(58)) + (.value | number | pad_left(9)) + " " + (.unit | pad_right(5))
        + ("(\(.low | number) - \(.high | number))" | pad_right(20)) + ("\(.runs)" | pad_left(3))
        + (if .bar then "  " + (.bar | pad_right(8)) + (if .ok then "ok" else "MISSED" end) else "" end))),
"",
(.table | map(select(.bar)) | "\(map(select(.ok)) | length) of \(length) bars kept"
    + (map(select(.ok | not) | "\n  MISSED: \(.group): \(.name)") | add // ""))
