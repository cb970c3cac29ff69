# table.json as Markdown: the bars, and what is worth comparing side by side.
def number: if . == null then "" elif fabs >= 1000 then round | tostring elif fabs >= 100 then (. * 10 | round) / 10 | tostring
    elif fabs >= 10 then (. * 100 | round) / 100 | tostring else (. * 1000 | round) / 1000 | tostring end;
def with_unit: "\(.value | number) \(.unit)" | rtrimstr(" ");
def row: "| " + join(" | ") + " |";
def in_order: reduce .[] as $x ([]; if index([$x]) then . else . + [$x] end);
# Names by columns: a row for each name, its values from the column's figures.
def side_by_side($title; $columns): . as $figures
    | ([$title] + $columns | row), ([$title] + $columns | map("---") | row),
      (map(.name) | in_order[] as $name
        | [$name] + [$columns[] as $c | [$figures[] | select(.name == $name and .column == $c)][0] // null | if . then with_unit else "" end] | row);

"PostgreSQL \(.server), \(.machine), settings: \(.settings). Medians of so many runs; a ratio is that of one round, in which both were measured.",
"",
("| | measured | range | runs | bar | |", "| --- | --- | --- | --- | --- | --- |"),
(.table[] | select(.bar) | ["\(.group | sub(":.*| a page"; "")): \(.name)", with_unit, "\(.low | number) – \(.high | number)", "\(.runs)", .bar,
    if .ok then "ok" else "**missed**" end] | row),
"",
(.table | map(select(.group | test("what it takes|rates")) | .column = (.group | sub(":.*"; "")))
    | side_by_side("figure"; map(.column) | in_order)),
"",
(.table | map(select(.group | startswith("where the time goes")) | .column = (.group | sub("where the time goes: "; "") | sub(", all bytes"; "")))
    | if length > 0 then side_by_side("where the time goes"; map(.column) | in_order) else empty end),
"",
("| | measured | range |", "| --- | --- | --- |"),
(.table[] | select((.group | test("^(parts|wide|narrow)")) and (.bar | not)) | [("\(.group | sub("parts"; "")): \(.name)" | ltrimstr(": ")), with_unit,
    "\(.low | number) – \(.high | number)"] | row),
"",
(.table | map(select(.group == "latency a page" and (.name | test("time per page"))) | (.name | capture("^(?<row>[^,]*, [0-9]+ ms), (?<column>.*): time per page$")) as $at
    | . + {name: $at.row, column: $at.column})
    | if length > 0 then side_by_side("time per page"; map(.column) | in_order) else empty end)
