package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/entente-project/entente/internal/api"
	"github.com/entente-project/entente/internal/web"
)

// Why some pages have no operation of the API.
const (
	browser = "a session, a password, a passkey or a second factor: they prove a person at a browser, and no token may touch them"
	signed  = "what is signed for the organisation needs a person at a page, and no token may do it"
	display = "how a page looks, or a form of it: nothing is told or done that other operations do not tell or do"
)

// doors says for every page which operation does the same, or why none does. A key
// that ends with "/" stands for everything below it.
var doors = map[string]string{
	"/{$}": display, "/invitation": browser, "/invitation/": browser, "/sign-in": browser, "/sign-in/": browser, "/sign-out": browser, "/new-password": browser,
	"/o/{org}": display, "/o/{org}/account": browser, "/o/{org}/account/": browser, "/o/{org}/live": display,
	"GET /o/{org}/views": "list-views", "POST /o/{org}/views": "save-view", "/o/{org}/views/{id}/rename": "change-view",
	"/o/{org}/views/{id}/remove": "remove-view", "/o/{org}/views/{id}/standard": "set-standard-view", "/o/{org}/search": "search",
	"/o/{org}/organisation": "get-organisation", "/o/{org}/organisation/name": "rename-organisation",
	"/o/{org}/organisation/single-sign-on": browser, "/o/{org}/organisation/single-sign-on/": browser,
	"/o/{org}/people": "list-members", "/o/{org}/people/{id}": "get-member", "/o/{org}/people/{id}/role": "set-role", "/o/{org}/people/{id}/remove": "remove-member",
	"/o/{org}/roles": "set-role", "/o/{org}/roles/{id}/undo": "set-role",
	"GET /o/{org}/invitations": "list-invitations", "POST /o/{org}/invitations": "invite", "/o/{org}/invitations/{id}/withdraw": "withdraw-invitation",
	"/o/{org}/tokens": browser, "/o/{org}/tokens/": browser, // a token that makes tokens could never be ended
	"/o/{org}/advisories": "list-advisories", "/o/{org}/advisories/{id}": "get-impact", "/o/{org}/record-advisories": "record-advisories",
	"/o/{org}/threats": "list-threats", "/o/{org}/threats/{id}": "list-threats", "/o/{org}/threats/{id}/original": "list-threats",
	"/o/{org}/components": "search-packages", "/o/{org}/components/{package}": "get-package",
	"/o/{org}/documents": "list-documents", "/o/{org}/documents/{document}": "list-components", "/o/{org}/documents/{document}/withdraw": "remove-document", "/o/{org}/withdraw-documents": "remove-document", "/o/{org}/supplies": "list-supplies", "/o/{org}/products": "list-products", "/o/{org}/products/{id}": "get-product", "/o/{org}/products/{id}/documents": "record-sbom", "GET /o/{org}/products/{id}/vex": display, "POST /o/{org}/products/{id}/vex": "say-vex",
	"/o/{org}/concentration": "concentration", "/o/{org}/what-if": "what-if", "/o/{org}/data-flows": "draw-flows",
	"GET /o/{org}/map": "export-map", "/o/{org}/map.yaml": "export-map", "POST /o/{org}/map": "import-map",
	"/o/{org}/processes": "list-processes", "/o/{org}/processes/{id}": "get-process", "/o/{org}/processes/{id}/chain": "draw-chain",
	"/o/{org}/graph": display, "/o/{org}/graph/things": "get-node", "/o/{org}/graph/ways": "get-node",
	"/o/{org}/suppliers": "list-suppliers", "/o/{org}/suppliers/{id}": "get-supplier", "/o/{org}/suppliers/{id}/answer": "answer-criterion",
	"/o/{org}/suppliers/{id}/tier": "set-tier", "/o/{org}/suppliers/{id}/tier/free": "free-tier", "/o/{org}/tiers": "set-tier", "/o/{org}/tiers/{id}/undo": "free-tier",
	"/o/{org}/systems": "list-systems", "/o/{org}/systems/{id}": "get-node", "/o/{org}/new/": "put-thing",
	"/o/{org}/journal": "list-events", "GET /o/{org}/journal/verify": "get-verification", "POST /o/{org}/journal/verify": "verify-journal",
	"/o/{org}/what-if/moment": "what-if", "/o/{org}/design": display,
	"GET /o/{org}/webhooks": "list-webhooks", "POST /o/{org}/webhooks": "create-webhook", "/o/{org}/new-webhook": display,
	"GET /o/{org}/webhooks/{id}": "get-webhook", "POST /o/{org}/webhooks/{id}": "change-webhook",
	"/o/{org}/webhooks/{id}/pause": "pause-webhook", "/o/{org}/webhooks/{id}/resume": "resume-webhook", "/o/{org}/webhooks/{id}/secret": "rotate-webhook-secret",
	"/o/{org}/webhooks/{id}/test": "test-webhook", "/o/{org}/webhooks/{id}/replay": "replay-webhook",
	"/o/{org}/webhook-log": "list-webhook-deliveries", "/o/{org}/webhook-log/{id}/replay": "replay-webhook-delivery",
	"GET /o/{org}/import": "list-imports", "POST /o/{org}/import": "upload-sheet", "/o/{org}/import/template": "list-sheet-columns",
	"/o/{org}/import/{id}": "get-import", "/o/{org}/import/{id}/refused": "list-import-rows",
	"/o/{org}/import/{id}/columns": "set-import-options", "/o/{org}/import/{id}/options": "set-import-options",
	"/o/{org}/import/{id}/start": "start-import", "/o/{org}/import/{id}/undo": "undo-import", "/o/{org}/import/{id}/drop": "drop-import",
	"/o/{org}/partners": "list-partners", "/o/{org}/partners/{id}": "get-partner", "/o/{org}/partners/{id}/agreement": "list-agreement-versions",
	"GET /o/{org}/partners/{id}/disclosure": "get-disclosure-choice", "POST /o/{org}/partners/{id}/disclosure": "choose-disclosure", "/o/{org}/partners/{id}/disclosure/tell": "tell-disclosure",
	"/o/{org}/partners/{id}/ask": "ask-partner", "/o/{org}/partners/{id}/quarantine": "list-contradictions", "/o/{org}/partners/{id}/": signed, "/o/{org}/partners/regain": signed,
	"GET /o/{org}/partner-invitations": "list-partner-invitations", "POST /o/{org}/partner-invitations": signed, "/o/{org}/partner-invitations/{id}/withdraw": signed,
	"/o/{org}/invite-partner": signed, "/o/{org}/accept-partner": signed, "/o/{org}/accept-partner/sign": signed, "/join/": browser,
	"GET /o/{org}/say": display, "POST /o/{org}/say": "say", "/o/{org}/say/preview": "say", "/o/{org}/say/edit": display,
	"/o/{org}/inbox": "list-inbox", "/o/{org}/inbox/{id}": "get-entry", "/o/{org}/inbox/{id}/file": "get-entry-file", "/o/{org}/inbox/{id}/acknowledge": "acknowledge-entry",
	"/o/{org}/inbox/{id}/pass-on": "pass-on", "/o/{org}/concerns": "list-concerns", "/o/{org}/concerns/{id}": "list-concerns",
	"/o/{org}/ledger": "list-ledger", "/o/{org}/ledger/{id}": "get-statement", "/o/{org}/ledger/{id}/record": "get-record",
	"/o/{org}/ledger/{id}/recall": "recall-statement", "/o/{org}/ledger/{id}/narrow": "narrow-statement", "/o/{org}/embargoes": "list-embargoes",
	"GET /o/{org}/ledger/{id}/embargo": display, "POST /o/{org}/ledger/{id}/embargo": "propose-embargo",
	"GET /o/{org}/partners/{id}/embargo": "get-embargo", "POST /o/{org}/partners/{id}/embargo": "step-embargo",
	"GET /o/{org}/partners/{id}/file": display, "/o/{org}/partners/{id}/entries.jsonl": "export-entries", "POST /o/{org}/partners/{id}/file": "import-entries",
	"/o/{org}/move": signed, "/o/{org}/move/stay": signed, "/o/{org}/bring-seat": signed, "GET /o/{org}/contacts": "list-own-contacts", "POST /o/{org}/contacts": signed,
	"GET /o/{org}/key": "get-key", "POST /o/{org}/key": signed,
	"/o/{org}/batch": "apply-batch", "/o/{org}/changes/{id}": "get-change", "/o/{org}/changes/{id}/undo": "undo-change",
}

