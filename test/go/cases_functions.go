package main

var functions = []group{
	{"and", 0, []string{
		`{{and .T .T}}`, `{{and .T .No}}`, `{{and .No .T}}`, `{{and 1 2}}`, `{{and 0 2}}`, `{{and 1 0}}`, `{{and "" "x"}}`, `{{and "x" ""}}`, `{{and .Name .One .L}}`, `{{and .Null 1}}`, `{{and 1 .Null}}`, `{{and}}`, `{{and 1}}`, `{{and .Missing}}`,
		`{{.T | and .One}}`, `{{.T | and .Zero}}`, `{{and .No (index .L 9)}}`, `{{and .T (index .L 9)}}`, `{{and .M .M.a}}`, `{{print (and 1 .Null)}}`, `{{and nil 1}}`, `{{1 | and}}`, `{{and 1 nil}}`, `{{(and .M .M).a}}`, `{{and (and 1 2) (and 3 4)}}`,
	}},
	{"or", 0, []string{
		`{{or .T .T}}`, `{{or .T .No}}`, `{{or .No .T}}`, `{{or 1 2}}`, `{{or 0 2}}`, `{{or 0 0}}`, `{{or "" "x"}}`, `{{or "x" ""}}`, `{{or .Empty .Zero .L}}`, `{{or .Null 1}}`, `{{or .Zero .Null}}`, `{{or}}`, `{{or 1}}`, `{{or .Missing}}`,
		`{{.T | or .One}}`, `{{.T | or .Zero}}`, `{{or .T (index .L 9)}}`, `{{or .No (index .L 9)}}`, `{{or .ME .M.a}}`, `{{print (or 0 .Null)}}`, `{{or nil 1}}`, `{{1 | or}}`, `{{or 0 nil}}`, `{{(or .Null .M).a}}`, `{{or .Name "anonymous" | printf "%q"}}`,
	}},
	{"not", 0, []string{
		`{{not .T}}`, `{{not .No}}`, `{{not 0}}`, `{{not 1}}`, `{{not ""}}`, `{{not "x"}}`, `{{not .Null}}`, `{{not .Missing}}`, `{{not nil}}`, `{{not .L}}`, `{{not .LE}}`, `{{not .M}}`, `{{not .ME}}`, `{{not}}`, `{{not 1 2}}`, `{{.T | not}}`, `{{.T | not 1}}`,
		`{{not (not .T)}}`, `{{not .F}}`, `{{not .FZ}}`, `{{not not}}`, `{{not .Name | not}}`,
	}},
	{"len", 0, []string{
		`{{len .L}}`, `{{len .LE}}`, `{{len .M}}`, `{{len .ME}}`, `{{len .Name}}`, `{{len .Empty}}`, `{{len .U}}`, `{{len "世"}}`, `{{len .Null}}`, `{{len .Missing}}`, `{{len nil}}`, `{{len 3}}`, `{{len .T}}`, `{{len .F}}`, `{{len}}`, `{{len .L .L}}`, `{{.L | len}}`,
		`{{len (slice .L 1)}}`, `{{len .}}`, `{{len (print 12 34)}}`, `{{len .People | printf "%d people"}}`, `{{len .NL}}`,
	}},
	{"index", 0, []string{
		`{{index .L 0}}`, `{{index .L 2}}`, `{{index .L 3}}`, `{{index .L -1}}`, `{{index .L "a"}}`, `{{index .L 1.0}}`, `{{index .M "a"}}`, `{{index .M "none"}}`, `{{index .M 1}}`, `{{index .M "c" "d"}}`, `{{index .M "none" "d"}}`, `{{index .Matrix 1 0}}`, `{{index .Matrix 1 5}}`,
		`{{index .L}}`, `{{index .Name 0}}`, `{{index .U 1}}`, `{{index .Name 9}}`, `{{index .Name 3}}`, `{{index .Null 0}}`, `{{index .Null}}`, `{{index .Missing "a"}}`, `{{index nil}}`, `{{index}}`, `{{index 1 2}}`, `{{index .L .I}}`, `{{index .M .K}}`, `{{index . "odd key"}}`, `{{index .L nil}}`,
		`{{index .M nil}}`, `{{index .L .Null}}`, `{{1 | index .L}}`, `{{"a" | index .M}}`, `{{(index .People 0).Name}}`, `{{index .People 0 "Tags" 1}}`, `{{index .L 'a'}}`, `{{index .LM 2}}`, `{{print (index .LM 2)}}`, `{{index .M "none" | print}}`, `{{index .M "a" "b"}}`, `{{index .L (len .LE)}}`, `{{index .L 0x1}}`,
	}},
	{"slice", 0, []string{
		`{{slice .L}}`, `{{slice .L 1}}`, `{{slice .L 1 2}}`, `{{slice .L 0 3}}`, `{{slice .L 0 4}}`, `{{slice .L 3}}`, `{{slice .L 4}}`, `{{slice .L 2 1}}`, `{{slice .L -1}}`, `{{slice .L 0 1 2}}`, `{{slice .L 0 2 1}}`, `{{slice .L 0 1 2 3}}`, `{{slice .Name 1}}`, `{{slice .Name 0 2}}`, `{{slice .Name 0 9}}`,
		`{{slice .Name 0 1 2}}`, `{{slice .U 1 2}}`, `{{slice .U 0 2}}`, `{{slice .U 1 3}}`, `{{slice .M 0}}`, `{{slice .Null}}`, `{{slice nil}}`, `{{slice 1}}`, `{{slice}}`, `{{slice .L "a"}}`, `{{slice .L .I}}`, `{{1 | slice .L}}`, `{{slice (slice .L 0 1) 0 3}}`, `{{slice (slice .L 0 1 1) 0 3}}`, `{{slice (slice .L 1) 0 2}}`, `{{slice .LE 0}}`, `{{slice .LE 0 1}}`,
		`{{len (slice .U 2 5)}}`, `{{slice .LM 1 4}}`, `{{slice "abc" 1 1}}`, `{{slice .Missing 1}}`, `{{slice .T}}`, `{{slice (slice .U 1) 1}}`,
	}},
	{"print", 0, []string{
		`{{print}}`, `{{print 1}}`, `{{print 1 2}}`, `{{print "a" "b"}}`, `{{print "a" 1 2 "b" 3}}`, `{{print .Null}}`, `{{print .Missing}}`, `{{print nil}}`, `{{print nil nil}}`, `{{print .L .M}}`, `{{print .LM}}`, `{{print .T .No}}`, `{{print .F .FZ .FB .Small}}`, `{{print .Big .Huge}}`, `{{print 'a'}}`, `{{print "" ""}}`, `{{print 1 "" 2}}`,
		`{{print .}}`, `{{print .Nested}}`, `{{"x" | print 1 2}}`, `{{print .Empty .Name}}`, `{{print (index .LM 2) (index .LM 5)}}`, `{{print 1e6 1e-5 123456789.0 0.1}}`, `{{print -0.0 1e100 1.7976931348623157e308 5e-324 2.2250738585072014e-308}}`, `{{print 5.684341886080802e-14 9007199254740993.0 4.35 0.3 1e23 8.41e21}}`, `{{print 9007199254740992.0 4503599627370496.5 1.5e300 123456.0 1234567.0 12345678.9}}`,
	}},
	{"println", 0, []string{
		`{{println}}`, `{{println 1}}`, `{{println 1 2}}`, `{{println "a" "b"}}`, `{{println "a" 1}}`, `{{println .Null}}`, `{{println nil 1}}`, `{{println .L}}`, `{{println .M}}`, `{{println .T}}`, `{{println .F}}`, `{{println ""}}`, `{{println "" ""}}`, `{{"x" | println}}`, `{{println "a" | len}}`, `{{println (println 1)}}`, `{{println .U}}`, `{{println .NL}}`, `{{println .Missing .Missing}}`,
		`{{println 'x' 1.5}}`, `{{- println 1 -}} x`, `{{println .People}}`,
	}},
	{"printf of text", 0, []string{
		`{{printf "%s" .Name}}`, `{{printf "%10s|%-10s|" .Name .Name}}`, `{{printf "%.2s" .U}}`, `{{printf "%10.3s|" .U}}`, `{{printf "%q" .Q}}`, `{{printf "%q %+q %#q" .U .U .U}}`, `{{printf "%q" .NL}}`, `{{printf "%#q" .Q}}`, `{{printf "%x %X % x %#x % #X" .Name .Name .Name .Name .Name}}`, `{{printf "%v %+v %#v" .Name .Name .Name}}`, `{{printf "%T" .Name}}`,
		`{{printf "%d" .Name}}`, `{{printf "%t" .Name}}`, `{{printf "%s"}}`, `{{printf "%s" .Name .Name}}`, `{{printf "%"}}`, `{{printf "%%"}}`, `{{printf "%!"}}`, `{{printf "%z" .Name}}`, `{{printf "%世" .Name}}`, `{{printf "%s" nil}}`, `{{printf "%v" nil}}`, `{{printf "%s" .Null}}`, `{{printf "%d" .Missing}}`, `{{printf}}`, `{{printf 1}}`, `{{printf nil}}`, `{{printf .Name}}`, `{{printf .Null}}`, `{{printf .One}}`, `{{"x" | printf "%s-%s" "y"}}`, `{{"x" | printf}}`,
		`{{printf "%06s|" .Name}}`, `{{printf "%-06s|" .Name}}`, `{{printf "%.0s|" .Name}}`, `{{printf "%.s|" .Name}}`, `{{printf "%x" ""}}`, `{{printf "%5x|%-5x|" "" ""}}`, `{{printf "%.2x" .Name}}`, `{{printf "%q" "\x00\x7f\xff\u200b\U0010ffff"}}`, `{{printf "%+q" "é\U0001F389"}}`, `{{printf "%w" .Name}}`, `{{printf "%s" true}}`, `{{printf "no verbs"}}`, `{{printf "" 1}}`,
	}},
	{"printf of numbers", 0, []string{
		`{{printf "%d %5d %-5d| %05d %+d % d" 42 42 42 42 42 42}}`, `{{printf "%d %05d %+d" .Neg .Neg .Neg}}`, `{{printf "%x %X %#x %#X %o %#o %O %b %#b" 255 255 255 255 255 255 255 255 255}}`, `{{printf "%x %b %o" .Neg .Neg .Neg}}`, `{{printf "%c %q %U %#U" 'a' 'a' 'a' '世'}}`, `{{printf "%c %q %U" -1 0x110000 -1}}`, `{{printf "%+q %#q" '世' '\''}}`,
		`{{printf "%v %T" 1 1}}`, `{{printf "%v %T" .One .One}}`, `{{printf "%v %T %#v" .F .F .F}}`, `{{printf "%s" 1}}`, `{{printf "%f" 1}}`, `{{printf "%t" 1}}`, `{{printf "%q" 1.5}}`, `{{printf "%d" 1.5}}`, `{{printf "%.3d|%8.3d|%-8.3d|%08.3d" 7 7 7 7}}`, `{{printf "%.0d|" 0}}`, `{{printf "%5.0d|" 0}}`, `{{printf "%+.2d" 5}}`, `{{printf "%d" .Big}}`, `{{printf "%d" .Huge}}`,
		`{{printf "%f %.2f %8.2f %-8.2f| %08.2f %+.1f % .1f" .F .F .F .F .F .F .F}}`, `{{printf "%e %E %.2e %12.3e" .FB .FB .FB .FB}}`, `{{printf "%g %G %.3g %#g %#.3g" .Third .Third .Third .Third .Third}}`, `{{printf "%g %g %g" 1e6 1e-5 123456789.0}}`, `{{printf "%.3g %.10g %.0g" 1234567.0 1234567.0 1234567.0}}`, `{{printf "%v %v" 1e20 1e21}}`, `{{printf "%x %X %.2x %.0x %#x" 1.5 1.5 1.999 1.5 1.0}}`, `{{printf "%b" 1.5}}`, `{{printf "%F" 1.5}}`,
		`{{printf "%6.2f|%-9.1e|%+g" -1.005 -1.005 -1.005}}`, `{{printf "%08.3f|%+08.3f|% 08.3f" -1.5 1.5 1.5}}`, `{{printf "%.30f" 0.1}}`, `{{printf "%.400f" 1.0}}`, `{{printf "%5t|%-7t|" true false}}`, `{{printf "%#v %#v" true 1}}`, `{{printf "%x" 0.0}}`, `{{printf "%e" 0.0}}`, `{{printf "%g" -0.0}}`, `{{printf "%#v" 1e6}}`, `{{printf "%#.0f %#.0e" 3.0 3.0}}`, `{{printf "%T %v %x %d" (index "abc" 0) (index "abc" 0) (index "abc" 0) (index "abc" 0)}}`, `{{printf "%#v %c" (index "abc" 0) (index "abc" 0)}}`,
	}},
	{"printf of arrays and objects", 0, []string{
		`{{printf "%v" .L}}`, `{{printf "%v" .M}}`, `{{printf "%v" .LM}}`, `{{printf "%d" .L}}`, `{{printf "%s" .L}}`, `{{printf "%s" .LS}}`, `{{printf "%q" .LS}}`, `{{printf "%x" .LS}}`, `{{printf "%5d" .L}}`, `{{printf "%-3s|" .LS}}`, `{{printf "%#v" .LM}}`, `{{printf "%#v" .M}}`, `{{printf "%#v" .People}}`, `{{printf "%+v" .Nested}}`, `{{printf "%T %T" .L .M}}`, `{{printf "%d" .M}}`, `{{printf "%t" .LM}}`, `{{printf "%s" .LM}}`, `{{printf "%d" .LM}}`,
		`{{printf "%v %v" .LE .ME}}`, `{{printf "%#v %#v" .LE .ME}}`, `{{printf "%w" .L}}`, `{{printf "%v" (slice .L 1)}}`, `{{printf "%06.2f" .LM}}`, `{{printf "%z" .L}}`, `{{printf "%z" .M}}`, `{{printf "%10v|" .L}}`, `{{printf "%v" .}}`,
	}},
	{"printf with indexes, width and precision", 0, []string{
		`{{printf "%[2]d %[1]d" 1 2}}`, `{{printf "%[2]d" 1 2}}`, `{{printf "%[3]d" 1 2}}`, `{{printf "%[0]d" 1}}`, `{{printf "%[x]d" 1}}`, `{{printf "%[1d" 1}}`, `{{printf "%[]d" 1}}`, `{{printf "%[-1]d" 1}}`, `{{printf "%*d|" 5 42}}`, `{{printf "%-*d|" 5 42}}`, `{{printf "%*d|" -5 42}}`, `{{printf "%.*f|" 2 1.5}}`, `{{printf "%*.*f|" 8 2 1.5}}`, `{{printf "%[2]*[1]d|" 42 6}}`, `{{printf "%[3]*.[2]*[1]f|" 1.5 2 8}}`, `{{printf "%*d" "x" 42}}`, `{{printf "%.*d" "x" 42}}`, `{{printf "%.*f" -1 1.5}}`,
		`{{printf "%*d" 42}}`, `{{printf "%d %d %#[1]x %#x" 16 17}}`, `{{printf "%[1]d %d %d" 1 2}}`, `{{printf "%[5]d %[1]d" 1}}`, `{{printf "%d %s" 1}}`, `{{printf "%d" 1 2 "x" nil}}`, `{{printf "%2000000d" 1}}`, `{{printf "%.2000000d" 1}}`, `{{printf "%*d" 2000000 1}}`, `{{printf "%*d|" .I 42}}`, `{{printf "%+-#010.3x|" 255}}`, `{{printf "%+ d|% +d" 1 1}}`, `{{printf "%.[2]*f" 1.5 1}}`, `{{printf "%[2]" 1 2}}`, `{{printf "%[1]*" 5}}`, `{{printf "%[2]5d" 1 2}}`, `{{printf "%[2].3d" 1 2}}`,
	}},
	{"html", 0, []string{
		`{{html .Q}}`, `{{html "<a href='x'>&</a>"}}`, `{{html .Name}}`, `{{html 1}}`, `{{html 1 2}}`, `{{html "a" "b"}}`, `{{html .Null}}`, `{{html .Missing}}`, `{{html nil}}`, `{{html}}`, `{{html .L}}`, `{{html .M}}`, `{{html "\x00"}}`, `{{html ""}}`, `{{.Q | html}}`, `{{.Q | html | html}}`, `{{html .U}}`, `{{html .T .No}}`, `{{html "<" 1 ">"}}`, `{{html .Null .Name}}`, `{{html .F}}`, `{{"\"" | html}}`,
	}},
	{"js", 0, []string{
		`{{js .Q}}`, `{{js "it's \"x\" <y>"}}`, `{{js .Name}}`, `{{js 1}}`, `{{js 1 2}}`, `{{js "a" "b"}}`, `{{js .Null}}`, `{{js nil}}`, `{{js}}`, `{{js .L}}`, `{{js .M}}`, `{{js .U}}`, `{{js .NL}}`, `{{js "\x00\x1f\x7f"}}`, `{{js "\u2028\u00a0\u200b\ufeff"}}`, `{{js "a=b&c"}}`, `{{js "\\"}}`, `{{.Q | js}}`, `{{js "\xff"}}`, `{{js "\U000e0001"}}`, `{{js .T}}`, `{{js ""}}`, `{{js .Missing .Name}}`,
	}},
	{"urlquery", 0, []string{
		`{{urlquery "a b"}}`, `{{urlquery "a+b&c=d"}}`, `{{urlquery .U}}`, `{{urlquery .Q}}`, `{{urlquery 1}}`, `{{urlquery 1 2}}`, `{{urlquery "a" "b"}}`, `{{urlquery .Null}}`, `{{urlquery nil}}`, `{{urlquery}}`, `{{urlquery .L}}`, `{{urlquery .M}}`, `{{urlquery ""}}`, `{{urlquery "-_.~!*'()"}}`, `{{urlquery "/?#[]@:$,;"}}`, `{{"x y" | urlquery}}`, `{{urlquery "%"}}`, `{{urlquery "\x00\xff"}}`, `{{urlquery .NL}}`, `{{urlquery .T}}`, `{{printf "?q=%s" (urlquery .Name .Q)}}`, `{{urlquery 1.5}}`,
	}},
	{"eq", 0, []string{
		`{{eq 1 1}}`, `{{eq 1 2}}`, `{{eq "a" "a"}}`, `{{eq "a" "b"}}`, `{{eq 1.5 1.5}}`, `{{eq true true}}`, `{{eq .T true}}`, `{{eq .One 1}}`, `{{eq .F 1.5}}`, `{{eq 1 1.0}}`, `{{eq 1 "1"}}`, `{{eq .Name "Ann"}}`, `{{eq .Name "x" "Ann"}}`, `{{eq 1 2 3 1}}`, `{{eq 1 2 "x"}}`, `{{eq 1 1 "x"}}`, `{{eq 1}}`, `{{eq}}`, `{{eq 'a' 97}}`, `{{eq (index "a" 0) 97}}`, `{{eq (index "a" 0) 'b'}}`, `{{"Ann" | eq .Name}}`, `{{eq .FB 1000000.0}}`, `{{eq .Big .Big}}`,
	}},
	{"eq of null, arrays and objects", 21, []string{
		`{{eq .Null nil}}`, `{{eq .Null .Missing}}`, `{{eq .Null 1}}`, `{{eq 1 .Null}}`, `{{eq nil nil}}`, `{{eq .L .L}}`, `{{eq .L nil}}`, `{{eq nil .L}}`, `{{eq .M .M}}`, `{{eq .M .L}}`, `{{eq .M nil}}`, `{{eq .L 1}}`, `{{eq 1 .L}}`, `{{eq .Null ""}}`, `{{eq .LE .LE}}`, `{{ne .Null nil}}`, `{{ne .Null 1}}`, `{{ne .L .L}}`, `{{ne .M nil}}`, `{{ne .L 1}}`, `{{eq .Missing "x" nil}}`,
	}},
	{"ne", 0, []string{
		`{{ne 1 1}}`, `{{ne 1 2}}`, `{{ne "a" "a"}}`, `{{ne "a" "b"}}`, `{{ne 1.5 1.5}}`, `{{ne true false}}`, `{{ne .T true}}`, `{{ne .One 1}}`, `{{ne 1 1.0}}`, `{{ne 1 "1"}}`, `{{ne .Name "Ann"}}`, `{{ne 1 2 3}}`, `{{ne 1}}`, `{{ne}}`, `{{ne 'a' 97}}`, `{{ne (index "a" 0) 97}}`, `{{1 | ne 2}}`, `{{ne .Name .Empty}}`, `{{ne .F .FZ}}`, `{{if ne .One 2}}x{{end}}`, `{{ne .Big 1}}`,
	}},
	{"lt", 0, []string{
		`{{lt 1 2}}`, `{{lt 2 1}}`, `{{lt 1 1}}`, `{{lt "a" "b"}}`, `{{lt "b" "a"}}`, `{{lt "a" "ab"}}`, `{{lt 1.5 2.5}}`, `{{lt 1 1.5}}`, `{{lt true false}}`, `{{lt 1 "a"}}`, `{{lt .Null 1}}`, `{{lt 1 .Null}}`, `{{lt .L .L}}`, `{{lt .M 1}}`, `{{lt 1}}`, `{{lt 1 2 3}}`, `{{lt .Neg .One}}`, `{{lt .Name "B"}}`, `{{2 | lt 1}}`, `{{lt (index "a" 0) 98}}`, `{{lt -1 (index "a" 0)}}`, `{{lt nil nil}}`, `{{lt "É" "é"}}`,
	}},
	{"le", 0, []string{
		`{{le 1 2}}`, `{{le 2 1}}`, `{{le 1 1}}`, `{{le "a" "b"}}`, `{{le "b" "a"}}`, `{{le "a" "a"}}`, `{{le 1.5 1.5}}`, `{{le 1 1.5}}`, `{{le true true}}`, `{{le 1 "a"}}`, `{{le .Null 1}}`, `{{le .L .L}}`, `{{le .M 1}}`, `{{le 1}}`, `{{le 1 2 3}}`, `{{le .Neg .One}}`, `{{le .Name "Ann"}}`, `{{1 | le 1}}`, `{{le (index "a" 0) 97}}`, `{{le .F .FB}}`, `{{le .Big .Zero}}`,
	}},
	{"gt", 0, []string{
		`{{gt 1 2}}`, `{{gt 2 1}}`, `{{gt 1 1}}`, `{{gt "a" "b"}}`, `{{gt "b" "a"}}`, `{{gt "ab" "a"}}`, `{{gt 2.5 1.5}}`, `{{gt 1.5 1}}`, `{{gt true false}}`, `{{gt 1 "a"}}`, `{{gt .Null 1}}`, `{{gt .L .L}}`, `{{gt .M 1}}`, `{{gt 1}}`, `{{gt 1 2 3}}`, `{{gt .One .Neg}}`, `{{gt .Name "A"}}`, `{{1 | gt 2}}`, `{{gt (index "b" 0) 97}}`, `{{gt .FB .F}}`, `{{gt .Big .Zero}}`,
	}},
	{"ge", 0, []string{
		`{{ge 1 2}}`, `{{ge 2 1}}`, `{{ge 1 1}}`, `{{ge "a" "b"}}`, `{{ge "b" "a"}}`, `{{ge "a" "a"}}`, `{{ge 1.5 1.5}}`, `{{ge 1.5 1}}`, `{{ge true true}}`, `{{ge 1 "a"}}`, `{{ge .Null 1}}`, `{{ge .L .L}}`, `{{ge .M 1}}`, `{{ge 1}}`, `{{ge 1 2 3}}`, `{{ge .One .Neg}}`, `{{ge .Name "Ann"}}`, `{{1 | ge 1}}`, `{{ge (index "a" 0) 97}}`, `{{ge .FB .F}}`, `{{ge .Zero .Big}}`,
	}},
	{"call", 0, []string{
		`{{call}}`, `{{call nil}}`, `{{call .Name}}`, `{{call .Null}}`, `{{call .Missing}}`, `{{call 1}}`, `{{call 1 2}}`, `{{call "print" 1}}`, `{{call .L}}`, `{{call .M}}`, `{{call .M.a}}`, `{{.Name | call}}`, `{{1 | call .Name}}`, `{{call print}}`, `{{call (print 1)}}`, `{{call .}}`, `{{call $}}`, `{{if .No}}{{call .Name}}{{end}}ok`, `{{and .No (call .Name)}}`, `{{or .T (call .Name)}}`, `{{with .Null}}{{call .}}{{end}}`,
	}},
	{"functions that are not there", 0, []string{
		`{{unknown}}`, `{{Print 1}}`, `{{.Name | unknown}}`, `{{if unknown}}{{end}}`, `{{print.x}}`, `{{(len).x}}`, `{{len.x}}`, `{{printf.Name}}`,
	}},
}
