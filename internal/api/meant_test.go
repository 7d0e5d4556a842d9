package api

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/catalog"
	"github.com/entente-project/entente/internal/threat"
	"github.com/entente-project/entente/internal/threat/stix"
)

// asker sends requests to a node and compares every answer with the document.
type asker struct {
	*inventor
	*node
	succeeded map[string]int // by operation
}

func (a *asker) ask(c call, r *http.Request) *httptest.ResponseRecorder {
	a.t.Helper()
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	if err := a.check(c, w); err != nil {
		a.t.Fatalf("%s %s: %v\nlog: %s", r.Method, r.URL, err, a.log)
	}
	if w.Code < 300 {
		a.succeeded[c.id()]++
	}
	a.learn(c, r, w)
	return w
}

// means sends a request as the owner of beanline, which must succeed.
func (a *asker) means(id, path, body string, set ...func(*http.Request)) *httptest.ResponseRecorder {
	a.t.Helper()
	all := a.calls()
	c := all[slices.IndexFunc(all, func(c call) bool { return c.id() == id })]
	r := httptest.NewRequest(c.method, "http://entente.example"+base+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+a.tokens["beanline/owner"])
	if medias := c.medias(); len(medias) > 0 {
		r.Header.Set("Content-Type", medias[0])
	}
	for _, s := range set {
		s(r)
	}
	w := a.ask(c, r)
	if w.Code >= 300 {
		a.t.Fatalf("%s is asked for %s as it should be, and answers %d %s", id, path, w.Code, w.Body)
	}
	return w
}

// meansWell asks for every operation once as it should be asked for, which rests on what
// is there; chance would hardly ever hit some of them. Every request must succeed.
func (a *asker) meansWell() {
	a.t.Helper()
	a.meansPartners()
	a.meansPeople()
	a.meansChain()
	a.meansSoftware()
	for _, c := range a.calls() {
		if c.method == http.MethodGet && !strings.Contains(c.path, "{") && c.id() != "what-if" && c.id() != "search" {
			a.means(c.id(), strings.TrimPrefix(c.path, base), "")
		}
	}
	for _, c := range a.calls() {
		if a.succeeded[c.id()] == 0 {
			a.t.Errorf("nobody asks for %s as it should be asked for, so its answers are not looked at", c.id())
		}
	}
}

func (a *asker) meansPartners() {
	a.t.Helper()
	n, soon := a.node, time.Now().AddDate(0, 1, 0).UTC().Format(time.RFC3339)
	theirs := as(a.tokens["rosthof/owner"])
	entries := n.ask("GET", base+"/partners/"+get[List[Partnership]](n, base+"/partners", theirs).Items[0].Party+"/entries", nil, theirs).Body
	a.files = append(a.files, bytes.Clone(entries.Bytes()))
	a.means("import-entries", "/partner-entries", entries.String())
	partner := "/partners/" + get[List[Partnership]](n, base+"/partners").Items[0].Party
	a.means("get-partner", partner, "")
	a.means("ask-partner", partner+"/ask", "")
	a.means("export-entries", partner+"/entries", "")
	a.means("list-agreement-versions", partner+"/agreements", "")
	a.means("list-contradictions", partner+"/contradictions", "")
	a.means("get-disclosure-choice", partner+"/disclosure", "")
	a.means("choose-disclosure", partner+"/disclosure", `{"overall":"count"}`)
	a.means("tell-disclosure", partner+"/disclosure/tell", "")
	a.means("step-embargo", partner+"/embargo", `{"subject":"advisory/ROST-1","act":"propose","until":"`+soon+`"}`)
	a.means("get-embargo", partner+"/embargo?subject=advisory%2FROST-1", "")

	received := func(kind string) string {
		return "/inbox/" + get[List[InboxEntry]](n, base+"/inbox?kind="+kind).Items[0].ID
	}
	a.means("get-entry", received("sbom"), "")
	a.means("get-entry-file", received("sbom")+"/file", "")
	a.means("read-entry", received("practice")+"/read", "")
	a.means("acknowledge-entry", received("practice")+"/acknowledge", "")
	a.means("pass-on", received("practice")+"/pass-on", `{"preview":true}`)
	a.means("answer-concern", received("concern")+"/answer", `{"text":"Two people do."}`)
	a.means("put-file", "/files", "a file")
	a.means("say", "/statements", `{"kind":"practice","title":"Backups","text":"Restore one every month.","label":"TLP:GREEN","everyone":true}`)
	said := "/ledger/" + get[List[StatementBrief]](n, base+"/ledger?kind=practice").Items[0].ID
	a.means("get-statement", said, "")
	a.means("get-record", said+"/record", "")
	a.means("propose-embargo", said+"/embargo", `{"to":["`+get[StatementDetail](n, base+said).Partners[0].Party+`"],"until":"`+soon+`"}`)
	a.means("narrow-statement", said+"/narrow", `{"label":"TLP:AMBER+STRICT","reason":"it names a customer"}`)
	a.means("recall-statement", said+"/recall", `{"reason":"the wrong file"}`)

	const tier = "/suppliers/casa-verde/tier"
	a.means("get-supplier", "/suppliers/casa-verde", "")
	a.means("set-tier", tier, `{"tier":"low","reason":"It only delivers plants.","until":"`+soon+`"}`)
	a.means("get-tier", tier, "")
	a.means("free-tier", tier, "")
	a.means("answer-criterion", tier+"/answers/substitutability", `{"value":1,"reason":"There are three more."}`)
}

