package archtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every module that we ask for ourselves has its line in docs/dependencies.md: what
// for, why this one, how alive. And no line outlives its module.
func TestModulesAreExplained(t *testing.T) {
	explained, err := os.ReadFile(filepath.Join(root, "docs/dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	asked, all := map[string]string{}, ""
	for _, name := range []string{"go.mod", "tools/go.mod"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		all += string(text)
		for line := range strings.SplitSeq(string(text), "\n") {
			module, version, found := strings.Cut(strings.TrimSpace(line), " ")
			if found && strings.Contains(module, ".") && strings.HasPrefix(version, "v") && !strings.HasSuffix(line, "// indirect") {
				asked[module] = version
			}
		}
	}
	for module, version := range asked {
		if !strings.Contains(string(explained), "`"+module+"` "+version) {
			t.Errorf("go.mod asks for %s %s, which docs/dependencies.md does not explain in this version", module, version)
		}
	}
	for line := range strings.SplitSeq(string(explained), "\n") {
		rest, found := strings.CutPrefix(line, "| `")
		module, _, _ := strings.Cut(rest, "`")
		if found && !strings.Contains(all, module+" v") {
			t.Errorf("docs/dependencies.md explains %s, which go.mod does not know", module)
		}
	}
}
