package main

import "strings"

// The hand-picked pairs: every template of a group over the same document.

const document = `{"Name": "Ann", "Empty": "", "Zero": 0, "One": 1, "Neg": -7, "Big": 9223372036854775807,
"Huge": 123456789012345678901234567890, "F": 1.5, "FZ": 0.0, "FB": 1000000.0, "Small": 0.000001, "Third": 0.3333333333333333,
"T": true, "No": false, "Null": null, "L": [1, 2, 3], "LS": ["a", "b", "c"], "LE": [],
"LM": [1, "x", null, true, 2.5, [1], {"k": "v"}], "M": {"b": 2, "a": 1, "c": {"d": "deep"}}, "ME": {},
"U": "héllo, 世界 🎉", "Q": "a \"quoted\" <b>&'x'</b> \\ back=1", "NL": "line1\nline2\ttab", "K": "a", "I": 1,
"Nested": {"A": {"B": {"C": "leaf", "N": null}}},
"People": [{"Name": "Bo", "Age": 30, "Tags": ["x", "y"]}, {"Name": "Cy", "Age": 25, "Tags": []}, {"Name": null, "Age": null}],
"odd key": "v", "Matrix": [[1, 2], [3, 4]], "Äpfel": "apples"}`

type group struct {
	name      string
	since     int
	templates []string
}

func handPicked() []pair {
	var pairs []pair
	for _, g := range append(actions, functions...) {
		for _, t := range g.templates {
			pairs = append(pairs, pair{g.name, t, document, g.since})
		}
	}
	for _, data := range []string{`null`, `1`, `"text"`, `[1, "two", null]`, `{}`, `true`, `2.5`, `[]`, `""`, `0`} {
		for _, t := range []string{`{{.}}`, `{{.A}}`, `{{range .}}<{{.}}>{{else}}none{{end}}`, `{{if .}}yes{{else}}no{{end}}`,
			`{{with .}}{{.}}{{end}}`, `{{printf "%v %T" . .}}`, `{{$.A}}`, `{{len .}}`, `{{index . 0}}`, `{{print . $}}`} {
			since := 0
			if strings.Contains(t, "range") {
				since = 24
			}
			pairs = append(pairs, pair{"dot of any kind", t, data, since})
		}
	}
	return pairs
}