func (a *asker) meansPeople() {
	a.t.Helper()
	n := a.node
	a.means("rename-organisation", "/organisation", `{"name":"Beanline"}`)
	a.means("verify-journal", "/journal/verification", "")
	invitation := answerOf[Invitation](n, a.means("invite", "/invitations", `{"email":"ada@example.org","role":"auditor"}`)).ID
	a.means("withdraw-invitation", "/invitations/"+invitation, "")
	members := get[List[Member]](n, base+"/members").Items
	member := "/members/" + members[slices.IndexFunc(members, func(m Member) bool { return m.Role == "analyst" })].ID
	a.means("get-member", member, "")
	a.means("set-role", member+"/role", `{"role":"procurement"}`)
	a.means("remove-member", member, "")
	view := answerOf[SavedView](n, a.means("save-view", "/views", `{"list":"suppliers","name":"Critical ones"}`)).ID
	a.means("set-standard-view", "/standard-views/suppliers", `{"view":"`+view+`"}`)
	a.means("change-view", "/views/"+view, `{"name":"Mine","shared":true}`)
	a.means("remove-view", "/views/"+view, "")

	const hook = `{"name":"Desk","url":"https://hooks.example/entente","kinds":["chain.imported"]}`
	a.means("create-webhook", "/webhooks", hook)
	delivery := "/webhook-deliveries/" + get[List[WebhookDelivery]](n, base+"/webhook-deliveries").Items[0].ID
	a.means("get-webhook-delivery", delivery, "")
	a.means("replay-webhook-delivery", delivery+"/replay", "")
	at := "/webhooks/" + get[List[Webhook]](n, base+"/webhooks").Items[0].ID
	a.means("get-webhook", at, "")
	a.means("change-webhook", at, hook)
	for _, act := range []string{"pause", "resume", "test", "replay"} {
		a.means(act+"-webhook", at+"/"+act, "")
	}
	a.means("rotate-webhook-secret", at+"/secret", "")
	a.means("remove-webhook", at, "")
}

func (a *asker) meansChain() {
	a.t.Helper()
	n := a.node
	a.means("search", "/search?q=bean", "")
	a.means("what-if", "/what-if?down=nordhost", "")
	a.means("get-node", "/nodes/nordhost", "")
	a.means("draw-chain", "/drawings/processes/bean-procurement", "")
	process := a.means("get-process", "/processes/bean-procurement", "")
	a.means("put-process", "/processes/bean-procurement", process.Body.String())
	const batch = `{"kind":"process","ids":["bean-procurement","bean-distribution"],"field":"owner","value":"Ada"}`
	a.means("plan-batch", "/batches/plan", batch)
	change := fmt.Sprintf("/changes/%d", answerOf[ChainChange](n, a.means("apply-batch", "/batches", batch)).Revision)
	a.means("get-change", change, "")
	a.means("undo-change", change+"/undo", "")

	const sheets = "/imports?kind=suppliers"
	upload := func() string {
		return fmt.Sprintf("/imports/%d", answerOf[SheetImport](n, a.means("upload-sheet", sheets, "Name;Land\nKranwerk;DE\n", with("Content-Type", "text/csv"))).ID)
	}
	a.means("list-sheet-columns", "/sheet-columns/suppliers", "")
	a.means("drop-import", upload(), "")
	sheet := upload()
	a.means("get-import", sheet, "")
	a.means("list-import-rows", sheet+"/rows", "")
	options := answerOf[SheetOptions](n, a.means("get-import-options", sheet+"/options", ""))
	a.means("set-import-options", sheet+"/options", fmt.Sprintf(`{"columns":[{"key":%q,"column":1}],"exists":"skip","wrong":"pass"}`, options.Columns[0].Key))
	a.means("start-import", sheet+"/start", `{}`)
	must(a.t, n.runner.CatchUp(a.t.Context(), "beanline"))
	a.means("undo-import", sheet+"/undo", "")

	thing := "/things/organisation/casa-verde"
	whole := a.means("get-thing", thing, "")
	a.means("put-thing", thing, strings.Replace(whole.Body.String(), `"name":"`, `"name":"New `, 1), with("If-Match", whole.Header().Get("ETag")))
	past := answerOf[List[PastChange]](n, a.means("list-history", thing+"/history", ""))
	a.means("undo-thing", thing+"/undo", fmt.Sprintf(`{"n":%d}`, past.Items[0].N))
	thing = "/things/flow/" + get[List[Flow]](n, base+"/flows").Items[0].ID
	a.means("remove-thing", thing, "", with("If-Match", a.means("get-thing", thing, "").Header().Get("ETag")))
	chart, err := fs.ReadFile(catalog.Files(), "beanline.yaml")
	must(a.t, err)
	a.means("import-map", "/map", string(chart))
}

