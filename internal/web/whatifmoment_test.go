package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestMomentOfAnOutage(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	const at = "/o/beanline/what-if?down=nordhost"
	body := owner.mustHold(at+"&at=24", `type="range"`, `value="24"`, `aria-valuetext="after 24 h"`, "After 24 h, ", "processes have stopped", "Next, ", "critical paths", "bar-now")
	wholePage(t, at, body)
	early := owner.mustHold(at+"&at=0", "At once, 0 of 4 processes have stopped.", "works, stops after 24 h")
	if strings.Contains(early, "stopped after 24 h") {
		t.Error("a process has stopped before it stops")
	}
	owner.mustHold(at, "After 7 days, ", "Nothing more stops within 7 days.")
	owner.mustHold(at+"&at=100000", `value="168"`)
	owner.mustHold(at+"&at=nonsense", `value="168"`)
	owner.mustHold(at+"&horizon=12w&at=120", `name="horizon" value="12w"`, "After 5 days, ", "at=24")
	// The script gets the same words.
	w := owner.get("/o/beanline/what-if/moment?down=nordhost&at=24")
	var told struct{ After, Words string }
	must(t, json.Unmarshal(w.Body.Bytes(), &told))
	if w.Code != http.StatusOK || told.After != "after 24 h" || !strings.Contains(body, strings.TrimSpace(told.Words)) {
		t.Errorf("the moment: %d %q", w.Code, told.After)
	}
	owner.mustHold("/o/beanline/what-if?down=offices", "no process stops")
}

func TestConcentrationIsCharted(t *testing.T) {
	n := newNode(t)
	n.tell()
	body := n.as("owner@beanline.example").mustHold("/o/beanline/concentration", "Processes that stop, by organisation and how soon", "Herfindahl-Hirschman index by category", "Nordhost Cloud stops processes alone: ", "The numbers of this chart", "within 24 h", "1,800")
	wholePage(t, "concentration", body)
	if strings.Count(body, `class="timeline chart"`) != 2 {
		t.Error("there are not two charts")
	}
}
