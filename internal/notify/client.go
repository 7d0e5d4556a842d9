package notify

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	entente "github.com/entente-project/entente"
	"github.com/entente-project/entente/internal/outbound"
)

// Bounds of one attempt.
const (
	attemptTime = 10 * time.Second
	maxAnswer   = 16 << 10 // what is read of an answer's body; nothing in it is kept
)

// outcome is how one attempt went.
type outcome struct {
	code int // of the answer; 0 where none came
	took time.Duration
	err  entente.Message // blank after a success
}

// post sends one message.
func (s *Service) post(ctx context.Context, url, id string, at time.Time, signatures []string, body []byte) outcome {
	began := time.Now()
	code, err := s.send(ctx, url, id, at, signatures, body)
	o := outcome{code: code, took: time.Since(began)}
	switch {
	case err != nil:
		o.err = outbound.Why(err, attemptTime)
	case code >= 300 && code < 400:
		o.err = entente.Say("the answer %d leads elsewhere; register the address that it leads to", code)
	case code == http.StatusGone:
		o.err = entente.Say("the answer 410 says that the receiver is gone for good")
	case code < 200 || code > 299:
		o.err = entente.Say("the answer %d is no success", code)
	}
	return o
}

func (s *Service) send(ctx context.Context, url, id string, at time.Time, signatures []string, body []byte) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Entente-Webhooks/1")
	r.Header.Set("webhook-id", id)
	r.Header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	r.Header.Set("webhook-signature", strings.Join(signatures, " "))
	answer, err := s.client.Do(r)
	if err != nil {
		return 0, err
	}
	// Reading a little lets the connection be used again; what is said is not kept.
	_, err = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer))
	return answer.StatusCode, errors.Join(err, answer.Body.Close())
}