var actions = []group{
	{"text", 0, []string{
		``, ` `, `plain`, "a\nb\n", `{`, `}`, `{ {`, `}}`, `a}}b`, `é世🎉`, `{{`, `{{}}`, `{{ }}`, `{{.Name}`, `{{{.Name}}}`,
		`{{.Name}} and {{.Name}}`, `{}{{.Name}}{}`, `"{{.Name}}"`, `%d {{.One}} %%`, `\n{{.Name}}\t`, `$ {{$.Name}}`,
	}},
	{"trim markers and comments", 0, []string{
		`a {{- .Name -}} b`, "a \n\t{{- .Name}} b", "{{.Name -}}\n\n b", `a {{-  3 -}} b`, `{{-3}}`, `{{- -3 -}}`, `{{3 -}} x`, `x {{- 3}}`,
		`{{-.Name}}`, `{{.Name-}}`, `a {{/* comment */}} b`, `a {{- /* comment */ -}} b`, `{{/* open`, `{{/* a */ x}}`, `{{ /* a */ }}`,
		`{{/*a*/ -}}  b`, `a  {{- /*a*/}} b`, "{{/* two\nlines */}}x", `{{- "x" -}}{{- "y" -}}`, ` {{- /* {{.Name}} */ -}} `,
		`{{"}}"}}`, "{{- `a` }} {{ `b` -}} c", `{{- if .T -}} x {{- end -}} y`, `a{{- " b " -}}c`, "\r\n{{- 1 -}}\r\n2",
	}},
	{"pipelines", 0, []string{
		`{{.Name | print}}`, `{{.Name | printf "%s-%s" "x"}}`, `{{"a" | print "b" | print "c"}}`, `{{.L | len | print}}`, `{{print (print (print 1))}}`,
		`{{(print 1 2)}}`, `{{(.M).a}}`, `{{(index .People 0).Name}}`, `{{.Name | .Name}}`, `{{1 | 2}}`, `{{.One | .}}`, `{{print | print}}`,
		`{{| print}}`, `{{.Name |}}`, `{{()}}`, `{{(print 1}}`, `{{print 1)}}`, `{{.Name .One}}`, `{{.Name 1}}`, `{{1 2}}`, `{{nil}}`, `{{nil | print}}`,
		`{{(.One | printf "%03d") | len}}`, `{{print ((1))}}`, `{{((print 1))}}`, `{{print (len .L) (len .LS)}}`, `{{.Missing | print}}`, `{{.Null | print}}`,
		`{{print 1,2}}`, `{{print 1 +2}}`, `{{1+2}}`, `{{"a""b"}}`, `{{print"a"}}`, `{{print "a"|len}}`, `{{ print   "a"  |  len  }}`, "{{print\n1\n2}}",
	}},
	{"variables", 0, []string{
		`{{$x := 1}}{{$x}}`, `{{$x := .Name}}{{$x}}{{$x = "b"}}{{$x}}`, `{{$x}}`, `{{$x = 1}}`, `{{$x := 1}}{{if .T}}{{$x = 2}}{{end}}{{$x}}`,
		`{{$x := 1}}{{if .T}}{{$x := 2}}{{$x}}{{end}}{{$x}}`, `{{if .T}}{{$y := 1}}{{end}}{{$y}}`, `{{$x := .M}}{{$x.a}}{{$x.c.d}}`,
		`{{$x := .Null}}{{$x}}`, `{{$x := .Missing}}{{$x.y}}`, `{{$.Name}}`, `{{$}}`, `{{$ := 1}}{{$}}`, `{{$x, $y := 1}}`, `{{$x:=1}}{{$x}}`,
		`{{$x := 1 | print | len}}{{$x}}`, `{{$a := "x"}}{{$b := $a}}{{$a = "y"}}{{$b}}`, `{{with $x := .Name}}{{$x}}{{end}}{{.One}}`, `{{$äö := 3}}{{$äö}}`,
		`{{$x := 1}}{{$x.y}}`, `{{$x := .L}}{{index $x 1}}`, `{{$x :=}}`, `{{$x := $x}}`, `{{$x = .Name}}`, `{{$1 := 2}}{{$1}}`, `{{$x : = 1}}`,
		`{{$x := 1}}{{range .L}}{{$x = .}}{{end}}{{$x}}`, `{{$x := 1}}{{define "d"}}{{$x}}{{end}}`, `{{$x := 5}}{{template "d" $x}}{{define "d"}}{{$}}{{end}}`,
		`{{$x := print "a" }}{{print $x $x}}`, `{{(($x := 2))}}`, `{{$ = 3}}{{$}}{{.Name}}`, `{{$x 1}}`, `{{$x := 1}}{{$x 1}}`,
	}},
	{"fields", 0, []string{
		`{{.Name}}`, `{{.name}}`, `{{.NAME}}`, `{{.Missing}}`, `{{.Missing.x.y}}`, `{{.Null}}`, `{{.Null.x}}`, `{{.Name.x}}`, `{{.One.x}}`, `{{.L.x}}`,
		`{{.M.a}}`, `{{.M.c.d}}`, `{{.M.c.e}}`, `{{.M.c.d.e}}`, `{{.Nested.A.B.C}}`, `{{.Nested.A.B.N}}`, `{{.Nested.A.B.N.x}}`, `{{.Äpfel}}`, `{{.äpfel}}`,
		`{{.L}}`, `{{.M}}`, `{{.ME}}`, `{{.LE}}`, `{{.LM}}`, `{{.People}}`, `{{.Big}}`, `{{.Huge}}`, `{{.F}}`, `{{.FZ}}`, `{{.FB}}`, `{{.Small}}`, `{{.Third}}`,
		`{{.Neg}}`, `{{.T}}`, `{{.No}}`, `{{.U}}`, `{{.Q}}`, `{{.NL}}`, `{{.}}`, `{{. .}}`, `{{.1}}`, `{{.a-b}}`, `{{..}}`, `{{.M .a}}`, `{{.M. a}}`, `{{.M.}}`,
		`{{.Name.}}`, `{{true.x}}`, `{{nil.x}}`, `{{1.x}}`, `{{"a".x}}`, `{{..Name}}`,
	}},
	{"literals", 0, []string{
		`{{1}}`, `{{-1}}`, `{{+1}}`, `{{0x1F}}`, `{{0X1f}}`, `{{0b101}}`, `{{0o17}}`, `{{017}}`, `{{08}}`, `{{1_000}}`, `{{1__0}}`, `{{0x_1}}`, `{{_1}}`, `{{1_}}`,
		`{{1.5}}`, `{{.5}}`, `{{5.}}`, `{{1e3}}`, `{{1E3}}`, `{{1e-3}}`, `{{1.5e+3}}`, `{{0x1p4}}`, `{{0x1.8p1}}`, `{{0x1.8}}`, `{{1e400}}`, `{{-0}}`, `{{-0.0}}`,
		`{{9223372036854775807}}`, `{{9223372036854775808}}`, `{{-9223372036854775808}}`, `{{99999999999999999999}}`, `{{1e20}}`, `{{1e21}}`, `{{100000.0}}`, `{{1000000.0}}`,
		`{{'a'}}`, `{{'\n'}}`, `{{'\''}}`, `{{'\x41'}}`, `{{'\101'}}`, `{{'世'}}`, `{{'\u4e16'}}`, `{{'\U0001F389'}}`, `{{'ab'}}`, `{{''}}`, `{{'\"'}}`, `{{'a}}`,
		`{{"a"}}`, `{{""}}`, `{{"\t\n\\\"|"}}`, `{{"\'"}}`, `{{"\a\b\f\r\v"}}`, `{{"\x41\101\u0041\U00000041"}}`, `{{"\xff"}}`, `{{"\400"}}`, `{{"\ud800"}}`, `{{"\q"}}`,
		`{{"a}}`, "{{\"a\nb\"}}", "{{`raw \\n \"q\"`}}", "{{`a\nb`}}", "{{`a\r\nb`}}", "{{`a}}", `{{true}}`, `{{false}}`, `{{True}}`, `{{nil}}`, `{{0x}}`, `{{0b}}`, `{{0b2}}`,
		`{{1.2.3}}`, `{{1a}}`, `{{0xg}}`, `{{1e}}`, `{{1e+}}`, `{{.}}`, `{{+}}`, `{{-}}`, `{{--1}}`, `{{"é世"}}`, `{{1_000.5}}`, `{{0_7}}`, `{{0x1e4}}`, `{{1.0}}`, `{{00}}`,
	}},
	{"if", 0, []string{
		`{{if .T}}yes{{end}}`, `{{if .No}}yes{{end}}`, `{{if .T}}a{{else}}b{{end}}`, `{{if .No}}a{{else}}b{{end}}`, `{{if .No}}a{{else if .T}}b{{else}}c{{end}}`,
		`{{if .No}}a{{else if .No}}b{{else}}c{{end}}`, `{{if .No}}a{{else if .No}}b{{end}}`, `{{if .Zero}}a{{else}}b{{end}}`, `{{if .One}}a{{else}}b{{end}}`,
		`{{if .Empty}}a{{else}}b{{end}}`, `{{if .Name}}a{{else}}b{{end}}`, `{{if .Null}}a{{else}}b{{end}}`, `{{if .Missing}}a{{else}}b{{end}}`, `{{if .LE}}a{{else}}b{{end}}`,
		`{{if .L}}a{{else}}b{{end}}`, `{{if .ME}}a{{else}}b{{end}}`, `{{if .M}}a{{else}}b{{end}}`, `{{if .FZ}}a{{else}}b{{end}}`, `{{if .F}}a{{else}}b{{end}}`, `{{if .Neg}}a{{end}}`,
		`{{if}}a{{end}}`, `{{if .T}}a`, `{{if .T}}a{{else}}b`, `{{else}}`, `{{end}}`, `{{if .T}}{{else}}{{else}}{{end}}`, `{{if .T}}a{{end}}{{end}}`,
		`{{if and .T .One}}a{{end}}`, `{{if $x := .Name}}{{$x}}{{end}}`, `{{if $x := .Null}}a{{else}}{{$x}}b{{end}}`, `{{if .T}}{{if .No}}a{{else}}b{{end}}{{end}}`,
		`{{if nil}}a{{end}}`, `{{if not .No}}a{{end}}`, `{{if eq .One 1}}a{{end}}`, `{{if .T}}{{.Name}}{{end}}{{.One}}`, `{{if "x"}}a{{end}}`, `{{if .T.x}}a{{end}}`,
	}},
	{"with", 0, []string{
		`{{with .M}}{{.a}}{{end}}`, `{{with .Name}}{{.}}{{end}}`, `{{with .Null}}a{{else}}b{{.Name}}{{end}}`, `{{with .Missing}}a{{else}}b{{end}}`, `{{with .Empty}}a{{end}}`,
		`{{with .M.c}}{{.d}}{{$.Name}}{{end}}`, `{{with $x := .M}}{{$x.a}}{{.b}}{{end}}`, `{{with .M}}{{with .c}}{{.d}}{{end}}{{.a}}{{end}}`, `{{with}}{{end}}`, `{{with .M}}`,
		`{{with .Zero}}a{{else}}{{.One}}{{end}}`, `{{with .L}}{{index . 0}}{{end}}`, `{{with index .People 0}}{{.Name}} is {{.Age}}{{end}}`, `{{with 5}}{{.}}{{end}}`,
		`{{with "a" | print "b"}}{{.}}{{end}}`, `{{with .M}}{{.Name}}{{end}}`, `{{with .No}}{{else}}{{.Name}}{{end}}`, `{{with nil}}{{end}}`, `{{with $}}{{.Name}}{{end}}`,
		`{{with .M}}{{$y := .a}}{{$y}}{{end}}`, `{{with $x := .Null}}{{else}}[{{$x}}]{{end}}`, `{{with .Name}}{{.x}}{{end}}`, `{{with (index .M "c")}}{{.d}}{{end}}`,
	}},
	{"else with", 23, []string{
		`{{with .Null}}a{{else with .M}}{{.a}}{{end}}`, `{{with .Null}}a{{else with .Missing}}b{{else}}c{{end}}`, `{{with .Null}}a{{else with .No}}b{{else with .One}}{{.}}{{end}}`,
		`{{with .Null}}a{{else if .T}}b{{end}}`, `{{if .No}}a{{else with .M}}b{{end}}`, `{{with $x := .Null}}a{{else with $y := .One}}{{$y}}{{end}}`,
	}},
	{"range", 0, []string{
		`{{range .L}}{{.}},{{end}}`, `{{range .LE}}a{{else}}b{{end}}`, `{{range .LE}}a{{end}}`, `{{range $e := .L}}{{$e}}{{end}}`, `{{range $i, $e := .L}}{{$i}}={{$e}} {{end}}`,
		`{{range .M}}{{.}} {{end}}`, `{{range $k, $v := .M}}{{$k}}={{$v}} {{end}}`, `{{range $v := .M}}{{$v}} {{end}}`, `{{range .ME}}a{{else}}b{{end}}`, `{{range .Null}}a{{else}}b{{end}}`,
		`{{range .Missing}}a{{else}}b{{end}}`, `{{range .Name}}a{{end}}`, `{{range .T}}a{{end}}`, `{{range .F}}a{{end}}`, `{{range .LM}}<{{.}}>{{end}}`, `{{range .People}}{{.Name}}:{{range .Tags}}{{.}}{{else}}-{{end}};{{end}}`,
		`{{range .Matrix}}{{range .}}{{.}}{{end}}/{{end}}`, `{{range $i, $r := .Matrix}}{{range $j, $c := $r}}{{$i}}{{$j}}{{$c}} {{end}}{{end}}`, `{{range .L}}{{$.Name}}{{end}}`, `{{range}}{{end}}`,
		`{{range $i, $e, $f := .L}}{{end}}`, `{{range $i, := .L}}{{end}}`, `{{range $i $e := .L}}{{end}}`, `{{range .L}}`, `{{range slice .L 1}}{{.}}{{end}}`, `{{range .People}}{{.Name.x}}{{end}}`,
		`{{range $i, $_ := .LS}}{{$i}}{{end}}`, `{{range .L}}{{else}}{{else}}{{end}}`, `{{range $x := .LE}}{{else}}[{{$x}}]{{end}}`, `{{range .LM}}{{.x}}{{end}}`, `{{range $k, $v := .Nested}}{{$k}}{{range $k, $v := $v}}{{$k}}{{end}}{{$k}}{{end}}`,
		`{{range nil}}{{end}}`, `{{range 1.5}}{{end}}`, `{{range "abc"}}{{end}}`, `{{$s := 0}}{{range .L}}{{$s = print $s .}}{{end}}{{$s}}`,
	}},
	{"range over integers and assignments", 24, []string{
		`{{range 3}}{{.}}{{end}}`, `{{range .I}}{{.}}{{end}}`, `{{range .Zero}}a{{else}}b{{end}}`, `{{range .Neg}}a{{else}}b{{end}}`, `{{range $i := 3}}{{$i}}{{end}}`, `{{range $i, $j := 3}}{{end}}`,
		`{{range 5}}{{if eq . 2}}{{continue}}{{end}}{{if eq . 4}}{{break}}{{end}}{{.}}{{end}}`, `{{range len .L}}{{.}}{{end}}`, `{{range 'a'}}{{if gt . 1}}{{break}}{{end}}.{{end}}`, `{{range 2}}{{printf "%T" .}}{{end}}`,
		`{{range .One}}{{printf "%T" .}}{{end}}`, `{{range index "ab" 0}}{{break}}{{end}}`, `{{$i := 0}}{{range $i = 3}}{{$i}}{{end}}{{$i}}`, `{{$e := 0}}{{range $e = .L}}{{$e}}{{end}}{{$e}}`,
		`{{$i := 0}}{{$e := 0}}{{range $i, $e = .LS}}{{$i}}{{$e}}{{end}}{{$i}}{{$e}}`, `{{range $i = .L}}{{end}}`, `{{range 0}}a{{else}}b{{end}}`, `{{range -1}}a{{else}}b{{end}}`,
	}},
	{"break", 0, []string{
		`{{range .L}}{{.}}{{break}}{{end}}`, `{{range .L}}{{break}}{{.}}{{else}}x{{end}}`, `{{range .L}}{{if eq . 2}}{{break}}{{end}}{{.}}{{end}}`, `{{break}}`, `{{if .T}}{{break}}{{end}}`,
		`{{range .L}}{{range $.LS}}{{break}}{{end}}{{.}}{{end}}`, `{{range .L}}{{with .}}{{break}}{{end}}{{end}}`, `{{range .M}}{{break}}{{end}}`, `{{range $i, $e := .L}}{{if $i}}{{break}}{{end}}{{$e}}{{end}}`,
		`{{range .LE}}{{else}}{{break}}{{end}}`, `{{range .L}}{{range $.LE}}{{else}}{{break}}{{end}}{{.}}{{end}}`, `{{range .L}}{{break 1}}{{end}}`, `{{range .L}}{{ break }}{{end}}`, `{{range .L}}{{- break -}} x {{end}}`,
		`{{range .L}}{{break | print}}{{end}}`, `{{range .L}}{{block "b" .}}{{break}}{{end}}{{end}}`, `{{define "b"}}{{break}}{{end}}`, `{{range .L}}{{template "b"}}{{end}}{{define "b"}}{{range $}}{{break}}{{end}}{{end}}`,
		`{{$x := 0}}{{range .L}}{{$x = .}}{{break}}{{end}}{{$x}}`, `{{range .L}}{{$y := .}}{{break}}{{end}}{{$.Name}}`, `{{range .LS}}{{if eq . "b"}}{{break}}{{else}}{{.}}{{end}}{{end}}`,
	}},
	{"continue", 0, []string{
		`{{range .L}}{{continue}}{{.}}{{end}}`, `{{range .L}}{{.}}{{continue}}x{{end}}`, `{{range .L}}{{if eq . 2}}{{continue}}{{end}}{{.}}{{end}}`, `{{continue}}`, `{{if .T}}{{continue}}{{end}}`,
		`{{range .L}}{{range $.LS}}{{continue}}{{end}}{{.}}{{end}}`, `{{range .L}}{{with .}}{{continue}}{{end}}{{end}}`, `{{range .M}}a{{continue}}{{end}}`, `{{range $i, $e := .L}}{{if $i}}{{continue}}{{end}}{{$e}}{{end}}`,
		`{{range .LE}}{{else}}{{continue}}{{end}}`, `{{range .L}}{{range $.LE}}{{else}}{{continue}}{{end}}{{.}}{{end}}`, `{{range .L}}{{continue .}}{{end}}`, `{{range .L}}{{ continue }}{{end}}`, `{{range .L}}{{- continue -}} x {{end}}`,
		`{{range .L}}{{print continue}}{{end}}`, `{{range .L}}{{block "b" .}}{{continue}}{{end}}{{end}}`, `{{define "b"}}{{continue}}{{end}}`, `{{$x := 0}}{{range .L}}{{$x = .}}{{continue}}{{$x = 0}}{{end}}{{$x}}`,
		`{{range .L}}{{$y := .}}{{$y}}{{continue}}{{end}}`, `{{range .LS}}{{if eq . "b"}}{{continue}}{{else}}{{.}}{{end}}{{end}}`, `{{range .LM}}{{if not .}}{{continue}}{{end}}{{.}};{{end}}`,
	}},
	{"define and template", 0, []string{
		`{{define "a"}}A{{end}}{{template "a"}}`, `{{template "a"}}{{define "a"}}A{{end}}`, `{{template "a" .M}}{{define "a"}}{{.a}}{{end}}`, `{{template "a" .}}{{define "a"}}{{.Name}}{{$.Name}}{{end}}`, `{{template "a"}}{{define "a"}}{{.}}{{end}}`,
		`{{template "none"}}`, `{{if .No}}{{template "none"}}{{end}}ok`, `{{define "a"}}1{{end}}{{define "a"}}2{{end}}`, `{{define "a"}}1{{end}}{{define "a"}} {{end}}{{template "a"}}`, `{{define "a"}} {{end}}{{define "a"}}2{{end}}{{template "a"}}`,
		`{{define "a"}}`, `{{define a}}{{end}}`, `{{define "a" .}}{{end}}`, `{{define}}{{end}}`, `{{template}}`, `{{template a}}`, `{{template .Name}}`, `{{template "a" 1 2}}{{define "a"}}{{end}}`, "{{define `a`}}raw{{end}}{{template `a`}}",
		`{{if .T}}{{define "a"}}{{end}}{{end}}`, `{{define "a"}}{{template "b" .c}}{{end}}{{define "b"}}{{.d}}{{end}}{{template "a" .M}}`, `{{range .L}}{{template "a" .}}{{end}}{{define "a"}}<{{.}}>{{end}}`, `{{define "a"}}{{else}}{{end}}`,
		`{{define "r"}}{{if .}}{{index . 0}}{{template "r" (slice . 1)}}{{end}}{{end}}{{template "r" .L}}`, `{{define "x"}}{{template "x"}}{{end}}{{template "x"}}`, `{{define ""}}main{{end}}`, `{{define "a"}}a{{end}} x`, `{{template "a" .Null}}{{define "a"}}{{.}}{{end}}`,
		`{{template "a" .Name | len}}{{define "a"}}{{.}}{{end}}`, `{{template "a" $x := 3}}{{define "a"}}{{.}}{{end}}{{$x}}`, `{{define "a\tb"}}t{{end}}{{template "a\u0009b"}}`,
	}},
	{"block", 0, []string{
		`{{block "a" .}}{{.Name}}{{end}}`, `{{block "a" .M}}{{.a}}{{end}}`, `{{block "a" .M}}{{.a}}{{end}}{{template "a" .M}}`, `{{block "a"}}x{{end}}`, `{{block a .}}x{{end}}`, `{{block "a" .}}x`, `{{block "a" .}}x{{else}}y{{end}}`,
		`{{define "a"}}x{{end}}{{block "a" .}}y{{end}}`, `{{define "a"}} {{end}}{{block "a" .}}y{{end}}`, `{{block "a" .}}{{block "b" .M}}{{.b}}{{end}}{{end}}`, `{{range .L}}{{block "a" .}}<{{.}}>{{end}}{{end}}`, `{{$x := 1}}{{block "a" .}}{{$x}}{{end}}`,
		`{{block "a" .Null}}{{.}}{{end}}`, `{{block "a" 1}}{{.}}{{$}}{{end}}`, `{{if .T}}{{block "a" .}}in{{end}}{{end}}`, `{{block "a" .}}{{end}}x`, `{{block "a" .}} {{end}}x`, `{{with .M}}{{block "a" .}}{{.a}}{{end}}{{end}}`, `{{block "a" . | len}}{{.}}{{end}}`,
		`{{block "a" .}}{{define "b"}}{{end}}{{end}}`, `{{block "a" .LS}}{{range .}}{{.}}{{end}}{{end}}`,
	}},
}