func (a *asker) meansSoftware() {
	a.t.Helper()
	n := a.node
	product := "/products/" + get[List[Product]](n, base+"/products").Items[0].ID
	a.means("get-product", product, "")
	a.means("list-findings", product+"/findings", "")
	const sbom = `{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"components":[{"type":"library","name":"lodash","version":"4.17.20","purl":"pkg:npm/lodash@4.17.20"}]}`
	cyclonedx := with("Content-Type", "application/vnd.cyclonedx+json")
	a.means("record-sbom", product+"/sboms?file=a.json", sbom, cyclonedx)
	a.means("put-sbom", product+"/sboms?file=b.json", sbom, cyclonedx)
	document := fmt.Sprintf("/documents/%d", get[List[Document]](n, base+"/documents").Items[0].ID)
	a.means("get-document", document, "")
	a.means("list-components", document+"/components", "")
	a.means("get-package", fmt.Sprintf("/packages/%d", get[List[Package]](n, base+"/packages?search=lodash").Items[0].ID), "")
	a.means("remove-document", document, "")
	advisory := "/advisories/" + get[List[ListedAdvisory]](n, base+"/advisories").Items[0].ID
	a.means("get-advisory", advisory, "")
	a.means("get-impact", advisory+"/impact", "")
	const record = `{"schema_version":"1.6.0","id":"ROST-2026-1","modified":"2026-01-02T00:00:00Z","summary":"It leaks.","affected":[{"package":{"ecosystem":"npm","name":"lodash"},"versions":["4.17.20"]}]}`
	a.means("record-advisories", "/advisories", record, with("Content-Type", "application/json"))

	a.means("put-thing", "/things/product/shop", `{"id":"shop","name":"Shop","supplier":"beanline"}`, with("If-None-Match", "*"))
	party := get[List[Partnership]](n, base+"/partners").Items[0].Party
	said := answerOf[Said](n, a.means("say-vex", "/products/shop/vex", `{"vulnerability":"ROST-2026-1","status":"not_affected","text":"never called","to":["`+party+`"],"preview":true}`))
	if i := slices.IndexFunc(said.Partners, func(l SaidLine) bool { return l.Party == party }); i < 0 || said.Partners[i].Reason == "" || said.Partners[i].Number != 0 {
		a.t.Errorf("the preview: %+v", said)
	}
	a.means("say-vex", "/products/shop/vex", `{"vulnerability":"ROST-2026-1","status":"not_affected","text":"never called"}`)
	warning, err := stix.Read([]byte(`{"type":"identity","spec_version":"2.1","id":"identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2026-04-06T20:03:48.000Z","modified":"2026-04-06T20:03:48.000Z","name":"Somebody"}`))
	must(a.t, err)
	must(a.t, n.rooms.Threat.Record(a.t.Context(), entente.System("beanline", entente.DoorCommand), threat.Threat{Party: entente.PartyID(party), Number: 1, By: "Rosthof", TLP: entente.TLPGreen, At: time.Now()}, warning))
	a.means("get-threat", "/threats/"+party+"/1/identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", "")
}
