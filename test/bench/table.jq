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
  def seconds($figure; $issues; $field): runs($figure; $issues) | map(.[$field] / (.share // 1) / 1000);
  # Of each round: the field of one figure (taken by f) by the sum of the others'.
  def by_round(f; $figure; $others; $issues):
    [runs($figure; $issues)[] as $one | [$others[] as $other | runs($other; $issues)[] | select(.round == $one.round) | f]
     | select(length == ($others | length)) | ($one | f) / add];
  def cpu: .cpu_ms / (.share // 1);
  def wall: .wall_ms / (.share // 1);
  def time_of($figure; $issues; $name): seconds($figure; $issues; "cpu_ms") | figure($name + ", CPU"; "s");
  def both_times($figure; $issues; $name): time_of($figure; $issues; $name),
    (seconds($figure; $issues; "wall_ms") | figure($name + ", time"; "s"));
  # Where the time of a run went, in seconds.
  def went($figure; $issues; $name; f): runs($figure; $issues) | map((.steps | f) / 1000) | figure($name; "s");

  ($all | map(select(.figure == "drain").issues) | unique) as $sizes
| ($sizes | if index(100000) then 100000 else max end) as $main
| def at_main($issues; f): if $issues == $main then f else . end;
  {call: "CALL", run_flow: "run_flow"} as $names
| [
  ($sizes[] as $i
    | both_times("drain"; $i; "floor: drain, all bytes"),
      time_of("drain-projected"; $i; "floor: drain, projected"),
      both_times("floor-insert"; $i; "floor: upsert of typed rows, first"),
      time_of("floor-update"; $i; "floor: upsert of typed rows, all changed"),
      time_of("blind"; $i; "floor: upsert of typed rows, unchanged"),
      time_of("json-lexer"; $i; "reference: one pass of ::json"),
      both_times("jsonb-cast"; $i; "reference: one ::jsonb cast"),
      both_times("plpgsql"; $i; "reference: PL/pgSQL, stored pages, no HTTP"),
      (seconds("commits"; $i; "wall_ms") | figure("reference: a durable commit per page, time"; "s")),
      ($names | to_entries[] as $form
        | both_times("first-\($form.key)"; $i; "\($form.value), first, all bytes"),
          both_times("projected-\($form.key)"; $i; "\($form.value), first, projected"),
          both_times("changed-\($form.key)"; $i; "\($form.value), all changed"),
          both_times("reread-\($form.key)"; $i; "\($form.value), nothing changed"))
    | . + {group: "\($i) issues: what it takes"}),
  ($sizes[] as $i
    | ($names | to_entries[] as $form
        | (by_round(cpu; "first-\($form.key)"; ["drain", "floor-insert"]; $i) | figure("\($form.value) first / floor, CPU"; "x") | at_main($i; at_most(1.6))),
          (by_round(cpu; "projected-\($form.key)"; ["drain-projected", "floor-insert"]; $i) | figure("\($form.value) first, projected / its floor, CPU"; "x")),
          (by_round(cpu; "changed-\($form.key)"; ["drain-projected", "floor-update"]; $i) | figure("\($form.value) all changed / its floor, CPU"; "x")),
          (by_round(cpu; "reread-\($form.key)"; ["drain-projected", "blind"]; $i) | figure("\($form.value) nothing changed / its floor, CPU"; "x")),
          ([runs("reread-\($form.key)"; $i)[] as $r | runs("blind"; $i)[] | select(.round == $r.round) | .wall_ms / $r.steps.upsert.work_ms]
            | figure("blind upsert / \($form.value)'s upsert, unchanged, time"; "x") | at_main($i; at_least(1.5))),
          (runs("reread-\($form.key)"; $i) | map(.changes) | figure("\($form.value) nothing changed: WAL records on the target"; "") | at_most(0)),
          ([runs("plpgsql"; $i)[] as $r | runs("first-\($form.key)"; $i)[] | select(.round == $r.round) | ($r | cpu) / cpu]
            | figure("PL/pgSQL without HTTP / \($form.value), CPU"; "x") | at_main($i; at_least(2.7))),
          ([runs("plpgsql"; $i)[] as $r | runs("first-\($form.key)"; $i)[] | select(.round == $r.round) | ($r | wall) / wall]
            # one transaction against one transaction: PL/pgSQL has no commit per page
            | figure("PL/pgSQL without HTTP / \($form.value), time"; "x") | if $form.key == "run_flow" then at_main($i; at_least(2.7)) else . end),
          (runs("idle-\($form.key)"; $i) | (map(.requests) | figure("\($form.value) nothing new: requests"; "") | at_most(1)),
            (map(.cpu_ms) | figure("\($form.value) nothing new: CPU"; "ms") | at_most(5)),
            (map(.changes) | figure("\($form.value) nothing new: WAL records on the target"; "") | at_most(0))))
    | . + {group: "\($i) issues: against floor and peers"}),
  ($sizes[] as $i
    | ($names | to_entries[] as $form | runs("first-\($form.key)"; $i)
        | (map($i * 1000 / .wall_ms) | figure("\($form.value) first: issues per second"; "1/s")),
          (map($i * 1000 / .cpu_ms) | figure("\($form.value) first: issues per CPU second"; "1/s")),
          (map(.peak_kb / 1024) | figure("\($form.value) first: peak memory of the backend"; "MB")),
          (map(.wal_bytes / 1048576) | figure("\($form.value) first: WAL"; "MB")),
          (map(.requests) | figure("\($form.value) first: requests"; ""))),
      (runs("floor-insert"; $i) | map(.wal_bytes / 1048576) | figure("floor, first: WAL"; "MB")),
      (runs("reread-call"; $i) | map(.wal_bytes / 1048576) | figure("CALL nothing changed: WAL"; "MB")),
      (runs("blind"; $i) | map(.wal_bytes / 1048576) | figure("blind upsert of the same: WAL"; "MB")),
      # against the first 10 000 of the same issues, in the same round
      ([runs("first-call"; $i)[] as $r | runs("small-call"; $i)[] | select(.round == $r.round) | ($r.cpu_ms / $i) / (.cpu_ms / 10000)]
        | figure("CALL first: CPU per issue, \($i) / 10000"; "x") | at_most(1.15)),
      ([runs("floor-insert"; $i)[] as $r | runs("floor-small"; $i)[] | select(.round == $r.round) | ($r.cpu_ms / $i) / (.cpu_ms / 10000)]
        | figure("the same of the floor's upsert"; "x"))
    | . + {group: "\($i) issues: rates, memory, WAL"}),
  (($sizes | select(length > 1)) | [runs("first-call"; $sizes | max)[] as $r | runs("first-call"; $sizes | min)[] | select(.round == $r.round)
      | ($r.peak_kb - .peak_kb) / 1024]
    | figure("peak memory, \($sizes | max) issues against \($sizes | min)"; "MB") | at_most(16) + {group: "all sizes"}),
  ($sizes[] as $i | $names | to_entries[] as $form | "first-\($form.key)" as $run
    | went($run; $i; "wait for the network"; .jira_fetch_issues.wait_ms),
      went($run; $i; "receive"; .jira_fetch_issues.recv_ms),
      went($run; $i; "read JSON"; .jira_fetch_issues.work_ms),
      went($run; $i; "transform (map, unique)"; .map.work_ms + .unique.work_ms),
      went($run; $i; "upsert"; .upsert.work_ms),
      went($run; $i; "books: cursor, progress, subtransactions"; .upsert.books_ms),
      went($run; $i; "commit"; .upsert.commit_ms),
      (runs($run; $i) | map((.wall_ms - ([.steps[] | .wait_ms + .recv_ms + .work_ms + .books_ms + .commit_ms] | add)) / 1000) | figure("the rest"; "s")),
      (runs($run; $i) | map(.user_ms / 1000) | figure("(CPU as user)"; "s")),
      (runs($run; $i) | map(.system_ms / 1000) | figure("(CPU as system)"; "s"))
    | . + {group: "where the time goes: \($form.value) first, all bytes, \($i) issues"}),
  ((runs("reader"; 0) | map(.bytes / .cpu_ms / 1e6) | figure("JSON reader, 12 fields of 4 kB"; "GB/s") | at_least(1)),
   (({"page": "from a page's text", "jsonb": "from jsonb"} | to_entries[]) as $from
     | ($all | map(select(.figure == "template-\($from.key)") | .issues * 1000 / .cpu_ms) | figure("template, \($from.value): rows per CPU second"; "1/s")),
       ($all | map(select(.figure == "by-hand-\($from.key)") | .issues * 1000 / .cpu_ms) | figure("jsonb_build_object, \($from.value): rows per CPU second"; "1/s")),
       (by_round(cpu; "by-hand-\($from.key)"; ["template-\($from.key)"]; 2000) | figure("template / jsonb_build_object, \($from.value), speed"; "x")))
   | . + {group: "parts"}),
  ({wide: "50 kB and 300 custom fields, all bytes", narrow: "3 fields"} | to_entries[] as $kind
    | ($all | map(select(.figure == "\($kind.key)-call")) | .[0].issues // 0) as $i
    | (runs("\($kind.key)-call"; $i)
        | (map(.cpu_ms * 1000 / $i) | figure("CPU per issue"; "us")),
          (map(.bytes / .cpu_ms / 1000) | figure("bytes per CPU second"; "MB/s")),
          (map(.peak_kb / 1024) | figure("peak memory of the backend"; "MB"))),
      (by_round(cpu; "\($kind.key)-call"; ["drain-\($kind.key)", "floor-\($kind.key)"]; $i) | figure("CALL first / floor, CPU"; "x"))
    | . + {group: "\($kind.key) issues: \($kind.value)"}),
  ($all | map(select(.figure == "latency-token" or .figure == "latency-offset")) | group_by([.figure, .latency_ms, .concurrency])[] as $runs
    | $runs[0] as $run | ($run.figure | ltrimstr("latency-")) as $paging
    | ($runs | map(.wall_ms / .searches) | figure("\($paging), \($run.latency_ms) ms, \($run.concurrency) in flight: time per page"; "ms")),
      (if $run.latency_ms > 0 and $run.concurrency == 1 then $runs | map(.wall_ms / (.searches * .latency_ms))
         | figure("\($paging), \($run.latency_ms) ms: time / (pages x latency)"; "x")
         | if $run.latency_ms == 50 and $paging == "token" then at_most(1.03) else . end else empty end),
      (if $paging == "token" then by_round(wall; "latency-token"; ["drain-\($run.latency_ms)"]; $run.issues)
         | figure("token, \($run.latency_ms) ms: time / drain"; "x") else empty end),
      (if $run.concurrency > 1 then [$runs[] as $r | $all[] | select(.figure == $r.figure and .latency_ms == $r.latency_ms and .concurrency == 1
           and .round == $r.round) | .wall_ms / $r.wall_ms] | figure("\($paging), \($run.latency_ms) ms: \($run.concurrency) in flight, times as fast"; "x")
         | if $run.latency_ms == 50 and $run.concurrency == 8 then at_least(6) else . end else empty end)
    | . + {group: "latency a page"}),
  (({cancel: "cancel", terminate: "terminate"} | to_entries[]) as $how | $all | map(select(.figure == $how.key)) | select(length > 0)
    | (map(.wall_ms) | figure("\($how.value) while the peer is silent"; "ms") | at_most(50) + {group: "guest"})),
  ($all | map(select(.held)) | select(length > 0)
    | ([map(select(.held.xmin != null)) | length] | figure("backends with a backend_xmin while waiting"; "") | at_most(0)),
      (map(.held.locks) | figure("relation locks held while waiting"; "") | at_most(0))
    | . + {group: "guest"})
] | {server: $server, machine: $machine, load: $load, settings: "default, fsync on (autovacuum off for the measured tables)", table: .}
