package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"regexp"
	"strings"
)

const seed = 20240229

// Pairs of random templates and data; always the same ones. A third of the
// templates has been damaged, so that most of those are errors.
func generated(n int) []pair {
	g := &generator{rand.New(rand.NewSource(seed))}
	var pairs []pair
	for len(pairs) < n {
		t := g.template()
		group := "generated"
		if len(pairs)%3 == 2 {
			t, group = g.damaged(t), "generated, damaged"
		}
		if unsupported.MatchString(t) {
			continue
		}
		data, err := json.Marshal(g.value(3))
		check(err)
		random := g.Intn(8) == 0
		if !random {
			data = []byte(document)
		}
		if since(t, random) > minorVersion() {
			continue
		}
		pairs = append(pairs, pair{group, t, string(data), 0})
	}
	return pairs
}

// Complex numbers and addresses of values are not for us.
var unsupported = regexp.MustCompile(`[0-9]i|%[-+# 0-9.*\[\]]*p`)

// What this Go must know for the pair: since 1.23 {{else with}}, since 1.24
// ranges over integers, which random data may bring about.
func since(template string, random bool) int {
	switch {
	case random && strings.Contains(template, "range"):
		return 24
	case strings.Contains(template, "else with"):
		return 23
	}
	return 0
}

type generator struct{ *rand.Rand }

func (g *generator) pick(choices ...string) string {
	return choices[g.Intn(len(choices))]
}

// Data whose members have the names that templates ask for.
func (g *generator) value(depth int) any {
	if depth == 3 {
		m := map[string]any{}
		for _, name := range names {
			if g.Intn(5) > 0 {
				m[name] = g.value(depth - 1)
			}
		}
		return m
	}
	kinds := 7
	if depth > 0 {
		kinds = 9
	}
	switch g.Intn(kinds) {
	case 0:
		return nil
	case 1:
		return g.Intn(2) == 0
	case 2:
		return g.Intn(20) - 5
	case 3:
		return float64(g.Intn(1000000)) / 64
	case 4, 5:
		return g.pick("", "a", "Ann", "two words", "<&\"'>", "é世🎉", "back\\slash", "new\nline", "100%")
	case 6:
		return g.Int63()
	case 7:
		list := []any{}
		for i := g.Intn(4); i > 0; i-- {
			list = append(list, g.value(depth-1))
		}
		return list
	default:
		m := map[string]any{}
		for i := g.Intn(4); i > 0; i-- {
			m[names[g.Intn(len(names))]] = g.value(depth - 1)
		}
		return m
	}
}

var names = []string{"Name", "Empty", "Zero", "One", "F", "T", "Null", "L", "M", "a", "U", "People"}

// What is in scope at a place of the template.
type scope struct {
	vars  []variable
	root  string // before the names of fields: "$", or "" where dot is the document
	loop  bool   // may a break stand here?
	depth int
}

type variable struct{ name, kind string }

// The kinds of values that operands are picked by; now and then the wrong one.
var kinds = []string{"int", "float", "string", "bool", "list", "map", "null"}

var operands = map[string][]string{
	"int":    {".One", ".Zero", ".Neg", ".I", ".Big", "0", "1", "-3", "0x1F", "'a'", "1_000", "0b11", "0o17", "(len .L)", "(index .L 1)"},
	"float":  {".F", ".FZ", ".FB", ".Small", ".Third", ".Huge", "2.5", "1e3", ".5", "1e20", "100000000.0", "0x1p-2"},
	"string": {".Name", ".Empty", ".U", ".Q", ".NL", ".K", `"a"`, `"two words"`, `""`, "`raw\\n`", `"tab\t\"q\""`, `"é\u4e16"`, "(index .LS 1)", ".Nested.A.B.C", `(print .One)`},
	"bool":   {".T", ".No", "true", "false", "(eq .One 1)", "(not .T)"},
	"list":   {".L", ".LS", ".LE", ".LM", ".People", ".Matrix", "(slice .L 1)", "(index .Matrix 0)"},
	"map":    {".M", ".ME", ".Nested", ".M.c", "(index .People 0)"},
	"null":   {".Null", ".Missing", ".Missing.x", "(index .LM 2)", ".Nested.A.B.N"},
}

