// The other side of the differential test of resolute.render_text: Go's own
// text/template over the same templates and data.
//
//	main cases        prints the pairs: hand-picked ones, then generated ones
//	main run FILE     executes the pairs of FILE, prints what comes out
//
// Both print JSON lines. No module is needed, and Go 1.18 is enough: pairs
// that need a later version say so, and are left out before it.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"text/template"
)

type pair struct {
	Group    string `json:"group"`
	Template string `json:"template"`
	Data     string `json:"data"`
	Since    int    `json:"since,omitempty"` // Go 1.<since>
}

type outcome struct {
	Output string `json:"output"`
	Error  string `json:"error,omitempty"`
}

// Numbers that are written as whole ones and fit are int64, others float64.
// Arrays have no spare capacity, which slice could otherwise reach.
func convert(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		if !strings.ContainsAny(v.String(), ".eE") {
			if i, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
				return i, nil
			}
		}
		return v.Float64()
	case []any:
		list := make([]any, len(v))
		for i := range v {
			e, err := convert(v[i])
			if err != nil {
				return nil, err
			}
			list[i] = e
		}
		return list, nil
	case map[string]any:
		for k := range v {
			e, err := convert(v[k])
			if err != nil {
				return nil, err
			}
			v[k] = e
		}
	}
	return v, nil
}

// A text of PostgreSQL holds no zero bytes and only valid UTF-8.
func storable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r == 0 {
			r = '\uFFFD'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func execute(p pair) (o outcome) {
	defer func() {
		if r := recover(); r != nil {
			o = outcome{Error: fmt.Sprint(r)}
		}
	}()
	var data any
	decoder := json.NewDecoder(strings.NewReader(p.Data))
	decoder.UseNumber()
	if err := decoder.Decode(&data); err != nil {
		return outcome{Error: err.Error()}
	}
	data, err := convert(data)
	if err != nil {
		return outcome{Error: err.Error()}
	}
	t, err := template.New("").Parse(p.Template)
	if err != nil {
		return outcome{Error: err.Error()}
	}
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		return outcome{Error: err.Error()}
	}
	return outcome{Output: storable(out.String())}
}

func minorVersion() int {
	var minor int
	if _, err := fmt.Sscanf(runtime.Version(), "go1.%d", &minor); err != nil {
		return 999 // a development version
	}
	return minor
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "main:", err)
		os.Exit(1)
	}
}

func printCases(out *json.Encoder) {
	for _, p := range append(handPicked(), generated(2000)...) {
		if p.Since <= minorVersion() {
			check(out.Encode(p))
		}
	}
}

func runCases(path string, out *json.Encoder) {
	file, err := os.Open(path)
	check(err)
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<26)
	for lines.Scan() {
		var p pair
		check(json.Unmarshal(lines.Bytes(), &p))
		check(out.Encode(execute(p)))
	}
	check(lines.Err())
}

func main() {
	buffer := bufio.NewWriter(os.Stdout)
	out := json.NewEncoder(buffer)
	out.SetEscapeHTML(false)
	switch {
	case len(os.Args) == 2 && os.Args[1] == "cases":
		printCases(out)
	case len(os.Args) == 3 && os.Args[1] == "run":
		runCases(os.Args[2], out)
	default:
		check(fmt.Errorf("usage: main cases | run FILE"))
	}
	check(buffer.Flush())
}
