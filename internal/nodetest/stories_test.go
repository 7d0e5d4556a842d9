package nodetest

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
)

// stage is the world in which the stories play: a buyer and its supplier with nodes of
// their own, a node that hosts small ones, and one that nobody has used yet.
func stage() *World {
	return &World{Nodes: []*Node{
		{Name: "buyers", Hosts: []*Organisation{{Name: "beanline", Title: "Beanline"}}},
		{Name: "suppliers", Hosts: []*Organisation{{Name: "rosthof", Title: "Rosthof Wholesale"}}},
		{Name: "hub", Hosts: []*Organisation{{Name: "nordhost", Title: "Nordhost Cloud"}, {Name: "canteen", Title: "Harbour Canteen"}, {Name: "brewfix", Title: "Brewfix", Guest: true}}},
		{Name: "spare", Hosts: []*Organisation{{Name: "newhome", Title: "New Home"}}},
	}}
}

// Every story plays on both engines.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/stories/*.txtar")
	check(t, err)
	if len(files) == 0 {
		t.Fatal("there are no stories")
	}
	for engine, open := range map[string]func(testing.TB) db.Config{"sqlite": dbtest.SQLiteConfig, "postgres": dbtest.PostgresConfig} {
		for _, file := range files {
			t.Run(engine+"/"+strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
				w := stage()
				w.Start(t, open)
				w.Play(t, file)
			})
		}
	}
}

// What follows the verb of a line is read in pairs.
func TestWordsOfALine(t *testing.T) {
	l := line{args: []string{"file", "as", "amber", "to"}}
	if _, err := l.words(1); err == nil {
		t.Error("a word without its pair was read")
	}
	more, err := line{args: []string{"file", "as", "amber", "to", "beanline"}}.words(1)
	if err != nil || more["as"] != "amber" || more["to"] != "beanline" {
		t.Errorf("read as %v, %v", more, err)
	}
}
