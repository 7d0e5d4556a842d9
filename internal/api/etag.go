package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// conditional gives reads an ETag, and the short answer 304 to a reader that has
// the current one. The tag is a hash of the answer itself, so it can never be
// stale; it saves the way of the bytes, not the work.
func conditional(w http.ResponseWriter, r *http.Request, run func(http.ResponseWriter, *http.Request)) {
	held := holders.Get().(*holder)
	defer holders.Put(held)
	held.reset(w)
	run(held, r)
	if held.through {
		return
	}
	h := w.Header()
	if held.status != 0 && held.status != http.StatusOK {
		h.Set("Cache-Control", "no-store")
		held.release()
		return
	}
	sum := sha256.Sum256(held.body.Bytes())
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	if h.Get("ETag") == "" {
		h.Set("ETag", tag)
	}
	h.Set("Cache-Control", "private, no-cache")
	if tagMatches(r.Header.Get("If-None-Match"), h.Get("ETag")) {
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	held.release()
}

// tagMatches says whether a list of entity tags names tag, by weak comparison.
func tagMatches(list, tag string) bool {
	if list == "" || tag == "" {
		return false
	}
	if strings.TrimSpace(list) == "*" {
		return true
	}
	tag = strings.TrimPrefix(tag, "W/")
	for one := range strings.SplitSeq(list, ",") {
		if strings.TrimPrefix(strings.TrimSpace(one), "W/") == tag {
			return true
		}
	}
	return false
}

// maxHeld is the size up to which an answer is held back; a longer one goes through
// without an ETag.
const maxHeld = 4 << 20

var holders = sync.Pool{New: func() any { return new(holder) }}

// holder holds an answer back until it is whole.
type holder struct {
	http.ResponseWriter
	status  int
	body    bytes.Buffer
	through bool // it grew too long and has been let through
}

func (h *holder) reset(w http.ResponseWriter) {
	h.ResponseWriter, h.status, h.through = w, 0, false
	if h.body.Cap() > maxHeld/4 {
		h.body = bytes.Buffer{}
	}
	h.body.Reset()
}

// WriteHeader keeps the status.
func (h *holder) WriteHeader(status int) { h.status = status }

// Write keeps the bytes, or lets them through once there are too many.
func (h *holder) Write(p []byte) (int, error) {
	if h.through {
		return h.ResponseWriter.Write(p)
	}
	if h.body.Len()+len(p) > maxHeld {
		h.through = true
		h.send()
		return h.ResponseWriter.Write(p)
	}
	return h.body.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (h *holder) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// release sends what was held back, with its length.
func (h *holder) release() {
	h.ResponseWriter.Header().Set("Content-Length", strconv.Itoa(h.body.Len()))
	h.send()
}

func (h *holder) send() {
	if h.status != 0 {
		h.ResponseWriter.WriteHeader(h.status)
	}
	h.ResponseWriter.Write(h.body.Bytes()) // the reader may be gone; nothing is left to do about it
}
