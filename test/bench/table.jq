# The lines of runs.jsonl (as an array) to the table: what was measured, and the bars.

def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;

# Values with the number that stands for them.
def figure($name; $unit): map(select(. != null)) | select(length > 0)
    | {name: $name, unit: $unit, value: median, low: min, high: max, runs: length};

# A figure with the bar that it has to keep.
def at_most($bar): . + {bar: "<= \($bar)", ok: (.value <= $bar)};
def at_least($bar): . + {bar: ">= \($bar)", ok: (.value >= $bar)};

. as $all
| def runs($figure; $issues): $all | map(select(.figure == $figure and .issues == $issues));
  def field($figure; $issues; $field): runs($figure; $issues) | map(.[$field]);
  # Of each round: the field of one figure by the sum of the others'.
  def ratio($figure; $others; $issues; $field):
    [range(1; 100) as $round | (runs($figure; $issues) | map(select(.round == $round))[0]) as $one
     | select($one != null) | [$others[] as $other | runs($other; $issues)[] | select(.round == $round) | .[$field]]
     | select(length == ($others | length)) | $one[$field] / add];
  def cpu($figure; $issues; $name): [field($figure; $issues; "cpu_ms")[] / 1000] | figure($name; "s CPU");

  ($all | map(select(.figure == "drain").issues) | unique) as $sizes
