package exchange

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/entente-project/entente"
)

var writeVectors = flag.Bool("vectors", false, "write the file of signed requests, if it does not exist")

const vectorFolder = "../../testdata/vectors/v1"

// requestVector is a request as it arrives at a node, and whether its signature holds.
type requestVector struct {
	Note   string              `json:"note"`
	Signer entente.KeyDocument `json:"signer"` // as the receiver knows it
	Method string              `json:"method"`
	// Authority and path are those by which the receiver is asked.
	Authority string            `json:"authority"`
	Path      string            `json:"path"`
	Body      string            `json:"body"`
	Headers   map[string]string `json:"headers"`
	Base      string            `json:"base,omitempty"` // what is signed
	Now       time.Time         `json:"now"`            // by the receiver's clock
	Valid     bool              `json:"valid"`
}

// A request between nodes is believed or not as the vectors say; they are added, never
// changed.
func TestSignedRequestVectors(t *testing.T) {
	file := filepath.Join(vectorFolder, "requests.json")
	if _, err := os.Stat(file); err != nil && *writeVectors {
		raw, err := json.MarshalIndent(makeRequests(t), "", "  ")
		ok(t, err)
		ok(t, os.WriteFile(file, append(raw, '\n'), 0o644))
	}
	raw, err := os.ReadFile(file)
	ok(t, err)
	var all []requestVector
	ok(t, json.Unmarshal(raw, &all))
	if len(all) < 15 {
		t.Fatalf("there are %d vectors", len(all))
	}
	for _, v := range all {
		ring, err := v.Signer.Verify()
		ok(t, err)
		h := http.Header{}
		for name, value := range v.Headers {
			h.Set(name, value)
		}
		g, err := readSignature(h)
		if err == nil {
			err = g.verify(v.Method, v.Authority, v.Path, h, []byte(v.Body), ring, v.Now)
		}
		if (err == nil) != v.Valid {
			t.Errorf("%s: %v", v.Note, err)
		}
		if base := string(signatureBase(v.Method, v.Authority, v.Path, h.Get("Content-Digest"), g.params)); v.Base != "" && base != v.Base {
			t.Errorf("%s: the base is\n%s\nand not\n%s", v.Note, base, v.Base)
		}
	}
}

// What this node signs is what the vectors describe.
func TestSignedRequestHolds(t *testing.T) {
	document, signers := vectorSupplier(t)
	ring, err := document.Verify()
	ok(t, err)
	r, err := http.NewRequest("POST", "https://Buyer.Example/exchange/v1/push", nil)
	ok(t, err)
	ok(t, signRequest(r, []byte("{}"), signers[1], vectorTime))
	g, err := readSignature(r.Header)
	ok(t, err)
	ok(t, g.verify("POST", "buyer.example", "/exchange/v1/push", r.Header, []byte("{}"), ring, vectorTime))
}

var vectorTime = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

type vectorSigner ed25519.PrivateKey

func (s vectorSigner) Key() entente.PublicKey {
	return entente.PublicKey(ed25519.PrivateKey(s).Public().(ed25519.PublicKey))
}

func (s vectorSigner) Sign(message []byte) ([]byte, error) {
	return ed25519.Sign(ed25519.PrivateKey(s), message), nil
}

// vectorSupplier is the supplier of the other vectors, whose first key was followed by
// a second one.
func vectorSupplier(t *testing.T) (document entente.KeyDocument, signers [2]vectorSigner) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(vectorFolder, "key-documents.json"))
	ok(t, err)
	var documents []struct{ Document entente.KeyDocument }
	ok(t, json.Unmarshal(raw, &documents))
	document = documents[1].Document
	for i, name := range []string{"supplier", "supplier's second"} {
		seed := sha256.Sum256([]byte(name))
		signers[i] = vectorSigner(ed25519.NewKeyFromSeed(seed[:]))
	}
	return document, signers
}