var fields = regexp.MustCompile(`(^|[( ])\.([A-Z])`)

func (g *generator) template() string {
	var b strings.Builder
	s := scope{depth: 3}
	if g.Intn(3) == 0 {
		b.WriteString(`{{define "t"}}`)
		g.items(&b, scope{depth: 1})
		b.WriteString(`{{end}}`)
		g.items(&b, s)
		if g.Intn(3) > 0 {
			b.WriteString(`{{template "t" .}}`)
		}
	} else {
		g.items(&b, s)
	}
	return b.String()
}

func (g *generator) items(b *strings.Builder, s scope) {
	for i := g.Intn(4) + 1; i > 0; i-- {
		b.WriteString(g.pick("", "x", " ", "\n ", "text ", "é", "} {- ", "{ "))
		s = g.item(b, s)
	}
	b.WriteString(g.pick("", "", " ", "end\n"))
}

// One item; the scope has its variable in addition.
func (g *generator) item(b *strings.Builder, s scope) scope {
	open, close := g.pick("{{", "{{", "{{", "{{- ", "{{ "), g.pick("}}", "}}", "}}", " -}}", " }}")
	n := g.Intn(12)
	if s.depth == 0 && n > 5 {
		n = g.Intn(6)
	}
	switch n {
	case 0, 1, 2, 3:
		b.WriteString(open + g.pipeline(s, 2) + close)
	case 4:
		kind := g.pick(kinds...)
		v := variable{fmt.Sprintf("$v%d", len(s.vars)), kind}
		b.WriteString(open + v.name + " := " + g.operand(s, kind) + close)
		s.vars = append(s.vars[:len(s.vars):len(s.vars)], v)
	case 5:
		switch {
		case s.loop && g.Intn(2) == 0:
			b.WriteString(open + g.pick("break", "continue") + close)
		case len(s.vars) > 0:
			v := s.vars[g.Intn(len(s.vars))]
			b.WriteString(open + v.name + " = " + g.operand(s, v.kind) + close)
		default:
			b.WriteString(strings.TrimSuffix(open, " ") + strings.Repeat(" ", len(open)/4) + "/* a comment */" + strings.TrimPrefix(close, " }}"))
			if close == " }}" {
				b.WriteString("}}")
			}
		}
	case 6, 7, 8:
		g.control(b, "if", g.pick(kinds...), open, close, s)
	case 9:
		g.control(b, "with", g.pick(kinds...), open, close, s)
	default:
		g.control(b, "range", g.pick("list", "list", "map", "null"), open, close, s)
	}
	return s
}

func (g *generator) control(b *strings.Builder, word, kind, open, close string, s scope) {
	s.depth--
	inner := s
	inner.vars = s.vars[:len(s.vars):len(s.vars)]
	declare := func(kind string) string {
		v := variable{fmt.Sprintf("$v%d", len(inner.vars)), kind}
		inner.vars = append(inner.vars, v)
		return v.name
	}
	declared := ""
	switch {
	case g.Intn(3) > 0:
	case word != "range":
		declared = declare(kind) + " := "
	case g.Intn(2) == 0:
		declared = declare("any") + " := "
	default:
		declared = declare("any") + ", "
		declared += declare("any") + " := "
	}
	operand := g.operand(s, kind)
	if word == "range" {
		// no number, which might be large
		operand = s.qualified(g.pick(operands[kind]...))
	}
	b.WriteString(open + word + " " + declared + operand + close)
	body := inner
	if word != "if" {
		body.root = "$"
	}
	body.loop = s.loop || word == "range"
	g.items(b, body)
	if g.Intn(3) == 0 {
		if word != "range" && g.Intn(3) == 0 {
			b.WriteString("{{else " + word + " " + g.operand(inner, g.pick(kinds...)) + "}}")
			g.items(b, body)
		}
		b.WriteString("{{else}}")
		inner.loop = s.loop
		g.items(b, inner)
	}
	b.WriteString("{{end}}")
}

