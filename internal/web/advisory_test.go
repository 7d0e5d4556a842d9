package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/advisory/osv"
)

func TestHomeSaysWhatNeedsSomebody(t *testing.T) {
	n := newNode(t)
	owner := n.as("owner@beanline.example")
	owner.mustHold("/o/beanline", "has only begun", "Import a map", "Record advisories")
	n.tell()
	body := owner.mustHold("/o/beanline",
		"Log4j runs code", "CVE-2021-44228", "Processes at risk", "Bean procurement", "Nordhost Cloud", "Documents not assessable", "Crema Machine Firmware",
		"/o/beanline/advisories/GHSA-jfh8-c2jp-5v3q")
	if strings.Contains(body, "Next steps") {
		t.Error("an organisation that has all still gets next steps")
	}
	owner.mustHold("/o/beanline/processes?risk=hit", "4 processes", "9 advisories")
	owner.mustHold("/o/beanline/processes/bean-procurement", "Advisories that reach this process", "SnakeYAML")
}

func TestAdvisoryPages(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	owner.mustHold("/o/beanline/advisories/GHSA-jfh8-c2jp-5v3q",
		"It hits you: through 1 component in 1 product it reaches 4 processes.", "Flinkfracht Booking", "Transport booking runs Flinkfracht Booking",
		"likely", "possible", "If what is affected were switched off", "After 14 h", "Whom to call", "Dispatcher", "from 2.13.0 until before 2.15.0", "Also known as CVE-2021-44228")
	w := owner.get("/o/beanline/advisories/cve-2021-44228")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/o/beanline/advisories/GHSA-jfh8-c2jp-5v3q" {
		t.Errorf("by another name: %d to %q", w.Code, w.Header().Get("Location"))
	}
	if w := owner.get("/o/beanline/advisories/CVE-1999-0001"); w.Code != http.StatusNotFound {
		t.Errorf("an unknown advisory: %d", w.Code)
	}
	for path, says := range map[string]string{
		"":                         "9 advisories",
		"?show=all":                "advisories",
		"?show=all&q=jinja":        "PYSEC-2021-66",
		"?level=critical":          "1 advisory",
		"?ecosystem=Go":            "GO-2023-2102",
		"?sort=name":               "GHSA-jfh8-c2jp-5v3q",
		"?sort=-name":              "RUSTSEC-2021-0124",
		"?sort=products":           "1 product",
		"?q=nothing-of-the-kind":   "Nothing matches",
		"?show=withdrawn&q=absent": "Nothing matches",
	} {
		owner.mustHold("/o/beanline/advisories"+path, says)
	}
	owner.mustHold("/o/beanline/products/flinkfracht-booking", "Advisories that concern this product", "GHSA-jfh8-c2jp-5v3q", "log4j-core")
}

func TestRecordingAdvisories(t *testing.T) {
	n := newNode(t)
	owner := n.as("owner@beanline.example")
	owner.mustHold("/o/beanline/advisories", "No advisories yet", "Record advisories")
	to := "/o/beanline/record-advisories"
	for name, content := range map[string]string{"text.json": "hello", "empty.json": "", "other.json": `{"a":1}`, "broken.zip": "PK\x03\x04"} {
		w := owner.send(to, "advisories", name, []byte(content))
		if w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d\n%s", name, w.Code, w.Body)
		}
		wholePage(t, name, w.Body.String())
	}
	record := demoFile(t, "advisories/GHSA-jfh8-c2jp-5v3q.json")
	for _, says := range []string{"1 new, 0 changed, 0 known already", "0 new, 0 changed, 1 known already"} {
		w := owner.send(to, "advisories", "log4j.json", record)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), says) {
			t.Errorf("recording: %d without %q\n%s", w.Code, says, w.Body)
		}
	}
	owner.mustHold("/o/beanline/advisories", "No advisory hits you", "not covered by that")
	owner.mustHold("/o/beanline/advisories?show=all", "GHSA-jfh8-c2jp-5v3q")
}

// What a match was before is told with its reason, and what was odd in records with its
// place; both in the reader's language.
func TestReasonsAndOdditiesOfAdvisories(t *testing.T) {
	n := newNode(t)
	n.tell()
	owner := n.as("owner@beanline.example")
	at, to := "/o/beanline/advisories/GHSA-jfh8-c2jp-5v3q", "/o/beanline/record-advisories"
	var record map[string]any
	must(t, json.Unmarshal(demoFile(t, "advisories/GHSA-jfh8-c2jp-5v3q.json"), &record))
	record["modified"], record["withdrawn"], record["published"] = "2026-02-03T00:00:00Z", "2026-02-03T00:00:00Z", "some day"
	text, err := json.Marshal(record)
	must(t, err)
	w := owner.send(to, "advisories", "log4j.json", text)
	mustAnswer(t, w, http.StatusOK, "What was odd", "log4j.json", "published", "some day", "is no time of RFC 3339")
	n.catchUp()
	owner.mustHold(at, "How it stood before", `<a href="/o/beanline/components/`, "Affected from ", "2.14.1 lies in")
	mustLead(t, owner.post("/o/beanline/account/preferences", url.Values{"language": {"en-XA"}}), "/o/beanline/account/preferences?done=preferences")
	body := owner.mustHold(at, "2.14.1 ļíéš")
	if strings.Contains(body, "lies in") {
		t.Error("a reason before is said in English")
	}
	if body := owner.send(to, "advisories", "log4j.json", text).Body.String(); strings.Contains(body, "is no time of") {
		t.Error("an oddity is said in English")
	}
}

func TestVersionWords(t *testing.T) {
	v := &visit{r: httptest.NewRequest(http.MethodGet, "/", nil)}
	for want, a := range map[string]osv.Affected{
		"all versions until before 1.2; from 2.0 up to and with 2.3": {Ranges: []osv.Range{{Type: osv.RangeEcosystem, Events: []osv.Event{{Introduced: "0"}, {Fixed: "1.2"}, {Introduced: "2.0"}, {LastAffected: "2.3"}}}}},
		"from 3, without a fixed one":                                {Ranges: []osv.Range{{Type: osv.RangeSemver, Events: []osv.Event{{Introduced: "3"}}}}},
		"commits of https://example.org/x":                           {Ranges: []osv.Range{{Type: osv.RangeGit, Repo: "https://example.org/x"}}},
		"1.0 and 1.1":                                                {Versions: []string{"1.0", "1.1"}},
		"not stated":                                                 {},
	} {
		if got := v.versionWords(&a); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
