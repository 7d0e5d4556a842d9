package exchange

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/entente-project/entente"
)

// Requests between nodes are signed as HTTP Message Signatures (RFC 9421) by the key
// in force of the organisation that asks. What is covered, always in this order:
// method, authority, path, and the digest of the body (RFC 9530).
const (
	signedParts = `("@method" "@authority" "@path" "content-digest")`
	signedTag   = "entente-exchange-v1"
	// clockSkew is how far a request's time may be from ours. Its nonce is kept for
	// twice as long.
	clockSkew = 5 * time.Minute
)

// signRequest signs a request.
func signRequest(r *http.Request, body []byte, signer entente.Signer, at time.Time) error {
	nonce := make([]byte, 16)
	if _, err := rand.Read(nonce); err != nil {
		return err
	}
	r.Header.Set("Content-Digest", digest(body))
	params := fmt.Sprintf(`%s;created=%d;keyid="%s";nonce="%s";alg="ed25519";tag="%s"`, signedParts, at.Unix(), signer.Key().ID(), base64.RawURLEncoding.EncodeToString(nonce), signedTag)
	sig, err := signer.Sign(signatureBase(r.Method, strings.ToLower(r.URL.Host), r.URL.EscapedPath(), r.Header.Get("Content-Digest"), params))
	if err != nil {
		return err
	}
	r.Header.Set("Signature-Input", "sig1="+params)
	r.Header.Set("Signature", "sig1=:"+base64.StdEncoding.EncodeToString(sig)+":")
	return nil
}

// digest is the Content-Digest of a body.
func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

// signatureBase is what is signed (RFC 9421, 2.5).
func signatureBase(method, authority, path, digest, params string) []byte {
	return []byte(`"@method": ` + method + "\n" + `"@authority": ` + authority + "\n" + `"@path": ` + path + "\n" + `"content-digest": ` + digest + "\n" + `"@signature-params": ` + params)
}

// signature is what a signed request says of itself.
type signature struct {
	params  string
	created time.Time
	key     entente.KeyID
	nonce   string
	sig     []byte
}

var signatureInput = regexp.MustCompile(`^sig1=(\("@method" "@authority" "@path" "content-digest"\);created=([0-9]{1,12});keyid="([0-9a-f]{64})";nonce="([A-Za-z0-9_-]{16,64})";alg="ed25519";tag="entente-exchange-v1")$`)

// readSignature reads the signature of a request.
func readSignature(h http.Header) (signature, error) {
	m := signatureInput.FindStringSubmatch(h.Get("Signature-Input"))
	text, ok := strings.CutPrefix(h.Get("Signature"), "sig1=:")
	text, end := strings.CutSuffix(text, ":")
	sig, err := base64.StdEncoding.DecodeString(text)
	if m == nil || !ok || !end || err != nil || len(sig) != ed25519.SignatureSize {
		return signature{}, unsigned("the request is not signed as the protocol asks")
	}
	created, err := strconv.ParseInt(m[2], 10, 64)
	if err != nil {
		return signature{}, unsigned("the request is not signed as the protocol asks")
	}
	return signature{params: m[1], created: time.Unix(created, 0), key: entente.KeyID(m[3]), nonce: m[4], sig: sig}, nil
}

// verify checks the signature over a request with the keys of who asks.
func (g signature) verify(method, authority, path string, h http.Header, body []byte, ring entente.Keyring, now time.Time) error {
	if h.Get("Content-Digest") != digest(body) {
		return unsigned("the digest is not that of the body")
	}
	key, known := ring.Find(g.key)
	switch {
	case !known:
		return unsigned("the key that signed the request is not one of the party's")
	case !key.Revoked.IsZero() || ring.Current().Public.ID() != g.key:
		return unsigned("the key that signed the request is not in force any more")
	case !ed25519.Verify(ed25519.PublicKey(key.Public), signatureBase(method, authority, path, h.Get("Content-Digest"), g.params), g.sig):
		return unsigned("the signature of the request is not valid")
	case now.Sub(g.created).Abs() > clockSkew:
		return unsigned("the time of the request is too far from ours")
	}
	return nil
}

// unsigned is the error of a request that proves nothing: 401.
type unsigned string

// Error says why.
func (u unsigned) Error() string { return string(u) }