| ($sizes | if index(100000) then 100000 else max end) as $main
| def bars($issues; f): if $issues == $main then f else . end;
[
  ($sizes[] as $i
    | cpu("drain"; $i; "floor: drain, all bytes"),
      cpu("drain-projected"; $i; "floor: drain, projected fields"),
      cpu("floor-insert"; $i; "floor: unnest, first"),
      cpu("floor-update"; $i; "floor: unnest, all changed"),
      cpu("blind"; $i; "floor: unnest, unchanged (blind)"),
      cpu("json-lexer"; $i; "reference: ::json"),
      cpu("jsonb-cast"; $i; "reference: ::jsonb"),
      cpu("plpgsql"; $i; "reference: PL/pgSQL, stored pages"),
      ([field("commits"; $i; "wall_ms")[] / 1000] | figure("reference: durable commits, one a page"; "s")),
      cpu("first-run_flow"; $i; "run_flow, first, all bytes"),
      cpu("first-call"; $i; "CALL, first, all bytes"),
      cpu("first-projected"; $i; "CALL, first, projected"),
      cpu("changed"; $i; "CALL, all changed, projected"),
      cpu("reread"; $i; "CALL, all unchanged, all bytes"),
      (ratio("first-run_flow"; ["drain", "floor-insert"]; $i; "cpu_ms") | figure("run_flow first / floor, CPU"; "x") | bars($i; at_most(1.6))),
      (ratio("first-call"; ["drain", "floor-insert"]; $i; "cpu_ms") | figure("CALL first / floor, CPU"; "x") | bars($i; at_most(1.6))),
      (ratio("first-projected"; ["drain-projected", "floor-insert"]; $i; "cpu_ms") | figure("CALL first projected / its floor, CPU"; "x")),
      (ratio("changed"; ["drain-projected", "floor-update"]; $i; "cpu_ms") | figure("CALL all changed / its floor, CPU"; "x")),
      (ratio("reread"; ["drain", "blind"]; $i; "cpu_ms") | figure("CALL unchanged / drain + blind upsert, CPU"; "x")),
      ([runs("reread"; $i)[] as $r | runs("blind"; $i)[] | select(.round == $r.round) | .wall_ms / $r.steps.upsert.work_ms]
        | figure("blind upsert / our upsert, unchanged, time"; "x") | bars($i; at_least(1.5))),
      (field("reread"; $i; "changes") | figure("WAL records on the target, unchanged"; "") | at_most(0)),
      ([runs("plpgsql"; $i)[] as $r | runs("first-call"; $i)[] | select(.round == $r.round) | $r.cpu_ms / .cpu_ms]
        | figure("PL/pgSQL without HTTP / CALL, CPU"; "x") | bars($i; at_least(2.7))),
      ([runs("plpgsql"; $i)[] as $r | runs("first-run_flow"; $i)[] | select(.round == $r.round) | $r.wall_ms / .wall_ms]
        | figure("PL/pgSQL without HTTP / run_flow, time"; "x")),
      ([field("first-call"; $i; "wall_ms")[] | $i * 1000 / .] | figure("rows per second, CALL first"; "1/s")),
      ([field("first-call"; $i; "cpu_ms")[] | $i * 1000 / .] | figure("rows per CPU second, CALL first"; "1/s")),
      ([field("first-projected"; $i; "cpu_ms")[] | $i * 1000 / .] | figure("rows per CPU second, projected"; "1/s")),
      ([field("first-call"; $i; "peak_kb")[] / 1024] | figure("peak memory of the backend"; "MB")),
      ([field("first-call"; $i; "wal_bytes")[] / 1048576] | figure("WAL, CALL first"; "MB")),
      ([field("floor-insert"; $i; "wal_bytes")[] / 1048576] | figure("WAL, floor"; "MB")),
      ([field("reread"; $i; "wal_bytes")[] / 1048576] | figure("WAL, unchanged"; "MB")),
      ([field("blind"; $i; "wal_bytes")[] / 1048576] | figure("WAL, blind upsert of unchanged"; "MB")),
      (field("first-call"; $i; "requests") | figure("requests"; "")),
      (field("idle"; $i; "requests") | figure("nothing new: requests"; "") | at_most(1)),
      (field("idle"; $i; "cpu_ms") | figure("nothing new: CPU"; "ms") | at_most(5)),
      (field("idle"; $i; "changes") | figure("nothing new: WAL records on the target"; "") | at_most(0)),
      # where the time of a first sync goes
      (runs("first-call"; $i) | select(length > 0)
        | (map(.user_ms / 1000) | figure("CALL first: user"; "s CPU")),
          (map(.system_ms / 1000) | figure("CALL first: system"; "s CPU")),
          (map(.steps.jira_fetch_issues.wait_ms / 1000) | figure("CALL first: wait and receive"; "s")),
          (map(.steps.jira_fetch_issues.work_ms / 1000) | figure("CALL first: read JSON"; "s")),
          (map(.steps.map.work_ms / 1000) | figure("CALL first: map"; "s")),
          (map(.steps.unique.work_ms / 1000) | figure("CALL first: unique"; "s")),
          (map(.steps.upsert.work_ms / 1000) | figure("CALL first: upsert"; "s")),
          (map((.wall_ms - ([.steps[] | .wait_ms + .work_ms] | add)) / 1000) | figure("CALL first: commit and the rest"; "s")))
    | . + {group: "\($i) issues"}),
  ([$sizes[] as $i | runs("first-call"; $i) | select(length > 0) | map(.peak_kb / 1024) | median] | select(length > 1) | [max - min]
    | figure("peak memory, largest size against smallest"; "MB") | at_most(16) + {group: "all sizes"}),
  (runs("reader"; 0) | map(.bytes_per_second / 1e9) | figure("JSON reader, 12 fields of 4 kB"; "GB/s") | at_least(1) + {group: "parts"}),
  ($all | map(select(.figure == "template") | 1e7 / .cpu_ms) | figure("template rows per CPU second"; "1/s") | . + {group: "parts"}),
  ($all | map(select(.figure == "by-hand") | 1e7 / .cpu_ms) | figure("jsonb_build_object rows per CPU second"; "1/s") | . + {group: "parts"}),
  ($all | map(select(.figure | startswith("latency-"))) | group_by(.latency_ms)[] as $runs | $runs[0].latency_ms as $ms
    | (if $ms > 0 then $runs | map(.wall_ms / (.pages * $ms)) | figure("time / (pages x \($ms) ms)"; "x")
         | if $ms == 50 then at_most(1.03) else . end else empty end),
      (ratio("latency-\($ms)"; ["drain-\($ms)"]; $runs[0].issues; "wall_ms") | figure("time / drain at \($ms) ms"; "x"))
    | . + {group: "latency"}),
  ($all | map(select(.figure == "cancel")) | select(length > 0)
    | (map(.wall_ms) | figure("cancel while the peer is silent"; "ms") | at_most(50)),
      ([map(select(.held.xmin != null)) | length] | figure("backend_xmin held while waiting"; "") | at_most(0)),
      (map(.held.locks) | figure("relation locks held while waiting"; "") | at_most(0))
    | . + {group: "guest"})
] | {server: $server, machine: $machine, load: $load, settings: "default, fsync on (autovacuum off for the measured tables)", table: .}