func makeRequests(t *testing.T) (all []requestVector) {
	document, signers := vectorSupplier(t)
	first := document
	first.Changes = nil
	const authority, path, nonce = "buyer.example", "/exchange/v1/push", "c29tZSByYW5kb20gYnl0ZQ"
	body := `{"from":"` + string(document.Party) + `","entries":[]}`
	params := func(key entente.KeyID, nonce, alg, tag string) string {
		return fmt.Sprintf(`%s;created=%d;keyid="%s";nonce="%s";alg="%s";tag="%s"`, signedParts, vectorTime.Unix(), key, nonce, alg, tag)
	}
	add := func(note string, valid bool, by vectorSigner, params, signedBody string, change func(*requestVector)) {
		v := requestVector{Note: note, Signer: document, Method: "POST", Authority: authority, Path: path, Body: body, Now: vectorTime, Valid: valid}
		base := signatureBase(v.Method, v.Authority, v.Path, digest([]byte(signedBody)), params)
		sig, err := by.Sign(base)
		ok(t, err)
		v.Headers = map[string]string{
			"Content-Digest":  digest([]byte(signedBody)),
			"Signature-Input": "sig1=" + params,
			"Signature":       "sig1=:" + base64.StdEncoding.EncodeToString(sig) + ":",
		}
		if valid {
			v.Base = string(base)
		}
		if change != nil {
			change(&v)
		}
		all = append(all, v)
	}
	current := signers[1].Key().ID()
	standard := params(current, nonce, "ed25519", signedTag)
	add("signed by the key in force", true, signers[1], standard, body, nil)
	get := signatureBase("GET", authority, "/exchange/v1/blobs/a/b/c/0", digest(nil), standard)
	sig, err := signers[1].Sign(get)
	ok(t, err)
	add("without a body: the digest is that of nothing", true, signers[1], standard, "", func(v *requestVector) {
		v.Method, v.Path, v.Body, v.Base = "GET", "/exchange/v1/blobs/a/b/c/0", "", string(get)
		v.Headers["Signature"] = "sig1=:" + base64.StdEncoding.EncodeToString(sig) + ":"
	})
	add("4 minutes late", true, signers[1], standard, body, func(v *requestVector) { v.Now = vectorTime.Add(4 * time.Minute) })
	add("4 minutes early", true, signers[1], standard, body, func(v *requestVector) { v.Now = vectorTime.Add(-4 * time.Minute) })
	add("6 minutes late", false, signers[1], standard, body, func(v *requestVector) { v.Now = vectorTime.Add(6 * time.Minute) })
	add("6 minutes early", false, signers[1], standard, body, func(v *requestVector) { v.Now = vectorTime.Add(-6 * time.Minute) })
	add("signed by a key that was followed by another", false, signers[0], params(signers[0].Key().ID(), nonce, "ed25519", signedTag), body, nil)
	add("the first key, while it is in force", true, signers[0], params(signers[0].Key().ID(), nonce, "ed25519", signedTag), body, func(v *requestVector) { v.Signer = first })
	add("a key that the receiver does not know", false, signers[1], standard, body, func(v *requestVector) { v.Signer = first })
	add("signed by another key than it names", false, signers[0], standard, body, nil)
	add("another body", false, signers[1], standard, body, func(v *requestVector) { v.Body = strings.Replace(body, "[]", "[{}]", 1) })
	add("another body with its own digest", false, signers[1], standard, body, func(v *requestVector) {
		v.Body = "{}"
		v.Headers["Content-Digest"] = digest([]byte("{}"))
	})
	add("another method", false, signers[1], standard, body, func(v *requestVector) { v.Method = "PUT" })
	add("another path", false, signers[1], standard, body, func(v *requestVector) { v.Path = "/exchange/v1/pull" })
	add("meant for another node", false, signers[1], standard, body, func(v *requestVector) { v.Authority = "other.example" })
	add("another tag", false, signers[1], params(current, nonce, "ed25519", "something-else"), body, nil)
	add("another algorithm", false, signers[1], params(current, nonce, "rsa-v1_5-sha256", signedTag), body, nil)
	add("a nonce that is too short", false, signers[1], params(current, "short", "ed25519", signedTag), body, nil)
	add("fewer parts are covered", false, signers[1], strings.Replace(standard, ` "content-digest"`, "", 1), body, nil)
	add("no signature", false, signers[1], standard, body, func(v *requestVector) { delete(v.Headers, "Signature") })
	return all
}
