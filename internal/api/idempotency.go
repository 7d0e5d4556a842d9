package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"hash"
	"io"
	"net/http"
	"time"

	entente "github.com/entente-project/entente"
)

const (
	headerIdempotency = "Idempotency-Key"
	headerReplayed    = "Idempotency-Replayed"
	maxIdempotencyKey = 200
	maxKeptAnswer     = 256 << 10
	// keptLife is how long an answer can be repeated.
	keptLife = 24 * time.Hour
	// claimLife is how long a request may run before its key can be taken over, as
	// it must be when the node stopped in the middle of it.
	claimLife = 15 * time.Minute
)

// keptHeaders are the headers of an answer that are repeated with it.
var keptHeaders = []string{"Content-Type", "Location", "Etag"}

// once runs a request with an Idempotency-Key the first time, and repeats its
// answer every further time.
func (s *server) once(w http.ResponseWriter, r *http.Request, actor entente.Actor, run func(http.ResponseWriter, *http.Request)) {
	key := r.Header.Get(headerIdempotency)
	if !printable(key) || len(key) > maxIdempotencyKey {
		s.refuse(w, r, entente.Invalid("the %s header must be 1 to %d printable ASCII characters", headerIdempotency, maxIdempotencyKey))
		return
	}
	mine := kept{request: requestHash(r, actor), claim: rand.Text()}
	claimed, found, err := claimKey(r.Context(), s.db, actor.Org, key, mine, s.now())
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	if !claimed {
		s.repeat(w, r, found, mine)
		return
	}
	// The answer is kept even when the reader has gone: that is when it will ask again.
	ctx := context.WithoutCancel(r.Context())
	keep := false
	defer func() {
		if keep {
			return
		}
		if err := dropKey(ctx, s.db, actor.Org, key, mine.claim); err != nil {
			s.log.ErrorContext(ctx, "an Idempotency-Key could not be given free", "cause", err)
		}
	}()
	body := &hashedBody{ReadCloser: r.Body, hash: sha256.New()}
	r.Body = body
	taken := &recorder{ResponseWriter: w}
	run(taken, r)
	sum, whole := body.rest()
	if !whole || !taken.worthKeeping() {
		return
	}
	mine.body, mine.status, mine.answer = sum, taken.status, taken.body.Bytes()
	mine.header, err = headerText(w.Header())
	if err == nil {
		err = keepAnswer(ctx, s.db, actor.Org, key, mine, s.now())
	}
	if err != nil {
		s.log.ErrorContext(ctx, "an answer with an Idempotency-Key could not be kept", "cause", err)
		return
	}
	keep = true
}

// repeat answers a request whose key is known.
func (s *server) repeat(w http.ResponseWriter, r *http.Request, found, mine kept) {
	if !bytes.Equal(found.request, mine.request) {
		s.refuse(w, r, entente.Invalid("this %s was used for another request; take a new one for each act", headerIdempotency))
		return
	}
	if !found.done {
		p := problemOf(entente.Conflict("a request with this %s is still under way; ask again in a moment", headerIdempotency))
		p.header = http.Header{"Retry-After": {"2"}}
		s.refuse(w, r, p)
		return
	}
	body := &hashedBody{ReadCloser: r.Body, hash: sha256.New()}
	sum, whole := body.rest()
	if !whole || !bytes.Equal(sum, found.body) {
		s.refuse(w, r, entente.Invalid("this %s was used with another body; take a new one for each act", headerIdempotency))
		return
	}
	var header map[string]string
	if err := json.Unmarshal([]byte(found.header), &header); err != nil {
		s.refuse(w, r, err)
		return
	}
	for k, v := range header {
		w.Header().Set(k, v)
	}
	w.Header().Set(headerReplayed, "true")
	w.WriteHeader(found.status)
	w.Write(found.answer) // the reader may be gone; nothing is left to do about it
}

func requestHash(r *http.Request, actor entente.Actor) []byte {
	h := sha256.New()
	for _, part := range []string{string(actor.Person), r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("If-Match")} {
		io.WriteString(h, part)
		h.Write([]byte{0})
	}
	return h.Sum(nil)
}

func headerText(h http.Header) (string, error) {
	out := map[string]string{}
	for _, k := range keptHeaders {
		if v := h.Get(k); v != "" {
			out[k] = v
		}
	}
	text, err := json.Marshal(out)
	return string(text), err
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return s != ""
}

// hashedBody hashes a body while it is read.
type hashedBody struct {
	io.ReadCloser
	hash hash.Hash
	err  error
}

// Read reads and hashes.
func (b *hashedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.hash.Write(p[:n])
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}

// rest reads what is left, and gives the hash and whether the body came whole.
func (b *hashedBody) rest() ([]byte, bool) {
	_, err := io.Copy(io.Discard, b)
	return b.hash.Sum(nil), err == nil && b.err == nil
}

// recorder passes an answer on and keeps a copy.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
	long   bool
}

// WriteHeader keeps and passes on the status.
func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Write keeps and passes on the bytes.
func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	if r.long = r.long || r.body.Len()+len(p) > maxKeptAnswer; !r.long {
		r.body.Write(p)
	}
	return r.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// worthKeeping says whether a repetition must get this answer: not after a fault,
// which left nothing behind, nor for an answer that is too long to keep.
func (r *recorder) worthKeeping() bool {
	return r.status != 0 && r.status < http.StatusInternalServerError && r.status != http.StatusRequestTimeout && !r.long
}