func (g *generator) pipeline(s scope, depth int) string {
	p := g.command(s, depth)
	for g.Intn(4) == 0 {
		p += " | " + g.pick("print", "print 1", "not", "html", "js", "urlquery", "println", `printf "%v"`, `printf "%5d|"`,
			`printf "%q"`, `printf "%-8.3s|"`, "and 1", "or 0", "print | len", "printf \"%T\"")
	}
	return p
}

func (g *generator) command(s scope, depth int) string {
	kind := g.pick(kinds...)
	any := func() string { return g.operand(s, g.pick(kinds...)) }
	switch g.Intn(18) {
	case 0:
		return g.pick("and", "or") + " " + any() + " " + any()
	case 1:
		return "not " + any()
	case 2:
		kind = g.pick("int", "float", "string")
		return g.pick("lt", "le", "gt", "ge") + " " + g.operand(s, kind) + " " + g.operand(s, kind)
	case 3:
		kind = g.pick("int", "float", "string", "bool", "null")
		return g.pick("eq", "ne") + " " + g.operand(s, kind) + " " + g.operand(s, kind)
	case 4:
		return "len " + g.operand(s, g.pick("list", "map", "string"))
	case 5:
		return "index " + g.operand(s, "list") + " " + g.pick("0", "1")
	case 6:
		return "index " + g.operand(s, "map") + " " + g.operand(s, "string")
	case 7:
		return "slice " + g.operand(s, g.pick("list", "string")) + " " + g.pick("0", "1", "0 1", "1 1", "0 2")
	case 8:
		return g.pick("print", "println", "html", "js", "urlquery") + " " + any() + " " + any()
	case 9, 10:
		return "printf " + g.format() + " " + any() + " " + any()
	case 11:
		return "eq " + g.operand(s, "int") + " " + g.operand(s, "int") + " " + g.operand(s, "int")
	case 12:
		if depth > 0 {
			return "print (" + g.pipeline(s, depth-1) + ") " + any()
		}
	case 13:
		return g.pick(".", "$")
	}
	return g.operand(s, kind)
}

// An operand of a kind; one time in 40 of another one.
func (g *generator) operand(s scope, kind string) string {
	if kind == "any" || g.Intn(40) == 0 {
		kind = g.pick(kinds...)
	}
	if g.Intn(4) == 0 {
		for _, v := range s.vars {
			if v.kind == kind || v.kind == "any" && g.Intn(8) == 0 {
				return v.name
			}
		}
	}
	if s.root == "" && g.Intn(8) == 0 {
		s.root = "$"
	}
	return s.qualified(g.pick(operands[kind]...))
}

// The operand with its fields taken from the document, whatever dot is.
func (s scope) qualified(operand string) string {
	return fields.ReplaceAllString(operand, "${1}"+strings.ReplaceAll(s.root, "$", "$$")+".${2}")
}

func (g *generator) format() string {
	f := `"`
	for i := g.Intn(3) + 1; i > 0; i-- {
		f += g.pick("", "a", "é", " ", "%%")
		f += "%" + g.pick("", "", "", "+", "-", "#", "0", " ", "+0", "-0") + g.pick("", "", "5", "12", "1", "*") +
			g.pick("", "", ".2", ".0", ".") + g.pick("", "", "[1]", "[2]") + g.pick("v", "v", "d", "s", "q", "x", "X", "f", "g", "e", "t", "T", "c", "U", "b", "o", "O", "z", "E", "G")
	}
	return f + `"`
}

// The template with a few characters taken out, doubled or replaced.
func (g *generator) damaged(t string) string {
	for i := g.Intn(3) + 1; i > 0 && len(t) > 0; i-- {
		r := []rune(t)
		at := g.Intn(len(r))
		switch g.Intn(3) {
		case 0:
			t = string(r[:at]) + string(r[at+1:])
		case 1:
			t = string(r[:at+1]) + string(r[at:])
		default:
			t = string(r[:at]) + g.pick("{", "}", "|", "(", ")", ".", "$", `"`, " ", "-", "=", ":=", ",", "0", "é", "\n") + string(r[at+1:])
		}
	}
	return t
}
