package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Bounds of one attempt.
const (
	attemptTime = 10 * time.Second
	maxAnswer   = 16 << 10 // what is read of an answer's body; nothing in it is kept
)

// errClosed is the cause where an address is not one of the internet's.
var errClosed = errors.New("the name leads to a private network or to the node itself")

// newClient makes the client of hooks. Where a name leads is checked when the
// connection is made, so that no answer of a name server can lead elsewhere than what
// was checked. Redirects are not followed, and no proxy of the environment is used.
func newClient(allowPrivate bool) *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	if !allowPrivate {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			if !reachable(at.Addr()) {
				return errClosed
			}
			return nil
		}
	}
	return &http.Client{
		Timeout:       attemptTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: attemptTime,
			MaxResponseHeaderBytes: 32 << 10, MaxIdleConns: 20, IdleConnTimeout: 30 * time.Second, DisableCompression: true,
			ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		},
	}
}

// outcome is how one attempt went.
type outcome struct {
	code int // of the answer; 0 where none came
	took time.Duration
	err  string // empty after a success
}

// post sends one message.
func (s *Service) post(ctx context.Context, url, id string, at time.Time, signatures []string, body []byte) outcome {
	began := time.Now()
	code, err := s.send(ctx, url, id, at, signatures, body)
	o := outcome{code: code, took: time.Since(began)}
	switch {
	case err != nil:
		o.err = plainError(err)
	case code >= 300 && code < 400:
		o.err = fmt.Sprintf("the answer %d leads elsewhere; register the address that it leads to", code)
	case code == http.StatusGone:
		o.err = "the answer 410 says that the receiver is gone for good"
	case code < 200 || code > 299:
		o.err = fmt.Sprintf("the answer %d is no success", code)
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

// plainError says why no answer came, without the address, which may hold a secret.
func plainError(err error) string {
	var timeout interface{ Timeout() bool }
	var name *net.DNSError
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.Is(err, errClosed):
		return errClosed.Error() + "; it was not called"
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("no answer within %d seconds", int(attemptTime.Seconds()))
	case errors.As(err, &name):
		return "the name of the address is not known"
	case errors.As(err, &cert):
		return "the certificate of the receiver is not valid for the address"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the receiver refused the connection"
	case errors.As(err, &op):
		return "the connection failed"
	}
	return "the connection was broken off"
}
