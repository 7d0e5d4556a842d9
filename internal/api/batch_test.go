package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db"
	"github.com/entente-project/entente/internal/db/dbtest"
	"github.com/entente-project/entente/internal/identity"
)

// send posts JSON.
func (n *node) send(method, path, body string, set ...func(*http.Request)) *httptest.ResponseRecorder {
	return n.ask(method, path, strings.NewReader(body), append(set, with("Content-Type", "application/json"))...)
}

// answerOf reads an answer that must be a success.
func answerOf[T any](n *node, w *httptest.ResponseRecorder) T {
	n.t.Helper()
	var out T
	if w.Code >= 300 {
		n.t.Fatalf("%d %s", w.Code, w.Body)
	}
	must(n.t, json.Unmarshal(w.Body.Bytes(), &out))
	return out
}

// Many things are changed and taken back as one, by nobody who may not change each.
func TestBatches(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		n := newNode(t, d)
		batch := `{"kind":"process","ids":["bean-procurement","bean-distribution"],"field":"owner","value":"Ada"}`
		owner := func(id string) string { return get[Process](n, base+"/processes/"+id).Owner }
		before := []string{owner("bean-procurement"), owner("bean-distribution")}

		plan := answerOf[BatchPlan](n, n.send("POST", base+"/batches/plan", batch))
		if len(plan.Things) != 2 || !plan.Things[0].Can || plan.Things[0].Now != before[0] || owner("bean-procurement") != before[0] {
			t.Fatalf("the plan: %+v", plan)
		}
		limited := as(n.tokens["beanline/business-owner"])
		mine := answerOf[BatchPlan](n, n.send("POST", base+"/batches/plan", batch, limited))
		if !mine.Things[0].Can || mine.Things[1].Can || mine.Things[1].Why == "" {
			t.Errorf("the plan of whom one process is: %+v", mine)
		}
		n.problem(n.send("POST", base+"/batches", batch, limited), 403, "chain.edit")
		n.problem(n.send("POST", base+"/batches", batch, as(n.tokens["beanline/auditor"])), 403, "chain.import")
		reads := n.token("beanline", entente.RoleOwner, identity.ChainRead)
		n.problem(n.send("POST", base+"/batches", batch, as(reads)), 403, "chain.import")
		n.problem(n.send("POST", base+"/batches", strings.Replace(batch, "bean-distribution", "atlantis", 1)), 409, "atlantis")

		stale := strings.Replace(batch, `"value"`, fmt.Sprintf(`"revision":%d,"value"`, plan.Revision+7), 1)
		n.problem(n.send("POST", base+"/batches", stale), 409, "")
		done := answerOf[ChainChange](n, n.send("POST", base+"/batches", batch))
		if owner("bean-procurement") != "Ada" || owner("bean-distribution") != "Ada" {
			t.Errorf("the batch did %+v", done)
		}
		path := fmt.Sprintf("%s/changes/%d", base, done.Revision)
		if what := get[List[ChangedThing]](n, path).Items; len(what) != 2 || what[0].Kind != "process" || what[0].Door != "api" || !strings.Contains(what[0].After, "Ada") {
			t.Errorf("the change: %+v", what)
		}
		n.problem(n.ask("POST", path+"/undo", nil, limited), 403, "chain.edit")
		n.problem(n.ask("POST", path+"/undo", nil, as(reads)), 403, "chain.import")
		answerOf[ChainChange](n, n.ask("POST", path+"/undo", nil))
		if owner("bean-procurement") != before[0] || owner("bean-distribution") != before[1] {
			t.Error("the batch was not undone")
		}
		n.problem(n.ask("POST", path+"/undo", nil), 409, "")
		n.problem(n.ask("GET", base+"/changes/4711", nil), 404, "4711")
	})
}
