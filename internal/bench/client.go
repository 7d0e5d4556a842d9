package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// client asks a server over loopback with an API token, on one connection.
type client struct {
	address string
	token   string
	http    *http.Client
	body    bytes.Buffer
}

// serve answers with h on a free port of loopback until stop is called.
func serve(h http.Handler) (address string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Serve(l) // returns when stop closes it
	}()
	stop = func() {
		s.Close()
		<-ended
	}
	return "http://" + l.Addr().String(), stop, nil
}

// ask sends one request and reads the whole answer. It gives the time from before
// the request was written until the last byte was read.
func (c *client) ask(ctx context.Context, method, path string, body io.Reader) (status int, took time.Duration, err error) {
	if c.http == nil {
		c.http = &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 1}}
	}
	r, err := http.NewRequestWithContext(ctx, method, c.address+path, body)
	if err != nil {
		return 0, 0, err
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	began := time.Now()
	answer, err := c.http.Do(r)
	if err != nil {
		return 0, 0, err
	}
	defer answer.Body.Close()
	c.body.Reset()
	_, err = c.body.ReadFrom(answer.Body)
	took = time.Since(began)
	return answer.StatusCode, took, err
}

// expect is ask for an answer that must be a success.
func (c *client) expect(ctx context.Context, method, path string, body io.Reader) (time.Duration, error) {
	status, took, err := c.ask(ctx, method, path, body)
	if err != nil {
		return 0, err
	}
	if status < 200 || status > 299 {
		return 0, fmt.Errorf("%s %s: %d %.300s", method, path, status, c.body.String())
	}
	return took, nil
}
