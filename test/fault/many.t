#!/usr/bin/perl
# 200 flows are defined, and 20 of them run at once: each brings its own table.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Flow;
use Test::More;

use constant { FLOWS => 200, AT_ONCE => 20, ISSUES => 45 };

sim('reset', issues => ISSUES);
use_simulator();
create_target('issues');
must(<<'SQL');
CREATE FUNCTION create_flow(name text, target text) RETURNS integer LANGUAGE sql AS $f$
SELECT resolute.create_flow(name, resolute.schedule('0 * * * *'),
    resolute.as('issues', resolute.jira_fetch_issues('jira', jql => 'updated >= ${cursor}', cursor => resolute.cursor_for(name), page_size => 10)),
    resolute.as('rows', resolute.map('issues', template => $${
        "id": {{.Id}}, "key": "{{.Key}}", "summary": "{{.Summary}}", "status": "{{.Status}}",
        "assignee": "{{.Assignee}}", "updated": "{{.Updated}}", "labels": {{json .Labels}}, "synced": "{{now}}"}$$)),
    resolute.as('unique', resolute.unique('rows', key => 'id')),
    resolute.as('stored', resolute.upsert('unique', target => target, key => 'id')));
$f$;
SQL
must("SET client_min_messages = error;\n"
	  . join("\n", map { "CREATE TABLE issues_$_ (LIKE issues INCLUDING ALL);" } 1 .. AT_ONCE)
	  . "\nDO \$\$ BEGIN FOR i IN 1 .. " . FLOWS . " LOOP PERFORM create_flow('flow ' || i, 'issues_' || least(i, " . AT_ONCE . ")); END LOOP; END \$\$;");
is(psql("SELECT count(*), count(status) FROM resolute.flow_status;"), FLOWS . '|0', 'many flows are defined');

# All of them wait at the barrier until the last one has come.
sim('block');
my @sessions = map { start_session("CALL resolute.run('flow $_');") } 1 .. AT_ONCE;
sim('wait', blocked => AT_ONCE);
is(psql("SELECT count(*) FROM resolute.flow_status WHERE status = 'running';"), AT_ONCE, 'as many run at once');
is(psql("SELECT count(*) FROM pg_stat_activity a JOIN resolute.runs r USING (pid) WHERE r.status = 'running' AND a.backend_xmin IS NOT NULL;"),
	0, 'and none of them holds back vacuum while it waits');
like(psql("CALL resolute.run('flow 7');"), qr/^$/, 'another run of one of them');
is(last_run("flow || ' ' || status"), 'flow 7 skipped', 'is skipped');
sim('release');
is(join('', map { end_session($_) } @sessions), '', 'all of them end well');
is(psql("SELECT status, count(*), sum(inserted) FROM resolute.runs WHERE status <> 'skipped' GROUP BY 1;"),
	'succeeded|' . AT_ONCE . '|' . AT_ONCE * ISSUES, 'and have brought all rows');
same_as_source("flow $_ has its own table", "issues_$_") for 1, 7, AT_ONCE;
is(psql("SELECT count(*) FROM resolute.cursors WHERE moved_at IS NOT NULL;"), AT_ONCE, 'and its own cursor');

# Two flows with one target: what the one has stored is unchanged to the other.
@sessions = map { start_session("CALL resolute.run('flow $_');") } AT_ONCE + 1 .. AT_ONCE + 2;
is(join('', map { end_session($_) } @sessions), '', 'flows may share a target');
same_as_source('which holds the same as before', 'issues_' . AT_ONCE);
must("SET client_min_messages = error; SELECT resolute.drop_flow(name) FROM resolute.flows;");
is(psql("SELECT count(*) FROM resolute.flow_status;"), 0, 'all of them are dropped');

done_testing();