// edits are what every kind of thing has below its address.
var edits = map[string]string{"/edit": "put-thing", "/history": "list-history", "/undo": "undo-thing", "/remove": "remove-thing"}

// Everything that pages do can be done over the API, or it is said why not.
func TestDoorsOfEveryPage(t *testing.T) {
	text, err := api.OpenAPI("test")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{browser: true, display: true, signed: true}
	for _, methods := range doc.Paths {
		for _, o := range methods {
			known[o.OperationID] = true
		}
	}
	used := map[string]bool{}
	for _, r := range web.Routes() {
		key, door := doorOf(r.Method, r.Pattern)
		used[key] = true
		if !known[door] {
			t.Errorf("%s %s has neither an operation of the API nor a reason (%q)", r.Method, r.Pattern, door)
		}
	}
	for key := range doors {
		if !used[key] {
			t.Errorf("%s is no page any more", key)
		}
	}
}

func doorOf(method, pattern string) (key, door string) {
	for _, key := range []string{method + " " + pattern, pattern} {
		if door, ok := doors[key]; ok {
			return key, door
		}
	}
	for end, door := range edits {
		if strings.HasSuffix(pattern, "/{id}"+end) && strings.Count(pattern, "/") == 5 && !strings.Contains(pattern, "/tiers/") {
			return fmt.Sprint("edit ", pattern), door
		}
	}
	for at := strings.LastIndexByte(pattern, '/'); at > 0; at = strings.LastIndexByte(pattern[:at], '/') {
		if door, ok := doors[pattern[:at+1]]; ok {
			return pattern[:at+1], door
		}
	}
	return "", ""
}
