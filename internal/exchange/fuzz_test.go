package exchange

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/db/dbtest"
)

func FuzzTicket(f *testing.F) {
	f.Add("https://entente.example/join/ent1abcdefghijkmnpqrstuvwxyz234567/secret#key")
	f.Add(`{"v":1,"address":"https://entente.example","party":"ent1abcdefghijkmnpqrstuvwxyz234567","secret":"s"}`)
	f.Fuzz(func(t *testing.T, text string) {
		ticket, _, err := ReadTicket(text)
		if err == nil && (ticket.Party.Valid() != nil || ticket.Secret == "" || ticket.Address == "") {
			t.Errorf("%q became %+v", text, ticket)
		}
	})
}

func FuzzSignature(f *testing.F) {
	f.Add(`sig1=("@method" "@authority" "@path" "content-digest");created=1;keyid="`+strings.Repeat("a", 64)+`";nonce="abcdefghijklmnopqrst";alg="ed25519";tag="entente-exchange-v1"`, "sig1=:"+strings.Repeat("A", 86)+"==:")
	f.Fuzz(func(t *testing.T, input, sig string) {
		g, err := readSignature(http.Header{"Signature-Input": {input}, "Signature": {sig}})
		if err == nil && g.verify("POST", "a", "/", http.Header{"Content-Digest": {digest(nil)}}, nil, entente.Keyring{}, time.Unix(0, 0)) == nil {
			t.Errorf("%q verifies by no key", input)
		}
	})
}

func FuzzFileHead(f *testing.F) {
	f.Add([]byte(`{"exchange":{"format":"entente.exchange/1","from":"a","to":"b"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		lines := bufio.NewScanner(bytes.NewReader(text))
		lines.Buffer(nil, maxLine)
		if head, err := readHead(lines); err == nil && head.Format != fileFormat {
			t.Errorf("%q was read", text)
		}
	})
}

// Whatever another node sends, the door answers, and never with a fault of ours.
func FuzzDoor(f *testing.F) {
	h := newHouse(f, dbtest.SQLite(f))
	s := h.host("Beanline")
	party := string(s.party())
	for _, path := range []string{pathLook, pathJoin, pathPush, pathPull, pathBack} {
		f.Add(path, []byte(`{"party":"`+party+`","secret":"x","from":"`+party+`","to":"`+party+`","entries":[{}],"after":3}`))
	}
	f.Add(pathParty+party, []byte(nil))
	f.Add(pathBlob+party+"/"+party+"/"+strings.Repeat("0", 64)+"/0", []byte(nil))
	f.Fuzz(func(t *testing.T, path string, body []byte) {
		method := http.MethodPost
		if len(body) == 0 {
			method = http.MethodGet
		}
		r := httptest.NewRequestWithContext(t.Context(), method, "/", bytes.NewReader(body))
		r.URL.Path = path
		w := httptest.NewRecorder()
		h.Door().ServeHTTP(w, r)
		if w.Code >= 500 || w.Code == 0 {
			t.Errorf("%s %q with %q: %d %s", method, path, body, w.Code, w.Body)
		}
	})
}

// What a partner says in the entries that the exchange itself acts on.
func FuzzBodies(f *testing.F) {
	f.Add([]byte(`{"act":"propose","agreement":{"payloadType":"x","payload":"e30=","signatures":[]},"n":1,"marking":{"tlp":"TLP:RED"}}`))
	f.Add([]byte(`{"contacts":[{"name":"x"}],"v":1,"party":"ent1"}`))
	h := newHouse(f, dbtest.SQLite(f))
	buyer, supplier := h.host("Beanline"), h.host("Rosthof")
	become(buyer, supplier)
	party := buyer.party()
	kinds := []entente.EntryKind{entente.EntryKeyChanged, entente.EntryMoved, entente.EntryAgreement, entente.EntryContacts, entente.EntryRecall, entente.EntryNarrow, entente.EntryRead, entente.EntryEmbargo}
	f.Fuzz(func(t *testing.T, body []byte) {
		if !json.Valid(body) {
			return
		}
		for _, k := range kinds {
			if err := supplier.hears(t.Context(), party, entente.Entry{Kind: k, Body: body}); err != nil {
				t.Errorf("%s with %q: %v", k, body, err)
			}
		}
	})
}
