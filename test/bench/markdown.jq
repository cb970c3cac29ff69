# table.json as Markdown.
def number: if . == null then "-" elif fabs >= 1000 then round | tostring elif fabs >= 100 then (. * 10 | round) / 10 | tostring
    elif fabs >= 10 then (. * 100 | round) / 100 | tostring else (. * 1000 | round) / 1000 | tostring end;
def groups: reduce .[] as $f ([]; if length > 0 and .[-1][0].group == $f.group then .[-1] += [$f] else . + [[$f]] end);
def row: "| \(.name) | \(.value | number) \(.unit) | \(.low | number) – \(.high | number) | \(.runs) | "
    + (if .bar then "\(.bar) \(if .ok then "ok" else "MISSED" end)" else "" end) + " |";

"PostgreSQL \(.server), \(.machine), settings: \(.settings). Median and range of so many runs; ratios are of one round each.",
(.table | groups[] | "", "**\(.[0].group)**", "", "| figure | median | range | runs | bar |", "| --- | --- | --- | --- | --- |", (.[] | row))
