package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the README shows is what the program prints: every line under a command of
// the tour is a line of its output, in the same order. "…" stands for lines left out.
func TestReadmeTellsTheTruth(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	command, ran := "", 0
	var left []string // output of the command that was not shown yet
	for n, line := range strings.Split(string(text), "\n") {
		shown, inside := strings.CutPrefix(line, "    ")
		switch {
		case strings.HasPrefix(shown, "$ bin/entente ") && inside:
			command = shown
			out, errs, code := runEntente(t, strings.Fields(strings.TrimPrefix(shown, "$ bin/entente "))...)
			if code > exitHit {
				t.Fatalf("line %d: %s: %s", n+1, command, errs)
			}
			left = strings.Split(out, "\n")
			ran++
		case !inside && line != "":
			command = ""
		case command == "" || strings.TrimSpace(shown) == "" || strings.TrimSpace(shown) == "…":
		default:
			for len(left) > 0 && left[0] != shown {
				left = left[1:]
			}
			if len(left) == 0 {
				t.Fatalf("line %d shows %q, which %s does not print there", n+1, shown, command)
			}
		}
	}
	if ran < 4 {
		t.Errorf("only %d commands of the README were tried", ran)
	}
}

// Every page that the documents point to is there.
func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../docs/adr/*.md"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range link.FindAllStringSubmatch(string(text), -1) {
				if _, err := os.Stat(filepath.Join(filepath.Dir(file), m[1])); err != nil {
					t.Errorf("%s points to %s, which is not there", file, m[1])
				}
			}
		}
	}
}
