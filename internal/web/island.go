package web

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"

	entente "github.com/entente-project/entente"
)

// islandPolicy is that of the few pages on which a script of this node does what a
// page alone cannot.
const islandPolicy = contentPolicy + "; script-src 'self'; connect-src 'self'"

// island lets the page that is answered load scripts from this node.
func (v *visit) island() { v.w.Header().Set("Content-Security-Policy", islandPolicy) }

// sent reads what a script of ours sent. Nothing at all is an empty value.
func (v *visit) sent(into any) error {
	err := json.NewDecoder(v.r.Body).Decode(into)
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return nil
	case errors.As(err, &tooLarge):
		return err
	}
	return entente.Invalid("what was sent is not the JSON that this page sends; reload the page and try again")
}

// reply answers a script of ours.
func (v *visit) reply(status int, body any) error {
	content, err := json.Marshal(body)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "application/json")
	v.answer = status
	v.w.WriteHeader(status)
	_, _ = v.w.Write(content) // the reader has gone; there is nobody to tell
	return nil
}

// localhost is the address of this page at localhost, if the browser reached it by
// the bare address of its own machine, to which it binds no passkey; else "".
func (v *visit) localhost() string {
	host, port, err := net.SplitHostPort(v.r.Host)
	if err != nil {
		host, port = strings.Trim(v.r.Host, "[]"), ""
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.IsLoopback() || v.Secure {
		return ""
	}
	if port != "" {
		port = ":" + port
	}
	return "http://localhost" + port + within(v.r.URL.RequestURI())
}
