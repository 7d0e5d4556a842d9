package ui

import (
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Every pair of text and ground that the style sheet uses is readable in the light
// and in the dark scheme (WCAG 2.2 AA): 4.5 for text, 3 for the edges of fields and
// for drawings.
func TestColoursHaveContrast(t *testing.T) {
	tokens := tokens(t)
	text := map[string][]string{
		"ink":           {"paper", "surface", "sunken", "accent-soft", "bad-soft", "warn-soft", "good-soft", "calm-soft"},
		"ink-soft":      {"paper", "surface", "sunken"},
		"accent":        {"paper", "surface", "sunken", "accent-soft"},
		"accent-strong": {"paper", "surface", "accent-soft", "calm-soft"},
		"on-accent":     {"accent", "accent-strong"},
		"bad":           {"paper", "surface", "bad-soft"},
		"warn":          {"warn-soft"},
		"good":          {"good-soft"},
		"calm":          {"calm-soft"},
	}
	drawn := map[string][]string{
		"edge":          {"paper", "surface"},
		"accent":        {"paper", "surface", "draw-works"},
		"draw-stopped":  {"paper", "surface"},
		"tier-standard": {"paper", "surface"},
		"draw-late":     {"paper", "surface"},
		"draw-lost":     {"paper", "surface"},
	}
	check := func(pairs map[string][]string, least float64) {
		for front, grounds := range pairs {
			for _, ground := range grounds {
				for i, scheme := range []string{"light", "dark"} {
					a, knownA := tokens[front]
					b, knownB := tokens[ground]
					if !knownA || !knownB {
						t.Errorf("the token --%s or --%s is gone", front, ground)
						continue
					}
					if c := contrast(a[i], b[i]); c < least {
						t.Errorf("%s: --%s on --%s has a contrast of %.2f; %.1f is the least", scheme, front, ground, c, least)
					}
				}
			}
		}
	}
	check(text, 4.5)
	check(drawn, 3)
}

var colour = regexp.MustCompile(`--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);`)

func tokens(t *testing.T) map[string][2]string {
	t.Helper()
	sheet, err := files.ReadFile("static/1-tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][2]string{}
	for _, m := range colour.FindAllStringSubmatch(string(sheet), -1) {
		found[m[1]] = [2]string{m[2], m[3]}
	}
	if len(found) < 20 {
		t.Fatalf("only %d colours were found; are they still written as light-dark(#rrggbb, #rrggbb)?", len(found))
	}
	return found
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(hex string) float64 {
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		if err != nil {
			panic(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

// Colours come from the tokens alone, so that the test above sees all of them.
func TestOnlyTokensNameColours(t *testing.T) {
	entries, err := files.ReadDir("static")
	if err != nil {
		t.Fatal(err)
	}
	written := regexp.MustCompile(`(?i)#[0-9a-f]{3,8}\b|\b(hsl|oklch|oklab)\(`)
	for _, e := range entries {
		if e.Name() == "1-tokens.css" || !strings.HasSuffix(e.Name(), ".css") {
			continue
		}
		sheet, err := files.ReadFile("static/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(sheet), "\n") {
			if found := written.FindString(line); found != "" && !strings.Contains(line, "#ffffff") {
				t.Errorf("%s:%d names the colour %s itself; take a token", e.Name(), i+1, found)
			}
		}
	}
}

func TestStatic(t *testing.T) {
	get := func(path, encoding string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Accept-Encoding", encoding)
		w := httptest.NewRecorder()
		if !Static(w, r) {
			w.WriteHeader(http.StatusNotFound)
		}
		return w
	}
	for _, name := range []string{"entente.css", "mark.svg"} {
		path := Asset(name)
		if path == "" {
			t.Fatalf("%s is not served", name)
		}
		plain := get(path, "")
		if !strings.Contains(plain.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s may not be kept: %q", name, plain.Header().Get("Cache-Control"))
		}
		w := get(path, "br, gzip")
		if w.Header().Get("Content-Encoding") != "gzip" {
			t.Errorf("%s is not packed", name)
			continue
		}
		unpacked, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(unpacked)
		if err != nil || string(body) != plain.Body.String() {
			t.Errorf("%s is not the same packed and plain: %v", name, err)
		}
		if get(path, "gzip;q=0").Header().Get("Content-Encoding") != "" {
			t.Errorf("%s is packed for a browser that does not take it", name)
		}
	}
	if w := get(StaticPrefix+"entente.css", ""); w.Code != http.StatusNotFound {
		t.Errorf("the style sheet is served under a name that does not change with it: %d", w.Code)
	}
}

func TestBarParts(t *testing.T) {
	cases := []struct {
		bar  Bar
		want string
	}{
		{Bar{Stopped: 1000, Late: 1000, Lost: 1000}, "works 0-1000"},
		{Bar{Stopped: 0, Late: 1000, Lost: 1000}, "stopped 0-1000"},
		{Bar{Stopped: 250, Late: 500, Lost: 1000}, "works 0-250 stopped 250-500 late 500-1000"},
		{Bar{Stopped: 250, Late: 250, Lost: 750}, "works 0-250 late 250-750 lost 750-1000"},
		{Bar{Stopped: 0, Late: 0, Lost: 0}, "lost 0-1000"},
		{Bar{Stopped: 100, Late: 1000, Lost: 600}, "works 0-100 stopped 100-600 lost 600-1000"},
	}
	for _, c := range cases {
		var got []string
		for _, p := range c.bar.parts() {
			got = append(got, fmt.Sprintf("%s %d-%d", strings.TrimPrefix(p.class, "bar-"), p.from, p.to))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v is drawn as %s; want %s", c.bar, strings.Join(got, " "), c.want)
		}
	}
}
