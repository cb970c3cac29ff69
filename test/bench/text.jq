# table.json as text.
def number: if . == null then "-" elif fabs >= 1000 then round | tostring elif fabs >= 100 then (. * 10 | round) / 10 | tostring
    else (. * 1000 | round) / 1000 | tostring end;
def blanks($n): " " * ([$n, 0] | max) // "";
def pad_left($n): blanks($n - length) + .;
def pad_right($n): . + blanks($n - length);

"resolute on PostgreSQL \(.server), \(.machine), settings: \(.settings), load \(.load)",
"median (range) of so many runs; ratios are of one round each",
(.table | reduce .[] as $f ({}; .[$f.group] += [$f]) | to_entries[] |
    "", .key,
    (.value[] | "  " + (.name | pad_right(46)) + (.value | number | pad_left(10)) + " " + (.unit | pad_right(6))
        + ("(\(.low | number) - \(.high | number))" | pad_right(22)) + ("\(.runs)" | pad_left(3))
        + (if .bar then "  " + (.bar | pad_right(8)) + (if .ok then "ok" else "MISSED" end) else "" end)))
